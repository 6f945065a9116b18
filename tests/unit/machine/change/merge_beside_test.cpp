#include "hrvm/machine/merge_beside.hpp"

#include <catch2/catch.hpp>

#include "hrvm/base/error.hpp"
#include "hrvm/block/image_lock.hpp"
#include "hrvm/machine/layers.hpp"
#include "machine/store/store_layout.hpp"
#include "unit/machine/workshop.hpp"

using namespace hrvm;
using namespace hrvm::machine;
using namespace hrvm::machine::testing;

namespace {

const std::string id = "00000000000000e5";

// low ← high ← the active state, each with a byte of its own, and the plan of low's removal.
struct Scene {
  Scene() {
    shop.two_snapshots();
    low = shop.machine().layer_path(shop.machine().definition.snapshots[0].layer);
    high = shop.machine().layer_path(shop.machine().definition.snapshots[1].layer);
    auto drawn = shop.drawn();
    drawn.is_running = true;
    change = plan_snapshot_delete(shop.machine(), "low", drawn);
  }

  void merge(const sys::ProgressCallback& progress = [](std::uint64_t) {}) {
    merge_beside(shop.machine(), *change.merge, id, progress);
  }
  void check_shown() {
    const auto layer = change.merge->child;
    CHECK(shop.shown_by(layer, 0) == 'a');
    CHECK(shop.shown_by(layer, 1 << 16) == 'b');
    CHECK(shop.shown_by(layer, 2 << 16) == 'B');
    for (const char letter : {'a', 'b', 'c'}) CHECK(shop.guest_reads(std::uint64_t(letter - 'a') << 16) == letter);
  }
  // As any command finds it.
  void check_loads() {
    CHECK_NOTHROW(shop.store.check_files(shop.machine()));
    CHECK(layer_faults(shop.machine()).empty());
  }

  Workshop shop;
  Path low, high;
  Change change;
};

}  // namespace

TEST_CASE("a merge beside gives the child's name to another file, and leaves the old ones to who reads them") {
  Scene scene;
  const auto old = sys::open_file(scene.high, 0);
  const auto before = sys::status(scene.high), parent = sys::status(scene.low);
  const auto bytes = sys::read_file(scene.high);
  scene.merge();
  const auto after = sys::status(scene.high);
  CHECK(after.inode != before.inode);
  CHECK(after.mode == before.mode);
  CHECK(sys::read_file(Path("/proc/self/fd") / std::to_string(old.get())) == bytes);
  CHECK(sys::status(scene.low).modified == parent.modified);
  scene.check_shown();
  scene.check_loads();
  scene.shop.change(scene.change);
  CHECK(sys::status(scene.low).type == sys::FileType::missing);
  CHECK(merging_layers(scene.shop.machine().folder).empty());
  scene.check_shown();
  scene.check_loads();
}

TEST_CASE("a merge beside that was not committed is not made again, and neither is one on disk") {
  Scene scene;
  scene.merge();
  const auto inode = sys::status(scene.high).inode;
  scene.merge();
  CHECK(sys::status(scene.high).inode == inode);
  scene.shop.remove_snapshot("low");
  CHECK(sys::status(scene.high).inode == inode);
  scene.check_shown();
  scene.check_loads();
}

TEST_CASE("a merge beside that is broken off leaves nothing") {
  Scene scene;
  const auto inode = sys::status(scene.high).inode;
  CHECK_THROWS_AS(scene.merge([](std::uint64_t) { throw base::Error(base::ErrorKind::interrupted, "^C"); }),
                  base::Error);
  CHECK(sys::status(scene.high).inode == inode);
  CHECK(scene.shop.store.garbage(scene.shop.machine()).empty());
  CHECK(merging_layers(scene.shop.machine().folder).empty());
  scene.check_shown();
}

TEST_CASE("a merge beside minds no readers, which one in place does") {
  Scene scene;
  const auto reader = block::open_locked_for_reading(scene.low);
  const auto other = block::open_locked_for_reading(scene.high);
  CHECK_THROWS_AS(apply(scene.shop.store, scene.shop.machine(), scene.change, [](std::uint64_t) {}), base::Error);
  CHECK_NOTHROW(scene.merge());
  scene.check_shown();
}

TEST_CASE("a merge beside takes at most what both layers take") {
  Scene scene;
  CHECK(bytes_of_merge_beside(scene.shop.machine(), *scene.change.merge) ==
        sys::status(scene.low).allocated_bytes + sys::status(scene.high).allocated_bytes);
}
