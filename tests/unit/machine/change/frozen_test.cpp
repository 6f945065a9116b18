// What becomes of layers that are frozen, and what is seen when somebody else writes to a layer.
#include <fcntl.h>

#include "hrvm/base/error.hpp"
#include "hrvm/image/merge.hpp"
#include "hrvm/machine/layers.hpp"
#include "support/run_program.hpp"
#include "unit/machine/workshop.hpp"

using namespace hrvm;
using namespace hrvm::machine;
using namespace hrvm::machine::testing;

namespace {

// web@one ← web@two ← active.
struct Chain : Workshop {
  Chain() {
    guest_writes(0, '1');
    snapshot("one");
    guest_writes(65536, '2');
    snapshot("two");
  }
  Path layer_of(const std::string& name) const {
    return machine().layer_path(machine().definition.find_snapshot(name)->layer);
  }
  // What a boot, a list say; empty: nothing.
  std::string boot() const {
    return said([&] { store.check_files(machine(), machine().definition.active); });
  }
  std::string list() const {
    return said([&] { store.check_files(machine()); });
  }
  std::string hint() const {
    const auto faults = layer_faults(machine());
    return faults.empty() ? "" : faults.front().hint();
  }

 private:
  template <typename Do>
  static std::string said(Do act) {
    try {
      act();
      return {};
    } catch (const base::Error& error) {
      CHECK(error.kind() == base::ErrorKind::corrupt);
      return error.message();
    }
  }
};

void overwrite(const Path& file, std::string_view bytes) {
  std::fstream stream(file, std::ios::binary | std::ios::in | std::ios::out);
  stream.write(bytes.data(), std::streamsize(bytes.size()));
  REQUIRE(stream.good());
}

}  // namespace

TEST_CASE_METHOD(Chain, "frozen layers are closed to writers, and what they were is kept") {
  CHECK(sys::status(layer_of("one")).mode == 0400);
  CHECK(sys::status(layer_of("two")).mode == 0400);
  CHECK(sys::status(machine().active_layer()).mode == 0600);
  const auto frozen = machine().definition.frozen;
  REQUIRE(frozen.size() == 2);
  CHECK(frozen.at(layer_of("one").stem()).at(0).size_bytes == sys::status(layer_of("one")).size_bytes);
  CHECK(definition_from_json(to_json(machine().definition), "here").frozen == frozen);
  CHECK(boot().empty());
  CHECK(list().empty());
}

TEST_CASE_METHOD(Chain, "zeros over an active layer's header are seen, and what is sound is said") {
  overwrite(machine().active_layer(), std::string(8, '\0'));
  CHECK_THAT(boot(), Catch::StartsWith("the active layer of web is damaged: "));
  CHECK_THAT(list(), Catch::StartsWith("the active layer of web is damaged: "));
  CHECK_THAT(hint(), Catch::Contains("hrvm snapshot revert web@two --discard"));
}

TEST_CASE_METHOD(Chain, "a state that a step holds is what a damaged one goes back to first") {
  revert("one");
  overwrite(machine().active_layer(), std::string(8, '\0'));
  CHECK_THAT(hint(), Catch::Contains("hrvm undo web --step 4"));
}

TEST_CASE_METHOD(Chain, "a layer of another size or on something else is seen") {
  const auto layer = machine().active_layer();
  const auto whole = sys::read_file(layer, 4 << 20);
  test::run_program({"qemu-img", "resize", "-q", layer, "+64M"});
  CHECK_THAT(list(), Catch::Contains("says that the disk has 71303168 bytes, and it has 4194304"));
  write_file(layer, whole);
  CHECK(boot().empty());
  test::run_program({"qemu-img", "rebase", "-q", "-u", "-b", layer_of("one").filename(), "-F", "qcow2", layer});
  CHECK_THAT(list(), Catch::Contains("says that it lies on " + layer_of("one").filename().string()));
  write_file(layer, whole);
  test::run_program({"qemu-img", "rebase", "-q", "-u", "-b", "", layer});
  CHECK_THAT(boot(), Catch::Contains("says that it lies on nothing"));
  write_file(layer, whole);
  CHECK(boot().empty());
}

