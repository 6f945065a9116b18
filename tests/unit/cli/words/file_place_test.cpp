#include "cli/words/file_place.hpp"

#include <catch2/catch.hpp>

#include <set>

#include "hrvm/base/error.hpp"

using namespace hrvm;
using cli::file_place;

TEST_CASE("what, volume and path are told apart, whatever has a colon in it") {
  const std::set<std::string> there = {"web", "web@a:b", "web@a", "/dev/disk/by-path/pci-0000:00:1f.2-ata-1",
                                       "./disk:1.img"};
  const auto is_there = [&](const std::string& what) { return there.contains(what); };
  struct Case {
    std::string word, what, volume, path;
  };
  const Case cases[] = {
      {"web", "web", "", "/"},
      {"web:", "web", "", "/"},
      {"web:/", "web", "", "/"},
      {"web:/etc/fstab", "web", "", "/etc/fstab"},
      {"web:p3:/etc", "web", "p3", "/etc"},
      {"web:p3", "web", "p3", "/"},
      {"web:pve/root:/etc", "web", "pve/root", "/etc"},
      {"web:p3:@rootfs:/etc", "web", "p3:@rootfs", "/etc"},
      {"web:md:data:/x:/y", "web", "md:data", "/x:/y"},
      {"web@a:b:/etc", "web@a:b", "", "/etc"},
      {"web@a:p3:/etc", "web@a", "p3", "/etc"},
      {"/dev/disk/by-path/pci-0000:00:1f.2-ata-1", "/dev/disk/by-path/pci-0000:00:1f.2-ata-1", "", "/"},
      {"/dev/disk/by-path/pci-0000:00:1f.2-ata-1:p1:/a", "/dev/disk/by-path/pci-0000:00:1f.2-ata-1", "p1", "/a"},
      {"./disk:1.img:/a", "./disk:1.img", "", "/a"},
  };
  for (const Case& each : cases) {
    INFO(each.word);
    const auto place = file_place(each.word, is_there);
    CHECK(place.what == each.what);
    CHECK(place.volume == each.volume);
    CHECK(place.path == each.path);
  }
  for (const auto* word : {"", ":", ":/etc", "none:/etc", "none", "we:b"})
    CHECK_THROWS_AS(file_place(word, is_there), base::Error);
}
