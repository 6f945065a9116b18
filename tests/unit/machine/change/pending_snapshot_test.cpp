// Snapshots of machines that run, and what becomes of those that are cut off.
#include "hrvm/machine/pending_snapshot.hpp"

#include <fcntl.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include "hrvm/base/error.hpp"
#include "hrvm/block/image_lock.hpp"
#include "unit/machine/workshop.hpp"

using namespace hrvm;
using namespace hrvm::machine;
using namespace hrvm::machine::testing;
using Catch::Matchers::Contains;

namespace {

const Drawn drawn = {at("2026-03-01T12:00:00Z"), "00000000000000dd", "00000000000000de"};

Machine sample_of_two_disks() {
  Machine machine{"web", "/store/web", 7, sample_definition()};
  machine.definition.disks.push_back(sample_base());
  return machine;
}

Machine with(Machine machine, const Change& change) {
  definition_from_json(to_json(change.definition), "planned");
  machine.definition = change.definition;
  return machine;
}

Machine pending() {
  const auto machine = sample_of_two_disks();
  return with(machine, plan_pending_snapshot(machine, "next", "while it runs", drawn));
}

// web@one is cut off when its new layers are there.
struct CutOff : Workshop {
  CutOff() {
    guest_writes(0, '1');
    apply(store, machine(), plan_pending_snapshot(machine(), "one", "", this->drawn()), [](std::uint64_t) {});
  }
  Path pending_layer() const { return machine().layer_path(machine().definition.pending->layer); }
  std::optional<Recovery> recovery() const { return recovery_of(look_at_pending(machine())); }
};

// As QEMU has a layer that it may write to.
sys::Fd written(const Path& layer) {
  auto fd = sys::open_file(layer, O_RDWR);
  block::lock_image_exclusively(fd.get(), layer);
  return fd;
}

}  // namespace

TEST_CASE("the layers that a guest is to go on in lie on the active one, of every disk") {
  const auto machine = sample_of_two_disks();
  const auto change = plan_pending_snapshot(machine, "next", "while it runs", drawn);
  REQUIRE(change.new_layers.size() == 2);
  CHECK(change.new_layers[0].image.backing->path == "00000000000000a1.qcow2");
  CHECK(change.new_layers[1].image.backing->path == "00000000000000a1-1.qcow2");
  CHECK(change.definition.active == machine.definition.active);
  CHECK(change.definition.snapshots.size() == 2);
  CHECK(change.definition.log.size() == machine.definition.log.size());
  CHECK(change.discards.empty());
}

TEST_CASE("what a guest had in memory is a file of its snapshot, and goes with it") {
  const auto machine = pending();
  const SavedMemory memory{"00000000000000e1", 12345, "pc-q35-7.2", {{"memory", "512M"}, {"device disk0", "nvme"}}};
  auto after = with(machine, plan_pending_kept(machine, Consistency::memory, drawn, memory));
  const auto files = after.definition.files();
  CHECK(std::ranges::count(files, "memory/00000000000000e1") == 1);
  const auto read = definition_from_json(to_json(after.definition), "written");
  CHECK(read.find_snapshot("next")->memory == memory);
  CHECK(read.find_snapshot("next")->consistency == Consistency::memory);
  const auto renamed = with(after, plan_snapshot_rename(after, "next", "later", drawn));
  CHECK(renamed.definition.find_snapshot("later")->memory == memory);
  const auto gone = plan_snapshot_delete(after, "next", drawn);
  CHECK(std::ranges::count(gone.discards, "memory/00000000000000e1") == 1);
  CHECK_FALSE(gone.definition.find_snapshot("next"));
}

TEST_CASE("no two snapshots have one file of memory, and its machine type is one word") {
  const auto machine = pending();
  const SavedMemory memory{"00000000000000e1", 12345, "pc-q35-7.2", {}};
  auto after = with(machine, plan_pending_kept(machine, Consistency::memory, drawn, memory)).definition;
  after.snapshots.front().memory = memory;
  CHECK_THROWS_WITH(definition_from_json(to_json(after), "written"), Contains("is named twice"));
  after.snapshots.front().memory.reset();
  after.snapshots.back().memory->machine_type = "q35,accel=kvm";
  CHECK_THROWS_WITH(definition_from_json(to_json(after), "written"), Contains("machine type"));
}

