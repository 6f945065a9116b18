// What is found wrong with machines.
#include <chrono>
#include <thread>

#include "unit/doctor/fixture.hpp"

using namespace hrvm;
using doctor::check_base;
using doctor::Status;
using doctor::testing::Fixture;
using doctor::testing::only;

namespace {

// Those that look at the host, whatever it is that runs the tests. All others must pass a machine that is healthy.
constexpr std::string_view of_host[] = {"kvm",      "qemu",     "uefi",     "storage", "space",
                                        "journald", "libvirtd", "virtlogd", "network", "polkit"};

bool is_of_host(std::string_view id) { return std::ranges::find(of_host, id) != std::end(of_host); }

std::vector<Status> statuses(const std::vector<doctor::CheckResult>& results) {
  std::vector<Status> all;
  for (const auto& result : results) all.push_back(result.status);
  return all;
}

}  // namespace

TEST_CASE("an empty store and a healthy machine pass every check of machines, and no check of the host minds it") {
  Fixture empty, healthy;
  healthy.add("web", healthy.definition());
  for (const auto& check : doctor::checks()) {
    INFO(check.id);
    const auto before = check.run(empty.circumstances()), after = check.run(healthy.circumstances());
    CHECK(statuses(after) == statuses(before));
    for (const auto& result : after) CHECK(result.id == check.id);
    if (is_of_host(check.id)) continue;
    const auto result = only(after);
    INFO(result.message);
    CHECK(result.status == Status::ok);
  }
  for (const auto id : of_host) CHECK(std::ranges::count(doctor::checks(), id, &doctor::Check::id) == 1);
}

TEST_CASE("a disk that changed since its layer was made is an error whose remedy is a reset") {
  Fixture fixture;
  fixture.add("web", fixture.definition());
  test::write_gpt(fixture.disk(), {.size_bytes = 8 << 20, .partitions = {{.first_lba = 2048, .last_lba = 8191}}});
  const auto result = only(check_base(fixture.circumstances()));
  CHECK(result.status == Status::error);
  CHECK(result.message.find("web: its disk " + fixture.disk().string() + " has changed") == 0);
  CHECK(result.remedy.find("hrvm reset web") == 0);
}

TEST_CASE("a disk that is gone is an error") {
  Fixture fixture;
  fixture.add("web", fixture.definition());
  std::filesystem::remove(fixture.disk());
  const auto result = only(check_base(fixture.circumstances()));
  CHECK(result.status == Status::error);
  CHECK(result.message == "web: its disk " + fixture.disk().string() + " is not here");
}

TEST_CASE("a definition that is cut off is an error, and the other machines are still examined") {
  Fixture fixture;
  const auto broken = fixture.add("broken", fixture.definition());
  fixture.add("web", fixture.definition());
  fixture.folder.write("store/broken/generations/1.json", "{\"schema\":");
  const auto result = only(doctor::check_definition(fixture.circumstances()));
  CHECK(result.status == Status::error);
  CHECK(result.message.find("broken: ") == 0);
  std::filesystem::remove(fixture.disk());
  CHECK(only(check_base(fixture.circumstances())).message.find("web: ") == 0);
}

TEST_CASE("a machine whose definition is cut off goes back to the generation before, if that knows all layers") {
  Fixture fixture;
  const auto web = fixture.add("web", fixture.definition());
  fixture.store.commit("web", web.definition);
  fixture.folder.write("store/web/generations/2.json", "{\"schema\":");
  fixture.folder.write("store/web/layers/00000000000000a2.qcow2", "made since");
  const auto layer = web.folder / "layers/00000000000000a2.qcow2";
  const auto result = only(doctor::check_definition(fixture.circumstances()));
  CHECK_THAT(result.message, Catch::Contains("generation 1 can be read, which does not know what was made since"));
  CHECK(result.remedy ==
        "keep that elsewhere, and go back: mv " + layer.string() + " ELSEWHERE && hrvm doctor web --fix");
  fix_definition(fixture.circumstances());
  CHECK_THROWS_AS(fixture.store.load("web"), base::Error);

  std::filesystem::remove(layer);
  CHECK(only(doctor::check_definition(fixture.circumstances())).remedy == "go back to it: hrvm doctor web --fix");
  fix_definition(fixture.circumstances());
  CHECK(fixture.store.load("web").generation == 1);
}

TEST_CASE("what a newer hrvm wrote is gone back from only where that machine is named") {
  Fixture fixture;
  const auto web = fixture.add("web", fixture.definition());
  fixture.store.commit("web", web.definition);
  fixture.folder.write("store/web/generations/2.json", "{\"schema\":\"hrvm.machine/99\"}");
  auto at = fixture.circumstances();
  fix_definition(at);
  CHECK_THROWS_AS(fixture.store.load("web"), base::Error);
  at.machine = "web";
  fix_definition(at);
  CHECK(fixture.store.load("web").generation == 1);
}

