// A host in a folder, with a store of machines on an image file.
#pragma once

#include <algorithm>
#include <catch2/catch.hpp>

#include "doctor/checks.hpp"
#include "hrvm/machine/fingerprint.hpp"
#include "hrvm/probe/disk.hpp"
#include "support/disk_writer.hpp"
#include "support/temporary_directory.hpp"
#include "support/test_host.hpp"
#include "support/write_layers.hpp"

namespace hrvm::doctor::testing {

class Fixture {
 public:
  Fixture() { test::write_gpt(disk(), {.size_bytes = 8 << 20, .partitions = {{.first_lba = 2048, .last_lba = 4095}}}); }

  std::filesystem::path disk() const { return folder / "disk.img"; }
  Circumstances circumstances() const { return {host.host(), store, std::nullopt}; }

  // A machine on the disk, as an import leaves it, with empty layers.
  machine::Definition definition() const {
    machine::Definition made;
    made.uuid = host.host().new_guid();
    made.disks[0] = {.path = disk(), .stable_path = disk(), .kind = machine::BaseKind::image, .size_bytes = 8 << 20};
    made.active.layer = "00000000000000a1";
    made.active.hardware.memory_bytes = 64 << 20;
    made.active.hardware.mac = "52:54:00:12:34:56";
    const auto located = probe::locate_disk(host.host(), disk());
    made.fingerprints[made.active.layer] = machine::take_fingerprint(host.host(), {located});
    return made;
  }
  machine::Machine add(const std::string& name, const machine::Definition& made) const {
    const auto lock = store.begin(name);
    test::write_layers(store.folder() / name, made);
    for (const auto& file : made.files())
      if (file.starts_with("nvram/")) folder.write("store/" + name + "/" + file, "variables");
    for (const auto& file : made.files())
      if (!made.is_on_folder()) set_mode(store.folder() / name / file, 0600);
    return store.commit(name, made);
  }
  static void set_mode(const std::filesystem::path& path, unsigned mode) {
    std::filesystem::permissions(path, std::filesystem::perms(mode));
  }

  const test::TemporaryDirectory folder;
  mutable test::TestHost host;
  const machine::Store store{host.host(), folder / "store"};
};

// The one result there is.
inline CheckResult only(const Results& results) {
  REQUIRE(results.size() == 1);
  return results[0];
}

}  // namespace hrvm::doctor::testing
