#include "hrvm/machine/clone.hpp"

#include <catch2/catch.hpp>

#include "hrvm/base/error.hpp"
#include "hrvm/block/image_lock.hpp"
#include "hrvm/machine/layers.hpp"
#include "hrvm/machine/objection.hpp"
#include "unit/machine/workshop.hpp"

using namespace hrvm;
using namespace hrvm::machine;
using namespace hrvm::machine::testing;
using Names = std::vector<std::string>;

namespace {

CloneRequest request_for(std::optional<std::string> snapshot) {
  return {"twin", std::move(snapshot), *base::Guid::parse("11111111-2222-4333-8444-555555555555"), "52:54:00:ab:cd:ef"};
}

const auto no_progress = [](std::uint64_t) {};

// web: low ← high ← the active state, each with a byte of its own.
struct Scene {
  Scene() { shop.two_snapshots(); }
  Clone clone(std::optional<std::string> snapshot, const sys::ProgressCallback& progress = no_progress) {
    const auto request = request_for(std::move(snapshot));
    const auto machine = shop.machine();
    return clone_machine(shop.store, machine, request, plan_clone(machine, request, shop.drawn()), progress);
  }
  void change_twin(const Change& change) { apply(shop.store, shop.store.load("twin"), change, no_progress); }
  // What the three bytes are in the active state of a machine that is as sound as can be.
  std::string shown(const std::string& name) {
    const auto machine = shop.store.load(name);
    CHECK_NOTHROW(shop.store.check_files(machine));
    CHECK(layer_faults(machine).empty());
    auto image = image::open_image(machine.active_layer(), image::ImageFormat::qcow2);
    std::string text;
    for (std::uint64_t at = 0; at < 3; ++at) text += char(image->read(at << 16, 1)[0]);
    return text;
  }
  std::uint64_t inode(const std::string& name, const std::string& snapshot) {
    const auto machine = shop.store.load(name);
    return sys::status(machine.layer_path(machine.definition.find_snapshot(snapshot)->layer)).inode;
  }

  Workshop shop;
};

Names names_of(const Definition& definition) {
  Names names;
  for (const auto& snapshot : definition.snapshots) names.push_back(snapshot.name);
  return names;
}

}  // namespace

TEST_CASE("a clone is planned with the snapshots that it lies on, an identity of its own and no past") {
  const Machine machine{"web", "/store/web", 7, sample_definition()};
  const Drawn drawn = {at("2026-03-01T12:00:00Z"), "00000000000000dd", "00000000000000de"};
  const auto change = plan_clone(machine, request_for("tuned"), drawn);
  const auto next = definition_from_json(to_json(change.definition), "planned");
  CHECK(names_of(next) == Names{"fresh", "tuned"});
  CHECK(next.uuid != machine.definition.uuid);
  CHECK(next.active.head == "tuned");
  CHECK(next.active.hardware.mac == "52:54:00:ab:cd:ef");
  CHECK(next.snapshots[0].hardware.mac == "52:54:00:ab:cd:ef");
  CHECK(next.log.size() == 1);
  CHECK(next.log[0].what == "clone of web@tuned");
  CHECK(next.fingerprints.size() == 1);
  REQUIRE(change.new_layers.size() == 1);
  CHECK(change.new_layers[0].image.backing->path == "00000000000000c2.qcow2");
  REQUIRE(change.nvram_copies.size() == 1);
  CHECK(change.nvram_copies[0].from == "00000000000000f2");

  const auto lower = plan_clone(machine, request_for("fresh"), drawn).definition;
  CHECK(names_of(lower) == Names{"fresh"});
  const auto whole = plan_clone(machine, request_for({}), drawn);
  CHECK(whole.new_layers.empty());
  CHECK(whole.definition.active.layer == machine.definition.active.layer);

  auto on_folder = machine;
  on_folder.definition.disks[0].kind = BaseKind::folder;
  on_folder.definition.disks[0].format = BaseFormat::folder;
  CHECK_THROWS_AS(plan_clone(on_folder, request_for("tuned"), drawn), base::Error);
}