TEST_CASE(
    "a machine whose folder was copied is told by both names, and the copy that is named gets an identity of its own") {
  Fixture fixture;
  const auto web = fixture.add("web", fixture.definition());
  std::filesystem::copy(web.folder, fixture.store.folder() / "a-copy",
                        std::filesystem::copy_options::recursive | std::filesystem::copy_options::copy_symlinks);
  fixture.folder.write("store/a-copy/libvirt.json", "{}");
  auto at = fixture.circumstances();
  const auto result = only(doctor::check_identity(at));
  CHECK(result.status == Status::error);
  CHECK(result.message.find("a-copy is a copy of web: ") == 0);
  CHECK(result.remedy == "give it its own: hrvm doctor a-copy --fix");
  CHECK_THROWS_AS(doctor::fix_identity(at), base::Error);
  at.machine = "web";
  CHECK(only(doctor::check_identity(at)).message == result.message);
  CHECK_THROWS_AS(doctor::fix_identity(at), base::Error);
  at.machine = "a-copy";
  CHECK(only(doctor::check_identity(at)).message == result.message);
  doctor::fix_identity(at);
  CHECK(only(doctor::check_identity(at)).status == Status::ok);
  const auto copy = fixture.store.load("a-copy");
  CHECK(fixture.store.load("web").generation == 1);
  CHECK(copy.definition.uuid != web.definition.uuid);
  CHECK(copy.definition.active.hardware.mac != web.definition.active.hardware.mac);
  CHECK_FALSE(std::filesystem::exists(copy.folder / "libvirt.json"));
}

// Neither lies where it was made.
TEST_CASE("of two machines in a store that was itself copied the one whose definitions are older is the original") {
  Fixture fixture;
  auto definition = fixture.definition();
  definition.folder_inode = 1;
  const auto web = fixture.add("web", definition);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // the kernel dates files by its ticks
  std::filesystem::copy(web.folder, fixture.store.folder() / "a-copy",
                        std::filesystem::copy_options::recursive | std::filesystem::copy_options::copy_symlinks);
  CHECK(only(doctor::check_identity(fixture.circumstances())).message.find("a-copy is a copy of web: ") == 0);
}

TEST_CASE("a layer whose header is overwritten is an error that says what to do") {
  Fixture fixture;
  const auto machine = fixture.add("web", fixture.definition());
  fixture.folder.write("store/web/" + machine.definition.layer_file(machine.definition.active.layer), "zeros");
  const auto result = only(doctor::check_layers(fixture.circumstances()));
  CHECK(result.status == Status::error);
  CHECK(result.message.find("web: the active layer of web is damaged: ") == 0);
  CHECK(result.remedy.find("hrvm reset web --discard") != std::string::npos);
}

TEST_CASE("a layer that is missing is an error that names the file") {
  Fixture fixture;
  const auto machine = fixture.add("web", fixture.definition());
  std::filesystem::remove(machine.active_layer());
  const auto result = only(doctor::check_definition(fixture.circumstances()));
  CHECK(result.status == Status::error);
  CHECK(result.message.find(machine.active_layer().string()) != std::string::npos);
}

TEST_CASE("with a machine named only that one is examined") {
  Fixture fixture;
  fixture.add("web", fixture.definition());
  fixture.add("other", fixture.definition());
  std::filesystem::remove(fixture.disk());
  auto circumstances = fixture.circumstances();
  CHECK(check_base(circumstances).size() == 2);
  circumstances.machine = "other";
  CHECK(only(check_base(circumstances)).message.find("other: ") == 0);
}

static machine::Definition with_snapshots(const Fixture& fixture, unsigned count) {
  auto definition = fixture.definition();
  std::optional<std::string> parent;
  for (unsigned i = 0; i < count; ++i) {
    machine::Snapshot snapshot{.name = "s" + std::to_string(i), .parent = parent};
    snapshot.layer = "00000000000000b" + std::to_string(i);
    snapshot.hardware = definition.active.hardware;
    parent = snapshot.name;
    definition.snapshots.push_back(snapshot);
  }
  auto mark = definition.fingerprints.extract(definition.active.layer);
  mark.key() = definition.snapshots[0].layer;
  definition.fingerprints.insert(std::move(mark));
  definition.active.head = parent;
  return definition;
}

TEST_CASE("a machine on more than three layers is told which snapshot to delete") {
  Fixture fixture;
  fixture.add("three", with_snapshots(fixture, 2));
  CHECK(only(doctor::check_chain(fixture.circumstances())).status == Status::ok);
  fixture.add("four", with_snapshots(fixture, 3));
  const auto result = only(doctor::check_chain(fixture.circumstances()));
  CHECK(result.status == Status::warning);
  CHECK(result.message.find("four lies on 4 layers") == 0);
  CHECK(result.remedy ==
        "to keep them, make a machine of what it shows now: hrvm export four four.qcow2 && hrvm import four.qcow2; "
        "to give one up: hrvm snapshot delete --discard four@s0");
}

TEST_CASE("growth is tight when what is left is less than what is taken and than what may come") {
  CHECK(doctor::is_tight({.allocated_bytes = 100, .room_bytes = 500, .free_bytes = 50}));
  CHECK_FALSE(doctor::is_tight({.allocated_bytes = 100, .room_bytes = 500, .free_bytes = 100}));
  CHECK_FALSE(doctor::is_tight({.allocated_bytes = 100, .room_bytes = 20, .free_bytes = 50}));
  CHECK_FALSE(doctor::is_tight({}));
}