TEST_CASE_METHOD(Chain, "a write into a frozen layer is seen, in place by its time alone") {
  const auto layer = layer_of("one");
  std::filesystem::permissions(layer, std::filesystem::perms(0600));
  test::run_program({"qemu-io", "-f", "qcow2", "-c", "write -P 9 0 4k", layer});
  CHECK_THAT(boot(), Catch::StartsWith("the layer of web@one is damaged: it was written at "));
  CHECK_THAT(list(), Catch::StartsWith("the layer of web@one is damaged: it was written at "));
  CHECK_THAT(hint(), Catch::Contains("hrvm verify web --layers --record"));
}

TEST_CASE_METHOD(Chain,
                 "a table of a frozen layer that was written is seen, though its size and time are what they were") {
  const auto layer = layer_of("one");
  const auto time = std::filesystem::last_write_time(layer);
  std::filesystem::permissions(layer, std::filesystem::perms(0600));
  test::run_program({"qemu-img", "amend", "-q", "-o", "lazy_refcounts=on", layer});
  std::filesystem::last_write_time(layer, time);
  CHECK_THAT(boot(), Catch::Contains("its header or tables are others than when it was frozen"));
}

TEST_CASE_METHOD(Chain, "a frozen layer out of an archive that keeps whole seconds is what it was") {
  const auto layer = layer_of("one");
  const auto time = std::filesystem::last_write_time(layer);
  std::filesystem::last_write_time(layer, std::chrono::floor<std::chrono::seconds>(time));
  CHECK(boot().empty());
  std::filesystem::last_write_time(layer, std::chrono::floor<std::chrono::seconds>(time) - std::chrono::seconds(1));
  CHECK_FALSE(boot().empty());
}

TEST_CASE_METHOD(Chain, "what was recorded anew is what a layer is held to") {
  const auto layer = layer_of("one");
  std::filesystem::last_write_time(layer, std::filesystem::file_time_type::clock::now() + std::chrono::hours(1));
  CHECK_FALSE(boot().empty());
  const std::string id = layer.stem();
  change(plan_record_layers(machine(), {{id, frozen_files(machine(), id)}}, drawn()));
  CHECK(boot().empty());
}

TEST_CASE_METHOD(Chain, "a merge into a frozen layer leaves it closed, with what it is by then") {
  const auto before = machine().definition.frozen.at(layer_of("two").stem());
  remove_snapshot("one");
  CHECK(sys::status(layer_of("two")).mode == 0400);
  REQUIRE(machine().definition.frozen.size() == 1);
  CHECK(machine().definition.frozen.at(layer_of("two").stem()) != before);
  CHECK(boot().empty());
  CHECK(sys::status(machine().folder / "merging").type == sys::FileType::missing);
  remove_snapshot("two");
  CHECK(machine().definition.frozen.empty());
  CHECK(sys::status(machine().active_layer()).mode == 0600);
}

// Killed between the merge and the commit of `snapshot delete web@one`.
TEST_CASE_METHOD(Chain, "a merge whose commit never came is no damage, and is over with the next delete") {
  std::filesystem::permissions(layer_of("two"), std::filesystem::perms(0600));
  write_file(machine().folder / "merging", layer_of("two").stem().string() + "\n");
  image::merge_parent_into_child(layer_of("one"), layer_of("two"), [](std::uint64_t) {});
  CHECK(boot().empty());
  CHECK(list().empty());
  change(plan_set(machine(), {{"memory", "1G"}}, drawn()));
  CHECK(boot().empty());
  remove_snapshot("one");
  CHECK(sys::status(machine().folder / "merging").type == sys::FileType::missing);
  CHECK(boot().empty());
  std::filesystem::permissions(layer_of("two"), std::filesystem::perms(0600));
  test::run_program({"qemu-io", "-f", "qcow2", "-c", "write -P 9 0 4k", layer_of("two")});
  CHECK_FALSE(boot().empty());
}

TEST_CASE_METHOD(Chain, "of layers that an older hrvm froze nothing is known, and nothing is said") {
  auto definition = machine().definition;
  definition.frozen.clear();
  store.commit("web", definition);
  for (const auto* name : {"one", "two"}) {
    std::filesystem::permissions(layer_of(name), std::filesystem::perms(0600));
    std::filesystem::last_write_time(layer_of(name), std::filesystem::file_time_type::clock::now());
  }
  CHECK(boot().empty());
  snapshot("three");
  CHECK(machine().definition.frozen.size() == 1);
  CHECK(sys::status(layer_of("two")).mode == 0600);
  CHECK(sys::status(layer_of("three")).mode == 0400);
}