TEST_CASE("a clone of a snapshot shares its layers, and shows what it shows") {
  Scene scene;
  const auto clone = scene.clone("high");
  CHECK(clone.copied_bytes == 0);
  CHECK(clone.shared_bytes > 0);
  CHECK(scene.inode("twin", "high") == scene.inode("web", "high"));
  CHECK(scene.shown("twin") == "abB");
  scene.shop.guest_writes_to(scene.shop.store.load("twin").active_layer(), 0, 'x');
  CHECK(scene.shown("twin") == "xbB");
  CHECK(scene.shown("web") == "abc");
}

TEST_CASE("a merge in one of two machines that share layers writes to no file of the other") {
  Scene scene;
  scene.clone("high");
  const auto shared = scene.inode("twin", "high");
  scene.shop.remove_snapshot("low");
  CHECK(scene.inode("web", "high") != shared);
  CHECK(scene.inode("twin", "high") == shared);
  CHECK(scene.shown("web") == "abc");
  CHECK(scene.shown("twin") == "abB");
  const auto twin = scene.shop.store.load("twin");
  scene.change_twin(plan_snapshot_delete(twin, "high", scene.shop.drawn()));
  CHECK(scene.shown("twin") == "abB");
  CHECK(scene.shown("web") == "abc");
}

TEST_CASE("a layer that two machines share goes with the last of them") {
  Scene scene;
  scene.clone("high");
  scene.shop.store.remove("web");
  CHECK(scene.shown("twin") == "abB");
  const auto twin = scene.shop.store.load("twin");
  scene.change_twin(plan_snapshot_revert(twin, "low", true, draw(scene.shop.host(), scene.shop.store)));
  CHECK(scene.shown("twin") == "aBB");
}

TEST_CASE("a layer that is read for one machine keeps no other that has it from being removed") {
  Scene scene;
  scene.clone("high");
  const auto web = scene.shop.machine();
  const auto reader = block::open_locked_for_reading(web.layer_path(web.definition.find_snapshot("high")->layer));
  CHECK_NOTHROW(check_unused(scene.shop.store.folder() / "twin", "twin"));
  scene.shop.store.remove("twin");
  CHECK_THROWS_AS(check_unused(web.folder, "web"), base::Error);
}

TEST_CASE("a clone of what a machine shows now has a copy of what is not frozen") {
  Scene scene;
  const auto clone = scene.clone({});
  CHECK(clone.copied_bytes > 0);
  CHECK(scene.shown("twin") == "abc");
  scene.shop.guest_writes_to(scene.shop.store.load("twin").active_layer(), 2 << 16, 'x');
  CHECK(scene.shown("web") == "abc");
}

TEST_CASE("a clone that is broken off leaves nothing") {
  Scene scene;
  const auto stop = [](std::uint64_t) { throw base::Error(base::ErrorKind::interrupted, "^C"); };
  CHECK_THROWS_AS(scene.clone({}, stop), base::Error);
  CHECK(scene.shop.store.names() == Names{"web"});
  CHECK(scene.shop.store.unfinished().empty());
  CHECK_NOTHROW(scene.clone({}));
}

TEST_CASE("a clone has no memory of a guest that knows another network card") {
  Scene scene;
  auto web = scene.shop.machine();
  auto& snapshot = web.definition.snapshots.front();
  snapshot.memory = SavedMemory{"00000000000000e1", 1, "pc-q35-7.2", {}};
  snapshot.consistency = Consistency::memory;
  const auto plan = plan_clone(web, {.name = "twin"}, draw(scene.shop.host(), scene.shop.store));
  CHECK_FALSE(plan.definition.snapshots.front().memory);
  CHECK(plan.definition.snapshots.front().consistency == Consistency::crash);
}
