#include "hrvm/machine/move.hpp"

#include <unistd.h>

#include <filesystem>

#include "hrvm/base/error.hpp"
#include "hrvm/machine/bisect.hpp"
#include "hrvm/sys/overlay.hpp"
#include "unit/machine/workshop.hpp"

using namespace hrvm;
using namespace hrvm::machine;
using namespace hrvm::machine::testing;

namespace {

// A folder on another filesystem than the temporary ones.
struct OtherFilesystem {
  sys::Path path = "/dev/shm/hrvm-move-test." + std::to_string(::getpid());
  OtherFilesystem() { sys::make_directories(path); }
  ~OtherFilesystem() { sys::remove_all(path); }
  bool is_other(const sys::Path& than) const { return sys::status(path).device != sys::status(than).device; }
};

void ignore(std::uint64_t) {}

// One snapshot, something held for undo, and the letter a guest wrote in each.
void furnish(Workshop& workshop) {
  workshop.guest_writes(0, '1');
  workshop.snapshot("one");
  workshop.guest_writes(65536, 'h');
  workshop.revert("one");
  workshop.guest_writes(2 * 65536, 'n');
}

char read(const Machine& machine, const std::string& layer, std::uint64_t offset) {
  return char(image::open_image(machine.layer_path(layer), image::ImageFormat::qcow2)->read(offset, 1)[0]);
}

// A machine here, and a store on the other filesystem.
struct WayOut {
  Workshop workshop;
  OtherFilesystem other;
  Machine before = (furnish(workshop), workshop.machine());
  Store to{workshop.host(), other.path / "store"};

  bool is_elsewhere() const {
    const bool other_here = other.is_other(workshop.store.folder());
    if (!other_here) WARN("there is no other filesystem here");
    return other_here;
  }
};

void check_moved(const Workshop& workshop, const Store& to, const Definition& before) {
  CHECK_FALSE(workshop.store.contains("web"));
  const auto moved = to.load("web");
  auto definition = moved.definition;
  CHECK(definition.folder_inode == sys::status(moved.folder).inode);
  definition.folder_inode = before.folder_inode;
  CHECK(to_json(definition) == to_json(before));
  CHECK_NOTHROW(to.check_files(moved));
  CHECK(to.garbage(moved).empty());
  const auto& active = definition.active.layer;
  CHECK(read(moved, active, 0) == '1');
  CHECK(read(moved, active, 65536) == 'B');
  CHECK(read(moved, active, 2 * 65536) == 'n');
  const auto held = definition.held_steps();
  REQUIRE(held.size() == 1);
  CHECK(read(moved, held[0]->held->layer, 65536) == 'h');
}

}  // namespace

TEST_CASE("a machine is moved within a filesystem by a rename") {
  Workshop workshop;
  furnish(workshop);
  const auto before = workshop.machine();
  const auto inode = sys::status(before.active_layer()).inode;
  const Store to(workshop.host(), workshop.store.folder().parent_path() / "other");
  const auto moved = move_machine(workshop.store, before, to, ignore);
  check_moved(workshop, to, before.definition);
  CHECK(sys::status(moved.active_layer()).inode == inode);
}

TEST_CASE_METHOD(WayOut, "a machine is moved to another filesystem by a copy, with the times and modes of its files") {
  if (!is_elsewhere()) return;
  const auto layer = before.definition.snapshots[0].layer;
  const auto original = sys::status(before.layer_path(layer));
  std::uint64_t done = 0;
  const auto moved = move_machine(workshop.store, before, to, [&](std::uint64_t bytes) { done = bytes; });
  check_moved(workshop, to, before.definition);
  CHECK(done > 0);
  const auto copy = sys::status(moved.layer_path(layer));
  CHECK(copy.modified == original.modified);
  CHECK(copy.mode == original.mode);
  CHECK(copy.size_bytes == original.size_bytes);
}

TEST_CASE_METHOD(WayOut, "a search for the snapshot that broke it goes along") {
  if (!is_elsewhere()) return;
  keep_bisect(before, begin_bisect(before, {}, {}));
  const auto moved = move_machine(workshop.store, before, to, ignore);
  CHECK(begun_bisect(moved).states == begin_bisect(moved, {}, {}).states);
}

TEST_CASE_METHOD(WayOut,
                 "a move that is interrupted leaves the machine where it was, and nothing where it would have gone") {
  if (!is_elsewhere()) return;
  const auto interrupt = [](std::uint64_t) { throw base::Error(base::ErrorKind::interrupted, "interrupted"); };
  CHECK_THROWS_AS(move_machine(workshop.store, before, to, interrupt), base::Error);
  CHECK(to.names().empty());
  CHECK(sys::list_directory(to.folder()).empty());
  CHECK(to_json(workshop.machine().definition) == to_json(before.definition));
  CHECK_NOTHROW(workshop.store.check_files(workshop.machine()));
}

TEST_CASE("a move that was cut off when all was there is ended by the next, unless one of the two was used") {
  Workshop workshop;
  furnish(workshop);
  const auto before = workshop.machine();
  const Store to(workshop.host(), workshop.store.folder().parent_path() / "other");
  sys::make_directories(to.folder());
  std::filesystem::copy(before.folder, to.folder() / "web",
                        std::filesystem::copy_options::recursive | std::filesystem::copy_options::copy_symlinks);
  const auto refused = [&] { check_move(workshop.host(), before, to, {true}); };
  try {
    refused();  // the copy is younger
    FAIL("it was taken for a whole copy");
  } catch (const base::Error& error) {
    CHECK(error.kind() == base::ErrorKind::exists);
    CHECK_THAT(error.hint(), Catch::Contains("it was this one"));
  }
  for (const auto& file : before.definition.files())
    sys::set_modified(to.folder() / "web" / file, sys::status(before.folder / file).modified);
  CHECK_NOTHROW(refused());
  move_machine(workshop.store, before, to, ignore);
  CHECK_FALSE(workshop.store.contains("web"));
  CHECK_NOTHROW(to.check_files(to.load("web")));
}