TEST_CASE("the guest goes on with its variables, and the snapshot has a copy") {
  const auto machine = pending();
  const auto change = plan_pending_kept(machine, Consistency::frozen, drawn);
  const auto after = with(machine, change).definition;
  const auto& snapshot = *after.find_snapshot("next");
  CHECK(snapshot.layer == "00000000000000a1");
  CHECK(snapshot.nvram == "00000000000000de");
  CHECK(snapshot.parent == "tuned");
  CHECK(snapshot.description == "while it runs");
  CHECK(snapshot.consistency == Consistency::frozen);
  CHECK(after.active == State{"00000000000000dd", "00000000000000f1", sample_hardware(), "next"});
  CHECK_FALSE(after.pending);
  CHECK(after.log.back().what == "snapshot create next");
  CHECK(change.discards.empty());
}

TEST_CASE("a snapshot that is taken back leaves the machine as it was, and no file") {
  const auto machine = pending();
  const auto change = plan_pending_dropped(machine);
  CHECK(base::to_text(to_json(change.definition)) == base::to_text(to_json(sample_of_two_disks().definition)));
  CHECK(change.discards == std::vector<std::string>{"layers/00000000000000dd.qcow2", "layers/00000000000000dd-1.qcow2",
                                                    "nvram/00000000000000de.fd"});
}

TEST_CASE("a snapshot of a machine that runs needs a name that is free") {
  CHECK_THROWS_AS(plan_pending_snapshot(sample_of_two_disks(), "tuned", "", drawn), base::Error);
  CHECK_THROWS_AS(plan_pending_snapshot(sample_of_two_disks(), "a/b", "", drawn), base::Error);
}

TEST_CASE("where QEMU writes and what was written tells whether a snapshot was taken") {
  const PendingLook untouched{}, not_yet{true, false, true}, known_to_qemu{true, true, true};
  const PendingLook taken{false, true, true}, written{false, true, false}, ended{false, false, false};
  CHECK(recovery_of({untouched}) == Recovery::back);
  CHECK(recovery_of({not_yet}) == Recovery::back);
  INFO("QEMU has a layer open for writing as soon as it knows of it");
  CHECK(recovery_of({known_to_qemu}) == Recovery::back);
  CHECK(recovery_of({known_to_qemu, not_yet}) == Recovery::back);
  CHECK(recovery_of({taken}) == Recovery::forward);
  CHECK(recovery_of({written}) == Recovery::forward);
  CHECK(recovery_of({ended}) == Recovery::forward);
  INFO("one disk is enough, the others may not have been written to");
  CHECK(recovery_of({untouched, ended}) == Recovery::forward);
  CHECK(recovery_of({ended, untouched}) == Recovery::forward);
  INFO("QEMU is switching them, or somebody else writes to what is frozen by then");
  CHECK_FALSE(recovery_of({taken, known_to_qemu}));
  CHECK_FALSE(recovery_of({PendingLook{true, true, false}}));
  CHECK_FALSE(recovery_of({PendingLook{true, false, false}}));
}

TEST_CASE_METHOD(CutOff, "before QEMU has switched the machine is as it was") {
  CHECK(recovery() == Recovery::back);
  const auto active = written(machine().active_layer()), pending = written(pending_layer());
  CHECK(run_state(machine()) == RunState::running);
  CHECK(recovery() == Recovery::back);
}

TEST_CASE_METHOD(CutOff, "one that QEMU has not switched to goes with its layers") {
  change(plan_pending_dropped(machine()));
  CHECK(sys::list_directory(machine().folder / "layers").size() == 1);
  CHECK(guest_reads(0) == '1');
}

TEST_CASE_METHOD(CutOff, "a machine whose guest writes to a pending layer runs, and the snapshot is taken") {
  const auto pending = written(pending_layer());
  CHECK(run_state(machine()) == RunState::running);
  CHECK(recovery() == Recovery::forward);
}

TEST_CASE_METHOD(CutOff, "what a guest wrote to a pending layer is there when QEMU is gone") {
  guest_writes_to(pending_layer(), 65536, '2');
  CHECK(recovery() == Recovery::forward);
  CHECK(store.garbage(machine()).empty());
  change(plan_pending_kept(machine(), Consistency::crash, this->drawn()));
  CHECK(guest_reads(0) == '1');
  CHECK(guest_reads(65536) == '2');
  const auto snapshot = machine().definition.snapshots.at(0);
  CHECK(shown_by(snapshot.layer, 65536) == 'B');
  CHECK(sys::status(machine().layer_path(snapshot.layer)).mode == 0400);
  CHECK(machine().definition.frozen.contains(snapshot.layer));
  CHECK(store.load("web").definition.snapshots.at(0).consistency == Consistency::crash);
}
