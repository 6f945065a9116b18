#include "hrvm/machine/target_disk.hpp"

#include "support/failing.hpp"
#include "unit/machine/workshop.hpp"

using namespace hrvm;
using namespace hrvm::machine;
using namespace hrvm::machine::testing;
using Catch::Matchers::Contains;

namespace {

TargetDisk other_disk() {
  TargetDisk target{"/dev/disk/by-id/ata-Other_S2", {}, {}};
  target.disk.path = "/dev/of-no-machine";
  target.disk.stable_path = target.facts.stable_name = target.named;
  target.disk.serial = "S2";
  target.disk.size_bytes = 1000;
  target.facts.lies_on = {target.disk.path};
  return target;
}

base::Error refusal(Workshop& workshop, const TargetDisk& target) {
  return test::error_of([&] { check_target(workshop.host(), {workshop.store}, target); });
}

// A machine of the workshop's, whose base is said to be this.
void made_of(Workshop& workshop, const BaseIdentity& base) {
  auto definition = workshop.machine().definition;
  definition.disks = {base};
  stored(workshop.store, "other", definition);
}

BaseIdentity disk_identity() {
  BaseIdentity base;
  base.path = "/dev/sdz";
  base.stable_path = "/dev/disk/by-id/ata-Base_S1";
  base.kind = BaseKind::disk;
  base.size_bytes = 1000;
  return base;
}

}  // namespace

TEST_CASE("a disk that nobody uses, and that no machine is made of, may be written onto") {
  Workshop workshop;
  workshop.machine();
  CHECK_NOTHROW(check_target(workshop.host(), {workshop.store}, other_disk()));
}

TEST_CASE("a file or a folder is no disk to write onto") {
  Workshop workshop;
  for (const auto kind : {probe::DiskKind::image, probe::DiskKind::directory}) {
    auto target = other_disk();
    target.disk.kind = kind;
    CHECK(refusal(workshop, target).kind() == base::ErrorKind::unsupported);
    CHECK_THAT(refusal(workshop, target).hint(), Contains("export MACHINE FILE"));
  }
}

TEST_CASE("a reader without a card is no disk to write onto") {
  Workshop workshop;
  auto target = other_disk();
  target.disk.size_bytes = 0;
  CHECK(refusal(workshop, target).kind() == base::ErrorKind::not_found);
}

TEST_CASE("a disk is named by what stays, where it has such a name") {
  Workshop workshop;
  auto target = other_disk();
  for (const auto* name : {"/dev/of-no-machine", "/dev/disk/by-uuid/1234-ABCD", "/dev/disk/by-label/root"}) {
    target.named = name;
    CHECK(refusal(workshop, target).kind() == base::ErrorKind::refused);
    CHECK_THAT(refusal(workshop, target).hint(), Contains("--to /dev/disk/by-id/ata-Other_S2"));
  }
  target.named = "/dev/disk/by-path/pci-0000:00:17.0-ata-2";
  CHECK_NOTHROW(check_target(workshop.host(), {workshop.store}, target));
  target.named = target.disk.path;
  target.facts.stable_name = "";
  CHECK_NOTHROW(check_target(workshop.host(), {workshop.store}, target));
}

TEST_CASE("a base is no disk to write onto, by whichever of its names and numbers it is known") {
  for (const auto* by : {"wwn", "serial", "path", "stable path"}) {
    INFO(by);
    Workshop workshop;
    auto base = disk_identity();
    const auto target = [&] {
      auto disk = other_disk();
      disk.disk.wwn = "0x5002538f31a0b1c2";
      return disk;
    }();
    if (by == std::string_view("wwn")) base.wwn = target.disk.wwn;
    if (by == std::string_view("serial")) base.serial = target.disk.serial;
    if (by == std::string_view("path")) base.path = target.disk.path;
    if (by == std::string_view("stable path")) base.stable_path = target.named;
    made_of(workshop, base);
    const auto error = refusal(workshop, target);
    CHECK(error.kind() == base::ErrorKind::refused);
    CHECK_THAT(error.message(), Contains("machine other"));
  }
}

TEST_CASE("a disk that has the table of a base that is not found could be that base") {
  Workshop workshop;
  auto base = disk_identity();
  base.serial = "S1";
  base.table_uuid = "01234567-89ab-4cde-8f01-23456789abcd";
  made_of(workshop, base);
  auto target = other_disk();
  target.table_uuid = base.table_uuid;
  CHECK_THAT(refusal(workshop, target).message(), Contains("may be the disk that machine other"));
  target.disk.size_bytes = 2000;
  CHECK_NOTHROW(check_target(workshop.host(), {workshop.store}, target));
  target.disk.size_bytes = 1000;
  target.table_uuid = "";
  CHECK_NOTHROW(check_target(workshop.host(), {workshop.store}, target));
}

TEST_CASE("a disk that lies on a base, or in the store, is no disk to write onto") {
  Workshop workshop;
  const auto web = workshop.machine();
  auto target = other_disk();
  target.facts.lies_on.push_back(web.definition.disks[0].path);
  CHECK_THAT(refusal(workshop, target).message(), Contains("machine web"));
  target.facts.lies_on.back() = web.active_layer();
  CHECK_THAT(refusal(workshop, target).message(), Contains("lies in the store"));
}

TEST_CASE("where a machine's definition is damaged nobody can tell what it is made of") {
  Workshop workshop;
  const auto web = workshop.machine();
  sys::AtomicFile damaged(web.folder / "generations" / (std::to_string(web.generation) + ".json"));
  damaged.write("{");
  damaged.commit();
  CHECK(refusal(workshop, other_disk()).kind() == base::ErrorKind::refused);
  CHECK_THAT(refusal(workshop, other_disk()).message(), Contains("could be this disk"));
}

TEST_CASE("a disk that somebody uses is not written onto, also where he only reads") {
  Workshop workshop;
  for (const auto by : {probe::UsedBy::mount, probe::UsedBy::swap, probe::UsedBy::dm, probe::UsedBy::md,
                        probe::UsedBy::zfs, probe::UsedBy::loop, probe::UsedBy::qemu, probe::UsedBy::unknown})
    for (const bool writable : {true, false}) {
      auto target = other_disk();
      target.disk.in_use = {{by, "somebody", writable}};
      CHECK(refusal(workshop, target).kind() == base::ErrorKind::refused);
      CHECK_THAT(refusal(workshop, target).message(), Contains("in use") && Contains("somebody"));
      target.disk.in_use.clear();
      target.facts.uses_of_backing_file = {{by, "somebody", writable}};
      CHECK_THAT(refusal(workshop, target).message(), Contains("in use"));
    }
}

TEST_CASE("a disk that is read-only is not written onto") {
  Workshop workshop;
  auto target = other_disk();
  target.facts.is_read_only = true;
  CHECK(refusal(workshop, target).kind() == base::ErrorKind::permission);
}

TEST_CASE("a disk is confirmed by its serial number, else by a name that can be typed") {
  auto target = other_disk();
  CHECK(confirmation_of(target).word == "S2");
  CHECK(confirmation_of(target).what == "serial number");
  for (const auto* serial : {"", "with space", "\033[2J", "\xff"}) {
    target.disk.serial = serial;
    CHECK(confirmation_of(target).word == "ata-Other_S2");
  }
  target.facts.stable_name = "";
  CHECK(confirmation_of(target).word == "of-no-machine");
  target.facts.backing_file = "/srv/images/stick.img";
  CHECK(confirmation_of(target).word == "stick.img");
}
