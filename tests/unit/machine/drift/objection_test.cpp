#include "hrvm/machine/objection.hpp"

#include <catch2/catch.hpp>

#include "hrvm/block/image_lock.hpp"
#include "support/failing.hpp"
#include "support/temporary_directory.hpp"
#include "unit/machine/fixture.hpp"

using namespace hrvm;
using namespace hrvm::machine;
using base::ErrorKind;
using Catch::Matchers::Contains;
using Catch::Matchers::Equals;

namespace {

constexpr Purpose purposes_of_layers[] = {Purpose::boot, Purpose::revert, Purpose::exporting, Purpose::checkup};

Machine web() {
  Machine machine;
  machine.name = "web";
  machine.definition.disks[0].path = "/dev/sda";
  return machine;
}

BaseState base_that_is(Drift drift) {
  BaseState base;
  base.drift = drift;
  base.reasons = {"p1 moved"};
  base.disks.emplace_back().path = "/dev/sdb";
  return base;
}

const std::vector<probe::Use> mounted = {
    {probe::UsedBy::loop, "/dev/loop0", false}, {probe::UsedBy::mount, "/my mnt", true}, {probe::UsedBy::dm, "", true}};

std::vector<std::string> heard(const Objections& objections) {
  std::vector<std::string> told;
  heed(objections, true, [&](std::string_view message) { told.emplace_back(message); });
  return told;
}

}  // namespace

TEST_CASE("a base that is what the layers were made on meets no objection, whatever is to be done") {
  for (const auto purpose : purposes_of_layers) CHECK(objections(web(), base_that_is(Drift::none), purpose).empty());
}

TEST_CASE("a base that is missing is an objection that nobody overrides, with its reason") {
  for (const auto purpose : purposes_of_layers) {
    const auto found = objections(web(), base_that_is(Drift::missing), purpose);
    REQUIRE(found.size() == 1);
    CHECK_FALSE(found[0].overridable);
    CHECK(found[0].error.kind() == ErrorKind::not_found);
    CHECK(found[0].error.path() == "/dev/sda");
    CHECK_THAT(found[0].error.message(), Contains("web"));
    CHECK_THROWS_AS(heed(found, true, [](std::string_view) {}), base::Error);
  }
}

TEST_CASE("a base that has changed is an objection that can be overridden, with what moved and the way out") {
  for (const auto purpose : purposes_of_layers) {
    const auto found = objections(web(), base_that_is(Drift::changed), purpose);
    REQUIRE(found.size() == 1);
    CHECK(found[0].overridable);
    CHECK(found[0].error.kind() == ErrorKind::refused);
    CHECK_THAT(found[0].error.message(), Contains("web") && Contains("p1 moved"));
    CHECK_THAT(found[0].error.hint(), Contains("hrvm reset web") || Contains("--force"));
  }
  auto several = web();
  several.definition.disks.emplace_back();
  CHECK_THAT(objections(several, base_that_is(Drift::changed), Purpose::boot)[0].error.message(),
             Equals("a disk of web has changed under its layers: p1 moved"));
}

TEST_CASE("who writes to a disk is an objection, and who only reads it is none") {
  CHECK(objections("/dev/sda", {mounted[0]}, Purpose::boot).empty());
  CHECK(writers_text({mounted[0]}).empty());
  CHECK(writers_text(mounted) == "mounted at /my mnt, held by dm");
  const auto at_boot = objections("/dev/sda", mounted, Purpose::boot);
  REQUIRE(at_boot.size() == 1);
  CHECK(at_boot[0].overridable);
  CHECK(at_boot[0].error.message() == "/dev/sda is in use for writing: mounted at /my mnt");
  CHECK_THAT(at_boot[0].error.hint(), Contains("umount '/my mnt'") && Contains("--force"));
  CHECK_THAT(objections("/dev/sda", mounted, Purpose::import)[0].error.hint(), Contains("--allow-in-use"));
}

TEST_CASE("what ends the uses of a disk is told by their kinds, what lies on top first") {
  using enum probe::UsedBy;
  const probe::Use mounted_there{mount, "/my mnt", true};
  CHECK(way_out({mounted_there}) == "umount '/my mnt', or mount it read-only");
  CHECK(way_out({{dm, "pve-root", true}, mounted_there, mounted_there}) ==
        "umount '/my mnt', then dmsetup remove pve-root");
  CHECK(way_out({{loop, "/dev/loop0", true}, {md, "/dev/md0", true}}) ==
        "mdadm --stop /dev/md0, then losetup --detach /dev/loop0");
  CHECK(way_out({{swap, "/dev/sda2", true}, {zfs, "rpool", true}}) == "zpool export rpool, then swapoff /dev/sda2");
  CHECK(way_out({{qemu, "machine web (process 7)", true, "stop it: hrvm stop web"}}) == "stop it: hrvm stop web");
  CHECK(way_out({{dm, "", true}, {loop, "/dev/loop0", false}}) == "end that use");
  CHECK_THAT(way_out({mounted_there, {mount, "/", true}}), Contains("a rescue system"));
}

