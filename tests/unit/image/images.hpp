// What the image tests share: a folder of their own, the real qemu-img and qemu-io as oracles, and random disks.
#pragma once

#include <fcntl.h>
#include <fmt/core.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "hrvm/base/json.hpp"
#include "hrvm/block/block_device.hpp"
#include "hrvm/block/devices.hpp"
#include "hrvm/image/create.hpp"
#include "hrvm/image/disk_image.hpp"
#include "hrvm/sys/files.hpp"
#include "hrvm/sys/runner.hpp"

namespace hrvm::image::test {

using Path = std::filesystem::path;
using Bytes = std::vector<std::byte>;

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "hrvm-image-XXXXXX").string();
    if (!::mkdtemp(name.data())) throw std::runtime_error("mkdtemp");
    path_ = name;
  }
  Folder(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path_); }
  Path operator/(const std::string& name) const { return path_ / name; }

 private:
  Path path_;
};

inline sys::Result run(std::vector<std::string> argv) {
  return sys::make_process_runner()->run({std::move(argv), {}, {}}, std::chrono::minutes(2));
}

inline std::string output_of(std::vector<std::string> argv) {
  auto result = run(std::move(argv));
  INFO(result.err);
  REQUIRE(result.exit_status == 0);
  return result.out;
}

// 0 clean, 2 corruptions, 3 leaks only.
inline int check(const Path& image) {
  auto result = run({"qemu-img", "check", "-f", "qcow2", image});
  UNSCOPED_INFO(result.out << result.err);
  return result.exit_status;
}

inline base::Json info(const Path& image) {
  return base::parse_json(output_of({"qemu-img", "info", "--output=json", "-f", "qcow2", image}), "qemu-img info");
}

inline void make(const Path& path, const NewImage& image) {
  auto fd = sys::open_file(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
  create_qcow2(fd.get(), path.string(), image);
}

inline void make_raw(const Path& path, std::uint64_t bytes) {
  std::ofstream(path).flush();
  std::filesystem::resize_file(path, bytes);
}

inline void qemu_io(const Path& image, const std::string& format, const std::vector<std::string>& commands) {
  std::vector<std::string> argv = {"qemu-io", "-f", format};
  for (const auto& command : commands) argv.insert(argv.end(), {"-c", command});
  argv.push_back(image);
  output_of(argv);
}

inline Bytes content(block::BlockDevice& device) { return device.read(0, std::size_t(device.size())); }
inline Bytes content(const Path& image, ImageFormat format = ImageFormat::qcow2) {
  return content(*open_image(image, format));
}
// What QEMU itself sees in it.
inline Bytes content_by_qemu(const Path& image, const Path& scratch) {
  output_of({"qemu-img", "convert", "-f", "qcow2", "-O", "raw", image, scratch});
  return content(scratch, ImageFormat::raw);
}

using Random = std::mt19937_64;

inline std::uint64_t below(Random& random, std::uint64_t limit) {
  return std::uniform_int_distribution<std::uint64_t>(0, limit - 1)(random);
}

// Writes, zeroes and discards, of sectors and of clusters, at any place.
inline std::vector<std::string> random_program(Random& random, std::uint64_t disk_bytes, int steps) {
  static const std::vector<std::string> verbs = {"write -P {pattern}", "write -P {pattern}", "write -P {pattern}",
                                                 "write -z",           "write -z -u",        "discard"};
  std::vector<std::string> program;
  while (steps-- > 0) {
    std::uint64_t unit = below(random, 2) ? 512 : 65536;
    auto offset = below(random, disk_bytes / unit + 1) * unit;
    auto length = std::min((below(random, 40) + 1) * unit, disk_bytes - std::min(offset, disk_bytes));
    if (length == 0) continue;
    auto verb =
        fmt::format(fmt::runtime(verbs[below(random, verbs.size())]), fmt::arg("pattern", below(random, 255) + 1));
    program.push_back(fmt::format("{} {} {}", verb, offset, length));
  }
  return program;
}

inline Geometry plain(unsigned bits) { return {1u << bits, false}; }
inline Geometry extended(unsigned bits) { return {1u << bits, true}; }

}  // namespace hrvm::image::test
