// Filesystems made by the tools that systems are installed with, from a tree of files that is the oracle.
#pragma once

#include <fmt/core.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "hrvm/block/devices.hpp"
#include "hrvm/fs/file_system.hpp"
#include "hrvm/sys/files.hpp"
#include "hrvm/sys/runner.hpp"
#include "support/failing.hpp"
#include "support/temporary_directory.hpp"

namespace hrvm::fs::test {

using hrvm::test::kind_of;
using hrvm::test::TemporaryDirectory;
using Path = std::filesystem::path;

inline std::string output_of(std::vector<std::string> argv) {
  sys::Command command{std::move(argv), {{"LC_ALL", "C.UTF-8"}, {"TZ", "UTC"}, {"MTOOLS_SKIP_CHECK", "1"}}, {}};
  auto result = sys::make_process_runner()->run(command, std::chrono::minutes(1));
  INFO(command.argv[0] << ": " << result.out << result.err);
  REQUIRE(result.exit_status == 0);
  return result.out;
}

// Text that differs at every place, so that a block out of order shows.
inline std::string long_text(std::size_t bytes) {
  std::string text;
  for (int i = 0; text.size() < bytes; ++i) text += fmt::format("line {}\n", i);
  text.resize(bytes);
  return text;
}

// What an installed system looks like, as far as a reader cares.
inline void write_tree(const TemporaryDirectory& folder) {
  folder.write("tree/usr/lib/os-release", "ID=debian\n");
  folder.link("tree/etc/os-release", "../usr/lib/os-release");
  folder.link("tree/etc/long-link", std::string(40, '.') + "/" + std::string(200, 'x'));
  folder.link("tree/etc/absolute", "/usr/lib/os-release");
  folder.write("tree/etc/hostname", "pve\n");
  folder.write("tree/etc/empty", "");
  folder.write("tree/boot/vmlinuz", long_text(3'000'000));
  folder.write("tree/boot/thirteen-blocks", long_text(13 * 4096 + 5));
  for (int i = 0; i < 300; ++i) folder.write(fmt::format("tree/usr/lib/many/file-with-a-rather-long-name-{}", i), "x");
  std::ofstream(folder / "tree/boot/sparse").seekp(9'000'000) << "end";
}

inline std::map<std::string, FileKind> listing(FileSystem& files, std::string_view path) {
  std::map<std::string, FileKind> names;
  for (const auto& entry : files.list(path)) CHECK(names.emplace(entry.name, entry.kind).second);
  return names;
}

inline std::string read_all(FileSystem& files, std::string_view path) {
  return files.read(path, 0, std::size_t(files.info(path)->size_bytes));
}

}  // namespace hrvm::fs::test