TEST_CASE("files that others may read are found and closed, folders may be passed through") {
  Fixture fixture;
  const auto machine = fixture.add("web", fixture.definition());
  Fixture::set_mode(machine.folder, 0711);
  CHECK(only(doctor::check_modes(fixture.circumstances())).status == Status::ok);
  Fixture::set_mode(machine.active_layer(), 0640);
  Fixture::set_mode(machine.folder / "layers", 0755);
  const auto result = only(doctor::check_modes(fixture.circumstances()));
  CHECK(result.status == Status::warning);
  CHECK(result.message == "web: others may read " + (machine.folder / "layers").string() + " and 1 more");
  doctor::fix_modes(fixture.circumstances());
  CHECK(only(doctor::check_modes(fixture.circumstances())).status == Status::ok);
  CHECK(sys::status(machine.active_layer()).mode == 0600);
  CHECK(sys::status(machine.folder / "layers").mode == 0711);
}

TEST_CASE("a link in a machine's folder is not followed when modes are put right") {
  Fixture fixture;
  const auto machine = fixture.add("web", fixture.definition());
  const auto outside = fixture.folder.write("outside", "text");
  Fixture::set_mode(outside, 0644);
  std::filesystem::create_symlink(outside, machine.folder / "layers" / "link");
  doctor::fix_modes(fixture.circumstances());
  CHECK(sys::status(outside).mode == 0644);
}

TEST_CASE("files that nothing names are found and removed, those that are named stay") {
  Fixture fixture;
  const auto machine = fixture.add("web", fixture.definition());
  fixture.folder.write("store/web/layers/00000000000000ff.qcow2", "left over");
  fixture.folder.write("store/half/layers/00000000000000fe.qcow2", "an import that did not end");
  const auto found = doctor::check_garbage(fixture.circumstances());
  REQUIRE(found.size() == 2);
  CHECK(found[0].message.find("00000000000000ff.qcow2") != std::string::npos);
  CHECK(found[1].message.find("half") != std::string::npos);
  doctor::fix_garbage(fixture.circumstances());
  CHECK(only(doctor::check_garbage(fixture.circumstances())).status == Status::ok);
  CHECK(sys::status(machine.active_layer()).type == sys::FileType::regular);
}

TEST_CASE("BIOS and 4096-byte sectors do not go together") {
  const auto with = [](std::uint32_t logical, machine::Firmware firmware) {
    Fixture fixture;
    auto definition = fixture.definition();
    definition.disks[0].sectors = {logical, 4096};
    definition.active.hardware.firmware = firmware;
    fixture.add("web", definition);
    return only(doctor::check_sectors(fixture.circumstances()));
  };
  CHECK(with(4096, machine::Firmware::bios).status == Status::error);
  CHECK(with(512, machine::Firmware::bios).status == Status::warning);
  CHECK(with(512, machine::Firmware::bios).remedy == "hrvm boot web --firmware uefi");
  CHECK(with(4096, machine::Firmware::uefi).status == Status::ok);
}

TEST_CASE("a machine that is to start with the host is told while its unit is missing or not enabled") {
  Fixture fixture;
  auto definition = fixture.definition();
  definition.autostart = true;
  fixture.add("web", definition);
  fixture.host.host().root = fixture.folder.path();
  const auto result = [&] { return only(doctor::check_autostart(fixture.circumstances())); };
  CHECK(result().status == Status::warning);
  CHECK(result().message == "web does not start with the host: hrvm@.service is not installed");
  fixture.folder.write("usr/lib/systemd/system/hrvm@.service", "");
  CHECK(result().message == "web does not start with the host: its unit is not enabled");
  CHECK(result().remedy == "hrvm set web autostart=on");  // of a store that is not the units' own
  fixture.folder.write("etc/systemd/system/multi-user.target.wants/hrvm@web.service", "");
  CHECK(result().status == Status::ok);
}

TEST_CASE("a machine that is to have automatic snapshots is told while nothing makes them") {
  Fixture fixture;
  auto definition = fixture.definition();
  definition.auto_snapshot = true;
  fixture.add("web", definition);
  fixture.host.host().root = fixture.folder.path();
  const auto result = [&](bool is_of_units) {
    return only(doctor::check_auto_snapshot(fixture.circumstances(), is_of_units));
  };
  CHECK(result(true).status == Status::ok);  // no systemd
  fixture.folder.write("run/systemd/system/x", "");
  CHECK(result(true).status == Status::warning);
  CHECK(result(true).remedy == "systemctl enable --now hrvm-snapshot.timer");
  CHECK(result(false).status == Status::ok);
  CHECK(only(doctor::check_auto_snapshot(fixture.circumstances())).status == Status::ok);
  fixture.folder.write("etc/systemd/system/timers.target.wants/hrvm-snapshot.timer", "");
  CHECK(result(true).status == Status::ok);
}