TEST_CASE("objections are heeded in their order: the first that stands is thrown, and what is overridden is told") {
  const Objections found = {{base::Error(ErrorKind::refused, "first"), true},
                            {base::Error(ErrorKind::refused, "second"), true}};
  CHECK(heard(found) == std::vector<std::string>{"first", "second"});
  CHECK_THAT(test::error_of([&] { heed(found, false, [](std::string_view) { FAIL("told"); }); }).message(),
             Equals("first"));
}

TEST_CASE("a store that is read-only is an objection that nobody can override") {
  StorageState storage;
  storage.read_only = storage.low_space = true;
  const auto found = objections(storage, "/medium/store");
  REQUIRE(found.size() == 1);
  CHECK(found[0].error.kind() == ErrorKind::permission);
  CHECK_FALSE(found[0].overridable);
  CHECK_THAT(found[0].error.hint(), Contains("--ephemeral --scratch DIR"));
}

TEST_CASE("what is a warning stands in no way, and is told with what to do") {
  BaseState base = base_that_is(Drift::none);
  base.touched = {"/dev/sda was written"};
  auto machine = web();
  std::vector<std::string> told;
  heed(objections(machine, base, Purpose::boot), false, [&](std::string_view text) { told.emplace_back(text); });
  REQUIRE(told.size() == 1);
  CHECK_THAT(told[0], Contains("/dev/sda was written; what was looked at is equal; no SHA-256 of it was taken"));
  machine.definition.disks[0].sha256 = std::string(64, 'a');
  CHECK_THAT(heard(objections(machine, base, Purpose::revert)).at(0), Contains("hrvm verify --full web can tell"));
}

TEST_CASE("a store with too little room is an objection, and one that is nearly full is not") {
  StorageState storage;
  storage.nearly_full = true;
  CHECK(objections(storage, "/store").empty());
  storage.low_space = true;
  CHECK(heard(objections(storage, "/store")).size() == 1);
}

TEST_CASE(
    "a machine whose layer somebody writes is running, and one whose layer is read may boot in a throw-away layer") {
  test::TemporaryDirectory folder;
  auto machine = web();
  machine.folder = folder.path();
  machine.definition.active.layer = "a1";
  const auto& state = machine.definition.active;
  folder.write("layers/a1.qcow2", "");
  const auto fd = sys::open_for_update(machine.active_layer());
  check_not_running(machine, state, false);
  check_unused(machine.folder, "web");

  block::lock_image_for_reading(fd.get(), machine.active_layer());
  check_not_running(machine, state, true);
  CHECK_THAT(test::error_of([&] { check_not_running(machine, state, false); }).message(), Contains("somebody reads"));
  CHECK_THAT(test::error_of([&] { check_unused(machine.folder, "web"); }).message(),
             Contains("somebody reads a layer"));
}

TEST_CASE("a machine does not run beside another that has its UUID") {
  using namespace hrvm::machine::testing;
  TemporaryFolder folder;
  TestHost test_host;
  auto& host = test_host.host;
  host.root = folder.path();
  host.uid = 1000;
  host.environment["XDG_RUNTIME_DIR"] = folder.path() / "run";
  const Store store(host, folder.path() / "store");
  const auto machine = stored(store, "web", fresh_definition());
  CHECK_NOTHROW(check_no_twin_runs(host, store, machine));
  write_file(run_folder(host, machine.definition) / "pid", "4711\n");
  CHECK_NOTHROW(check_no_twin_runs(host, store, machine));
  write_file(folder.path() / "proc/4711/cmdline", "qemu-system-x86_64 -uuid another");
  CHECK_NOTHROW(check_no_twin_runs(host, store, machine));
  write_file(folder.path() / "proc/4711/cmdline", "qemu-system-x86_64 -uuid " + machine.definition.uuid.text());
  try {
    check_no_twin_runs(host, store, machine);
    FAIL("it would run beside its copy");
  } catch (const base::Error& error) {
    CHECK(error.kind() == base::ErrorKind::busy);
    CHECK(error.message() == "another machine with the UUID of web runs (process 4711): one of them is a copy");
  }
  // It is the machine itself that runs, beside which its snapshots may.
  write_file(machine.active_layer(), "");
  const auto layer = sys::open_for_update(machine.active_layer());
  block::lock_image_exclusively(layer.get(), machine.active_layer());
  CHECK_NOTHROW(check_no_twin_runs(host, store, machine));
}
