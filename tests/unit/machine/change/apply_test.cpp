// Changes carried out on real layers, with qemu-io as the guest that writes.
#include <catch2/catch.hpp>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/image/disk_image.hpp"
#include "hrvm/image/merge.hpp"
#include "machine/change/change_apply.hpp"
#include "unit/machine/workshop.hpp"

using namespace hrvm;
using namespace hrvm::machine;
using namespace hrvm::machine::testing;

TEST_CASE("a layer is made with mode 0600 and shows the base") {
  Workshop workshop;
  CHECK(sys::link_status(workshop.machine().active_layer()).mode == 0600);
  CHECK(workshop.guest_reads(0) == 'B');
}

TEST_CASE("what was written is gone after a reset, back after undo, and gone again after a second undo") {
  Workshop workshop;
  workshop.guest_writes(0, 'x');
  workshop.reset();
  CHECK(workshop.guest_reads(0) == 'B');
  workshop.guest_writes(65536, 'y');
  workshop.undo();
  CHECK(workshop.guest_reads(0) == 'x');
  CHECK(workshop.guest_reads(65536) == 'B');
  workshop.undo();
  CHECK(workshop.guest_reads(65536) == 'y');
}

TEST_CASE("a revert shows what the snapshot froze, whatever was written since") {
  Workshop workshop;
  workshop.guest_writes(0, '1');
  workshop.snapshot("one");
  workshop.guest_writes(0, '2');
  workshop.revert("one");
  CHECK(workshop.guest_reads(0) == '1');
  workshop.undo();
  CHECK(workshop.guest_reads(0) == '2');
}

TEST_CASE("deleting snapshots in the middle of a chain changes nothing that is shown") {
  Workshop workshop;
  for (char letter : {'1', '2', '3'}) {
    workshop.guest_writes(std::uint64_t(letter - '1') * 65536, letter);
    workshop.snapshot(std::string(1, letter));
  }
  workshop.guest_writes(3 * 65536, '4');
  for (const auto name : {"2", "1", "3"}) {
    workshop.remove_snapshot(name);
    for (char letter : {'1', '2', '3', '4'}) CHECK(workshop.guest_reads(std::uint64_t(letter - '1') * 65536) == letter);
    CHECK(workshop.guest_reads(4 * 65536) == 'B');
  }
  CHECK(sys::list_directory(workshop.machine().folder / "layers").size() == 1);
}

TEST_CASE("a snapshot that is deleted goes into what is held for undo as well") {
  Workshop workshop;
  workshop.guest_writes(0, '1');
  workshop.snapshot("one");
  workshop.guest_writes(65536, 'h');
  workshop.revert("one");
  workshop.guest_writes(2 * 65536, 'n');
  workshop.remove_snapshot("one");
  CHECK(workshop.guest_reads(0) == '1');
  CHECK(workshop.guest_reads(65536) == 'B');
  CHECK(workshop.guest_reads(2 * 65536) == 'n');
  workshop.undo();
  CHECK(workshop.guest_reads(0) == '1');
  CHECK(workshop.guest_reads(65536) == 'h');
  CHECK(workshop.guest_reads(2 * 65536) == 'B');
  CHECK(sys::list_directory(workshop.machine().folder / "layers").size() == 2);
}

TEST_CASE("a merge whose commit never came does not let a later delete take a layer away") {
  Workshop workshop;
  workshop.guest_writes(0, '1');
  workshop.snapshot("one");
  workshop.guest_writes(65536, '2');
  workshop.snapshot("two");
  // Killed between the merge and the commit of `snapshot delete web@two`: the active layer now lies on "one" itself.
  const auto machine = workshop.machine();
  write_file(machine.folder / "merging", machine.definition.active.layer + "\n");
  image::merge_parent_into_child(machine.layer_path(machine.definition.find_snapshot("two")->layer),
                                 machine.active_layer(), [](std::uint64_t) {});
  workshop.remove_snapshot("one");
  CHECK(workshop.guest_reads(0) == '1');
  CHECK(workshop.guest_reads(65536) == '2');
  CHECK(workshop.shown_by(workshop.machine().definition.find_snapshot("two")->layer, 65536) == '2');
  workshop.remove_snapshot("two");
  CHECK(workshop.guest_reads(0) == '1');
  CHECK(workshop.guest_reads(65536) == '2');
}

TEST_CASE("NVRAM is copied with the state, so that frozen variables stay as they were") {
  Workshop workshop;
  auto definition = workshop.machine().definition;
  definition.active.nvram = "00000000000000f1";
  write_file(workshop.machine().nvram_path("00000000000000f1"), "variables");
  workshop.store.commit("web", definition);
  workshop.snapshot("one");
  const auto machine = workshop.machine();
  write_file(machine.nvram_path(*machine.definition.active.nvram), "changed by a boot");
  CHECK(sys::read_file(machine.nvram_path(*machine.definition.snapshots[0].nvram)) == "variables");
  workshop.revert("one");
  CHECK(sys::read_file(workshop.machine().nvram_path(*workshop.machine().definition.active.nvram)) == "variables");
}

TEST_CASE("a change that fails before its commit leaves the machine as it was") {
  Workshop workshop;
  workshop.guest_writes(0, 'x');
  auto change =
      plan_reset(workshop.machine(), {false, false, sample_fingerprint("as it was", base_bytes)}, workshop.drawn());
  change.nvram_copies.push_back({"00000000000000f9", "00000000000000fa"});  // there is nothing to copy
  CHECK_THROWS_AS(apply(workshop.store, workshop.machine(), change, [](std::uint64_t) {}), base::Error);
  CHECK(workshop.guest_reads(0) == 'x');
  CHECK(workshop.machine().generation == 1);
  CHECK(sys::list_directory(workshop.machine().folder / "layers").size() == 1);
  workshop.reset();
  CHECK(workshop.guest_reads(0) == 'B');
}

TEST_CASE("what a killed merge had reserved goes with the next change, and nothing that was there before it") {
  Workshop workshop;
  workshop.guest_writes(0, '1');
  const auto layer = workshop.machine().active_layer();
  const auto whole = sys::status(layer).size_bytes;
  const auto note = workshop.machine().folder / fmt::format(".merge-{}.tmp", layer.stem().string());
  const auto killed = [&](std::uint64_t noted) {
    std::filesystem::resize_file(layer, whole + (64 << 20));
    write_file(note, fmt::format("{}\n", noted));
    write_file(workshop.machine().folder / "merging", layer.stem().string() + "\n");
  };
  killed(whole - 4096);
  workshop.snapshot("one");
  CHECK(sys::status(layer).size_bytes == base::round_up(whole, 128 * base::KiB));  // the last cluster as a whole
  CHECK(sys::status(note).type == sys::FileType::missing);
  CHECK(workshop.shown_by(layer.stem(), 0) == '1');
  killed(whole + (32 << 20));
  workshop.snapshot("two");
  CHECK(sys::status(layer).size_bytes == whole + (32 << 20));
  CHECK(sys::status(note).type == sys::FileType::missing);
}

TEST_CASE("a merge leaves neither a note nor space that it had reserved") {
  Workshop workshop;
  workshop.guest_writes(0, '1');
  workshop.snapshot("one");
  workshop.guest_writes(65536, '2');
  workshop.remove_snapshot("one");
  for (const auto& name : sys::list_directory(workshop.machine().folder)) CHECK_FALSE(name.starts_with(".merge"));
  CHECK(sys::status(workshop.machine().active_layer()).size_bytes < (8 << 20));
}
