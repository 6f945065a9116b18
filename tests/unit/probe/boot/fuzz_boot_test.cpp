// The corpora of the fuzz targets that read what a system boots by: each ends, and in sense.
#include <catch2/catch.hpp>
#include <filesystem>
#include <string>

#include "fuzz/tree_of.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/probe/folder.hpp"
#include "hrvm/sys/files.hpp"
#include "probe/boot/boot_menus.hpp"
#include "probe/initramfs/initramfs.hpp"
#include "support/memory_files.hpp"

using namespace hrvm;
using namespace hrvm::probe;

namespace {

const std::filesystem::path corpora = HRVM_SOURCE_DIR "/tests/corpus";

std::string content(const std::filesystem::path& path) { return sys::read_file(path, 16u << 20); }

}  // namespace

TEST_CASE("every initramfs of the corpus is read to its end, or told to be incomplete") {
  const auto names = sys::list_directory(corpora / "initramfs");
  REQUIRE_FALSE(names.empty());
  for (const auto& name : names) {
    INFO(name);
    test::MemoryFiles files({{"/initrd", content(corpora / "initramfs" / name)}});
    const auto found = read_initramfs(files, "/initrd", {"virtio_blk", "ahci"}, 1 << 20);
    CHECK(found.incomplete.empty() == name.ends_with(".reads"));
  }
}

TEST_CASE("every boot loader's configuration of the corpus gives entries in sense, or none") {
  const auto names = sys::list_directory(corpora / "boot_menus");
  REQUIRE_FALSE(names.empty());
  for (const auto& name : names) {
    INFO(name);
    const std::string text = content(corpora / "boot_menus" / name);
    test::MemoryFiles files({{"/boot/grub/grub.cfg", text},
                             {"/boot/grub/grubenv", text},
                             {"/boot/extlinux.conf", text},
                             {"/boot/loader/entries/a.conf", text},
                             {"/loader/entries/b.conf", text},
                             {"/loader/loader.conf", text}});
    const BootPlace places[] = {{"p1", "1", "", true, &files}};
    for (const BootMenu& menu : read_boot_menus(places)) {
      CHECK_FALSE(menu.entries.empty());
      CHECK(menu.entries.size() <= most_entries);
      for (const BootEntry& entry : menu.entries) CHECK(entry.command_line.size() <= longest_text);
    }
  }
}

TEST_CASE("every folder of the corpus is read, or refused, as its name says, and comes through the pipe as it was") {
  const auto names = sys::list_directory(corpora / "folder");
  REQUIRE_FALSE(names.empty());
  for (const auto& name : names) {
    INFO(name);
    auto files = test::tree_of(content(corpora / "folder" / name));
    try {
      const auto json = to_json(read_folder(files, "/srv"));
      CHECK(to_json(contents_from_json(json)) == json);
      CHECK(name.ends_with(".reads"));
    } catch (const base::Error& error) {
      CHECK(error.kind() == base::ErrorKind::unsupported);
      CHECK(name.ends_with(".refused"));
    }
  }
}
