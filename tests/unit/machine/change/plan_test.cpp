#include <catch2/catch.hpp>

#include "hrvm/base/error.hpp"
#include "hrvm/machine/change.hpp"
#include "unit/machine/fixture.hpp"

using namespace hrvm;
using namespace hrvm::machine;
using namespace hrvm::machine::testing;
using base::Error;
using base::ErrorKind;
using Names = std::vector<std::string>;

namespace {

const Drawn drawn = {at("2026-03-01T12:00:00Z"), "00000000000000dd", "00000000000000de"};

// fresh ← tuned ← active; step 2 holds a state on the base.
Machine machine_with(Definition definition) { return {"web", "/store/web", 7, std::move(definition)}; }
Machine sample() { return machine_with(sample_definition()); }

std::optional<State> held(const Definition& definition, std::uint64_t step) { return definition.log.at(step - 1).held; }

Change undo(const Definition& definition) {
  const auto machine = machine_with(definition);
  return plan_undo(machine, held_step(machine, std::nullopt), drawn);
}

ErrorKind kind_thrown_by(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.kind();
  }
  return ErrorKind::external;
}

// Whatever a plan makes must be a document that hrvm accepts.
Change checked(Change change) {
  definition_from_json(to_json(change.definition), "planned");
  return change;
}

Change reset(const Machine& machine, bool keep_nvram = false, bool discard = false) {
  return checked(plan_reset(machine, {keep_nvram, discard, sample_fingerprint("as it is now")}, drawn));
}

}  // namespace

TEST_CASE("a reset puts a new empty layer on the base, with a fingerprint of its own") {
  const auto change = reset(sample());
  REQUIRE(change.new_layers.size() == 1);
  const auto& image = change.new_layers[0].image;
  CHECK(change.new_layers[0].id == drawn.layer_id);
  CHECK(image.backing->path == "/dev/disk/by-id/ata-Disk_S1");
  CHECK(image.backing->format == "raw");
  CHECK(image.virtual_bytes == sample_base().size_bytes);
  CHECK(change.definition.active == State{drawn.layer_id, std::nullopt, sample_hardware(), std::nullopt});
  CHECK(change.definition.fingerprints.at(drawn.layer_id) == sample_fingerprint("as it is now"));
  CHECK(change.definition.fingerprints.at("00000000000000c1") == sample_fingerprint());
}

TEST_CASE("a reset holds what was active for undo, and what older steps hold stays") {
  const auto change = reset(sample());
  REQUIRE(change.definition.log.size() == 3);
  const auto& step = change.definition.log.back();
  CHECK(step.number == 3);
  CHECK(step.when == drawn.now);
  CHECK(step.what == "reset");
  CHECK(step.held == sample_definition().active);
  CHECK(held(change.definition, 2) == held(sample_definition(), 2));
  CHECK(change.discards.empty());
}

TEST_CASE("an empty state is not held in front of another, and undo goes to what was written before") {
  auto empty = drawn;
  empty.is_active_empty = true;
  const ResetRequest request{false, false, sample_fingerprint()};
  auto written = fresh_definition();
  const auto first = checked(plan_reset(machine_with(written), request, drawn));
  auto other = empty;
  other.layer_id = "00000000000000ee";
  const auto second = checked(plan_reset(machine_with(first.definition), request, other));
  CHECK_FALSE(second.definition.log.back().held);
  CHECK(second.discards == Names{"layers/00000000000000dd.qcow2"});
  CHECK(undo(second.definition).definition.active == written.active);
  CHECK(checked(plan_reset(machine_with(written), request, empty)).definition.log.back().held == written.active);

  INFO("where it lies, what hardware it has and its variables are something to go back to");
  auto on_snapshot = sample_definition();
  on_snapshot.active.nvram.reset();
  CHECK(plan_reset(machine_with(on_snapshot), request, empty).definition.log.back().held == on_snapshot.active);
  auto with_variables = first.definition;
  with_variables.active.nvram = "00000000000000f1";
  CHECK(plan_reset(machine_with(with_variables), request, empty).definition.log.back().held == with_variables.active);
  auto larger = on_snapshot;
  larger.active.hardware.cpus = 8;
  larger.snapshots[1].nvram.reset();
  CHECK(plan_snapshot_revert(machine_with(larger), "tuned", false, empty).definition.log.back().held == larger.active);
}

TEST_CASE("a reset that discards keeps nothing for undo") {
  const auto change = reset(sample(), false, true);
  CHECK(change.definition.held_steps().empty());
  CHECK(change.discards ==
        Names{"layers/00000000000000a1.qcow2", "nvram/00000000000000f1.fd", "layers/00000000000000b1.qcow2"});
}

TEST_CASE("snapshots stay through a reset") { CHECK(reset(sample()).definition.snapshots.size() == 2); }

TEST_CASE("NVRAM that is kept through a reset is a copy, so that undo has the old one") {
  const auto change = reset(sample(), true);
  REQUIRE(change.nvram_copies.size() == 1);
  CHECK(change.nvram_copies[0].from == "00000000000000f1");
  CHECK(change.definition.active.nvram == drawn.nvram_id);
  CHECK(change.definition.log.back().held->nvram == "00000000000000f1");
  CHECK(reset(sample()).nvram_copies.empty());
}

TEST_CASE("a base that is no whole number of sectors is rounded up") {
  auto definition = sample_definition();
  definition.disks[0].size_bytes = 1'000'001;
  CHECK(reset(machine_with(definition)).new_layers[0].image.virtual_bytes == 1'000'448);
}

TEST_CASE("new layers have the geometry the machine was imported with") {
  auto definition = sample_definition();
  definition.geometry = image::Geometry::classic();
  const auto image = reset(machine_with(definition)).new_layers[0].image;
  CHECK(image.geometry.cluster_bytes == 65536);
  CHECK_FALSE(image.geometry.extended_l2);
}

TEST_CASE("undo brings back what the step held and holds what was active, and a second undo takes it back") {
  const auto once = checked(undo(sample_definition()));
  CHECK(once.definition.active == held(sample_definition(), 2));
  CHECK_FALSE(held(once.definition, 2));
  CHECK(held(once.definition, 3) == sample_definition().active);
  CHECK(once.definition.log.back().what == "undo of step 2");
  CHECK(once.discards.empty());
  CHECK(once.new_layers.empty());
  const auto twice = checked(undo(once.definition));
  CHECK(twice.definition.active == sample_definition().active);
  CHECK(twice.definition.held_steps().size() == 1);
}

TEST_CASE("each undo goes further back, and what was undone is held as well") {
  Definition definition = fresh_definition();
  std::vector<State> written = {definition.active};
  for (const auto id : {"00000000000000e1", "00000000000000e2", "00000000000000e3"}) {
    Drawn next = drawn;
    next.layer_id = id;
    definition = checked(plan_reset(machine_with(definition), {false, false, sample_fingerprint()}, next)).definition;
    written.push_back(definition.active);
  }
  for (std::size_t back = 3; back-- > 0;) {
    definition = checked(undo(definition)).definition;
    CHECK(definition.active == written[back]);
  }
  INFO("further back there is nothing: the last undo is taken back");
  CHECK(checked(undo(definition)).definition.active == written[1]);
  INFO("by its number each can be reached");
  const auto machine = machine_with(definition);
  const auto newest = checked(plan_undo(machine, held_step(machine, 5), drawn)).definition;
  CHECK(newest.active == written[3]);
  CHECK(newest.log.back().number == 8);
  CHECK(kind_thrown_by([&] { held_step(machine, 1); }) == ErrorKind::not_found);
  CHECK(kind_thrown_by([&] { held_step(machine, 99); }) == ErrorKind::not_found);
}

TEST_CASE("what is held for ninety days goes with the next change, which says so") {
  auto late = drawn;
  late.now = at("2026-05-15T10:59:59Z");
  CHECK(plan_set(sample(), {{"cpus", "3"}}, late).warnings.empty());
  late.now = at("2026-05-15T11:00:00Z");
  const auto change = checked(plan_set(sample(), {{"cpus", "3"}}, late));
  CHECK(change.definition.held_steps().empty());
  CHECK(change.discards == Names{"layers/00000000000000b1.qcow2"});
  REQUIRE(change.warnings.size() == 1);
  CHECK(change.warnings[0] == "what step 2 held for undo (snapshot revert tuned, 2026-02-14) is 90 days old and goes");
  INFO("unless it is what is asked for");
  const auto machine = sample();
  const auto back = checked(plan_undo(machine, held_step(machine, std::nullopt), late));
  CHECK(back.definition.active == held(sample_definition(), 2));
  CHECK(back.warnings.empty());
}

TEST_CASE("of steps that hold nothing the newest stay, and those that hold something") {
  Definition definition = sample_definition();
  for (std::size_t i = 0; i < 2 * most_steps; ++i)
    definition = plan_set(machine_with(definition), {{"cpus", "2"}}, drawn).definition;
  checked({.definition = definition});
  CHECK(definition.log.size() == most_steps + 1);
  CHECK(definition.log.front().number == 2);
  CHECK(definition.log.back().number == 2 + 2 * most_steps);
}

TEST_CASE("what is held can be let go, all of it or that of a step") {
  const auto after = machine_with(reset(sample()).definition);
  const auto one = checked(plan_forget(after, 3, drawn));
  CHECK(one.discards == Names{"layers/00000000000000a1.qcow2", "nvram/00000000000000f1.fd"});
  CHECK(one.definition.active == after.definition.active);
  CHECK(held(one.definition, 2));
  CHECK(checked(plan_forget(after, std::nullopt, drawn)).definition.held_steps().empty());
  CHECK(kind_thrown_by([&] { plan_forget(after, 1, drawn); }) == ErrorKind::not_found);
  CHECK(kind_thrown_by([] { plan_forget(machine_with(fresh_definition()), std::nullopt, drawn); }) ==
        ErrorKind::not_found);
}

TEST_CASE("without a reset or revert there is nothing to undo") {
  CHECK(kind_thrown_by([] { undo(fresh_definition()); }) == ErrorKind::not_found);
}

TEST_CASE("a snapshot freezes the active layer and goes on in a new one that lies on it") {
  const auto change = checked(plan_snapshot_create(sample(), "later", "before the upgrade", drawn));
  const auto& snapshot = *change.definition.find_snapshot("later");
  CHECK(snapshot.layer == "00000000000000a1");
  CHECK(snapshot.nvram == "00000000000000f1");
  CHECK(snapshot.parent == "tuned");
  CHECK(snapshot.description == "before the upgrade");
  CHECK(snapshot.created == drawn.now);
  CHECK(change.definition.active == State{drawn.layer_id, drawn.nvram_id, sample_hardware(), "later"});
  CHECK(change.new_layers[0].image.backing->path == "00000000000000a1.qcow2");
  CHECK(change.new_layers[0].image.backing->format == "qcow2");
  CHECK(change.nvram_copies[0].from == "00000000000000f1");
  INFO("what is held for undo stays");
  CHECK(change.discards.empty());
  CHECK(held(change.definition, 2) == held(sample_definition(), 2));
}

TEST_CASE("the first snapshot takes over the fingerprint of the layer that it froze") {
  const auto change = checked(plan_snapshot_create(machine_with(fresh_definition()), "fresh", "", drawn));
  CHECK(change.definition.fingerprints == fresh_definition().fingerprints);
}

TEST_CASE("a snapshot needs a name that is one and is free") {
  CHECK(kind_thrown_by([] { plan_snapshot_create(sample(), "a/b", "", drawn); }) == ErrorKind::usage);
  CHECK(kind_thrown_by([] { plan_snapshot_create(sample(), "tuned", "", drawn); }) == ErrorKind::exists);
}

TEST_CASE("a revert starts a new empty layer on the snapshot, with its NVRAM and hardware") {
  auto definition = sample_definition();
  definition.snapshots[1].hardware.cpus = 7;
  const auto change = checked(plan_snapshot_revert(machine_with(definition), "tuned", false, drawn));
  CHECK(change.definition.active.head == "tuned");
  CHECK(change.definition.active.hardware.cpus == 7);
  CHECK(change.definition.active.nvram == drawn.nvram_id);
  CHECK(change.nvram_copies[0].from == "00000000000000f2");
  CHECK(change.new_layers[0].image.backing->path == "00000000000000c2.qcow2");
  CHECK(change.definition.log.back().held == sample_definition().active);
}

TEST_CASE("a revert to a snapshot without NVRAM starts without") {
  const auto change = checked(plan_snapshot_revert(sample(), "fresh", false, drawn));
  CHECK_FALSE(change.definition.active.nvram);
  CHECK(change.nvram_copies.empty());
}

TEST_CASE("a snapshot that is not there is told with what was meant") {
  try {
    plan_snapshot_revert(sample(), "tunde", false, drawn);
    FAIL("accepted");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::not_found);
    CHECK(error.hint() == "did you mean web@tuned?");
  }
}

TEST_CASE("deleting the snapshot under the active state merges the two, and the state lies one deeper") {
  const auto change = checked(plan_snapshot_delete(sample(), "tuned", drawn));
  REQUIRE(change.merge);
  CHECK(change.merge->parent == "00000000000000c2");
  CHECK(change.merge->child == "00000000000000a1");
  CHECK(change.definition.active.head == "fresh");
  CHECK(change.discards == Names{"layers/00000000000000c2.qcow2", "nvram/00000000000000f2.fd"});
}

TEST_CASE("deleting the snapshot on the base hands its fingerprint to the child") {
  auto definition = sample_definition();
  definition.fingerprints["00000000000000c1"] = sample_fingerprint("of the first");
  const auto change = checked(plan_snapshot_delete(machine_with(definition), "fresh", drawn));
  CHECK(change.definition.snapshots.size() == 1);
  CHECK_FALSE(change.definition.find_snapshot("tuned")->parent);
  CHECK(change.definition.fingerprints.at("00000000000000c2") == sample_fingerprint("of the first"));
  CHECK_FALSE(change.definition.fingerprints.contains("00000000000000c1"));
}

TEST_CASE("deleting a snapshot that nothing lies on just lets its files go") {
  const auto reset_machine = machine_with(reset(sample(), false, true).definition);
  const auto change = checked(plan_snapshot_delete(reset_machine, "tuned", drawn));
  CHECK_FALSE(change.merge);
  CHECK(change.discards == Names{"layers/00000000000000c2.qcow2", "nvram/00000000000000f2.fd"});
  CHECK(change.warnings.empty());
}

namespace {

// "fresh" with "tuned" and the active state on it.
Machine forked() {
  auto definition = sample_definition();
  definition.active.head = "fresh";
  return machine_with(definition);
}

}  // namespace

TEST_CASE("of a snapshot that several things lie on the name goes, and the layer stays for them") {
  const auto change = checked(plan_snapshot_delete(forked(), "fresh", drawn));
  CHECK_FALSE(change.merge);
  CHECK(change.nameless == "00000000000000c1");
  CHECK(change.discards.empty());
  const auto& next = change.definition;
  CHECK_FALSE(next.find_snapshot("fresh"));
  CHECK(next.snapshots[0].is_nameless());
  CHECK(next.snapshots[0].description.empty());
  CHECK(next.find_snapshot("tuned")->parent == nameless("00000000000000c1"));
  CHECK(next.chain(next.active) == Names{"00000000000000a1", "00000000000000c1"});
  CHECK_FALSE(next.named(next.active.head));
  CHECK(kind_thrown_by([&] { plan_snapshot_delete(machine_with(next), "fresh", drawn); }) == ErrorKind::not_found);
}

TEST_CASE("a layer without a name is merged once a single thing lies on it") {
  const auto named = checked(plan_snapshot_delete(forked(), "fresh", drawn)).definition;
  const auto change = checked(plan_snapshot_delete(machine_with(named), "tuned", drawn));
  REQUIRE(change.merge);
  CHECK(change.merge->parent == "00000000000000c1");
  CHECK(change.merge->child == "00000000000000a1");
  CHECK(change.definition.snapshots.empty());
  CHECK_FALSE(change.definition.active.head);
  CHECK(change.definition.fingerprints.contains("00000000000000a1"));
  CHECK(change.discards ==
        Names{"layers/00000000000000c1.qcow2", "layers/00000000000000c2.qcow2", "nvram/00000000000000f2.fd"});
  CHECK_FALSE(plan_nameless_merge(machine_with(named), drawn));
}

TEST_CASE("a layer without a name goes with the last that lay on it, and what a reset left alone is merged later") {
  const auto named = machine_with(checked(plan_snapshot_delete(forked(), "fresh", drawn)).definition);
  const auto after_reset = machine_with(checked(reset(named, false, true)).definition);
  CHECK(after_reset.definition.snapshots.size() == 2);
  const auto merged = plan_nameless_merge(after_reset, drawn);
  REQUIRE(merged);
  CHECK(checked(*merged).merge->child == "00000000000000c2");
  CHECK(merged->definition.log.size() == after_reset.definition.log.size());
  const auto gone = checked(plan_snapshot_delete(after_reset, "tuned", drawn));
  CHECK_FALSE(gone.merge);
  CHECK(gone.definition.snapshots.empty());
}

TEST_CASE("nothing is merged into what a guest writes to, and what lies deeper is") {
  auto running = drawn;
  running.is_running = true;
  const auto head = checked(plan_snapshot_delete(sample(), "tuned", running));
  CHECK(head.nameless == "00000000000000c2");
  CHECK_FALSE(head.merge);
  CHECK(head.discards == Names{"nvram/00000000000000f2.fd"});
  CHECK_FALSE(plan_nameless_merge(machine_with(head.definition), running));
  CHECK(plan_nameless_merge(machine_with(head.definition), drawn)->merge->child == "00000000000000a1");
  CHECK(checked(plan_snapshot_delete(sample(), "fresh", running)).merge->child == "00000000000000c2");
}

TEST_CASE("what is held for undo lies on a snapshot as any child does") {
  const auto after_reset = machine_with(reset(sample()).definition);
  const auto change = checked(plan_snapshot_delete(after_reset, "tuned", drawn));
  REQUIRE(change.merge);
  CHECK(change.merge->child == "00000000000000a1");
  CHECK(held(change.definition, 3)->head == "fresh");
  CHECK(change.discards == Names{"layers/00000000000000c2.qcow2", "nvram/00000000000000f2.fd"});

  const auto after_revert = machine_with(checked(plan_snapshot_revert(sample(), "tuned", false, drawn)).definition);
  const auto into_both = checked(plan_snapshot_delete(after_revert, "tuned", drawn));
  CHECK(into_both.merge->child == into_both.definition.active.layer);
  CHECK(into_both.definition.active.head == "fresh");
  CHECK(held(into_both.definition, 3)->head == "fresh");
  CHECK(into_both.warnings.empty());

  auto on_folder = after_revert;
  on_folder.definition.disks[0].kind = BaseKind::folder;
  on_folder.definition.disks[0].format = BaseFormat::folder;
  CHECK(plan_snapshot_delete(on_folder, "tuned", drawn).nameless == "00000000000000c2");
  auto empty = drawn;
  empty.is_active_empty = true;
  const auto after_nothing = machine_with(checked(plan_snapshot_revert(sample(), "tuned", false, empty)).definition);
  const auto and_goes = checked(plan_snapshot_delete(after_nothing, "tuned", drawn));
  CHECK(and_goes.merge->child == and_goes.definition.active.layer);
  CHECK(and_goes.definition.held_steps().size() == 1);
  CHECK(and_goes.warnings.size() == 1);

  const auto let_go = machine_with(checked(plan_forget(after_revert, 3, drawn)).definition);
  CHECK_NOTHROW(checked(plan_snapshot_delete(let_go, "tuned", drawn)));
}

namespace {

Change put_away(const Definition& definition, const std::vector<std::string>& names) {
  return checked(plan_snapshot_put_away(machine_with(definition), names, "snapshot delete", drawn));
}

Definition undone(const Definition& definition) { return checked(undo(definition)).definition; }

// In text, as snapshots have no equality.
std::string tree_of(const Definition& definition) {
  const auto json = to_json(definition);
  return base::to_text(json["snapshots"]) + base::to_text(json["active"]) + base::to_text(json["fingerprints"]);
}

Definition with_memory() {
  auto definition = sample_definition();
  auto& tuned = definition.snapshots.at(1);
  tuned.is_auto = true;
  tuned.consistency = Consistency::memory;
  tuned.memory = SavedMemory{"00000000000000e1", 1, "pc-q35-7.2", {}, {}};
  return definition;
}

}  // namespace

TEST_CASE("what is deleted to be undone loses its name alone, and undo gives all of it back") {
  const auto before = with_memory();
  const auto change = put_away(before, {"tuned"});
  CHECK(change.what == "snapshot delete web@tuned");
  CHECK_FALSE(change.merge);
  CHECK(change.discards.empty());
  CHECK(change.nameless == "00000000000000c2");
  const auto& next = change.definition;
  CHECK_FALSE(next.find_snapshot("tuned"));
  CHECK(next.named(next.active.head) == "fresh");
  CHECK(next.chain(next.active) == before.chain(before.active));
  CHECK(next.files().size() == before.files().size());
  CHECK(next.log.back().what == "snapshot delete tuned");
  CHECK(next.holder_of("00000000000000c2") == &next.log.back());

  const auto again = undone(definition_from_json(to_json(next), "as written"));
  CHECK(tree_of(again) == tree_of(before));
  CHECK(again.log.back().is_undo);
  CHECK(again.log.back().restored == Names{"00000000000000c2"});
}

TEST_CASE("nothing is merged that is held for undo, until that is let go of") {
  const auto deleted = put_away(sample_definition(), {"tuned"}).definition;
  CHECK_FALSE(plan_nameless_merge(machine_with(deleted), drawn));
  const auto below = checked(plan_snapshot_delete(machine_with(deleted), "fresh", drawn));
  CHECK(below.merge->child == "00000000000000c2");
  CHECK(tree_of(undone(below.definition)).find("tuned") != std::string::npos);

  const auto let_go = checked(plan_forget(machine_with(deleted), deleted.log.back().number, drawn));
  CHECK(let_go.discards == Names{"nvram/00000000000000f2.fd"});
  const auto merge = plan_nameless_merge(machine_with(let_go.definition), drawn);
  REQUIRE(merge);
  CHECK(checked(*merge).merge->child == "00000000000000a1");
  CHECK(merge->discards == Names{"layers/00000000000000c2.qcow2"});

  auto later = drawn;
  later.now += longest_held;
  const auto old = checked(plan_snapshot_describe(machine_with(deleted), "fresh", "old", later));
  CHECK(old.warnings.size() == 2);
  CHECK(plan_nameless_merge(machine_with(old.definition), drawn));
  CHECK(reset(machine_with(deleted), false, true).definition.held_steps().empty());
  CHECK(plan_nameless_merge(machine_with(put_away(sample_definition(), {"fresh"}).definition), drawn) == std::nullopt);
}

TEST_CASE("a snapshot that nothing lies on stays for undo as well, and goes when that is let go of") {
  const auto alone = reset(sample(), false, true).definition;
  const auto deleted = put_away(alone, {"tuned"});
  CHECK(deleted.discards.empty());
  CHECK(tree_of(undone(deleted.definition)) == tree_of(alone));
  const auto forgotten = checked(plan_forget(machine_with(deleted.definition), std::nullopt, drawn));
  CHECK(forgotten.discards == Names{"layers/00000000000000c2.qcow2", "nvram/00000000000000f2.fd"});
}

TEST_CASE("several deletes are undone one after another, those of one step together, and an undo again") {
  const auto before = sample_definition();
  const auto one = put_away(before, {"tuned"}).definition, both = put_away(one, {"fresh"}).definition;
  CHECK(tree_of(undone(both)) == tree_of(one));
  CHECK(tree_of(undone(undone(both))) == tree_of(before));

  const auto together = put_away(before, {"tuned", "fresh"});
  CHECK(together.what == "snapshot delete web (2 snapshots)");
  CHECK(tree_of(undone(together.definition)) == tree_of(before));

  INFO("another undo goes further back, and with nothing older takes the last one back");
  const auto fresh = checked(plan_forget(sample(), std::nullopt, drawn)).definition;
  const auto change = put_away(fresh, {"tuned"}).definition;
  const auto redone = undone(undone(change));
  CHECK(tree_of(redone) == tree_of(change));
  CHECK(redone.log.back().is_undo);
  CHECK(tree_of(undone(redone)) == tree_of(fresh));
}

TEST_CASE("what an undo gave back and somebody deleted since is not deleted again") {
  const auto back = undone(put_away(sample_definition(), {"tuned"}).definition);
  const auto gone = checked(plan_snapshot_delete(machine_with(back), "tuned", drawn)).definition;
  CHECK_FALSE(gone.log.at(gone.log.size() - 2).can_be_undone());
  const auto held = put_away(back, {"tuned"}).definition;
  CHECK_FALSE(held.log.at(held.log.size() - 2).can_be_undone());
  CHECK(tree_of(undone(held)) == tree_of(back));
}

TEST_CASE("a name that was taken since is in the way of an undo, and what was renamed or made is not") {
  const auto deleted = put_away(sample_definition(), {"tuned"}).definition;
  auto later = drawn;
  later.layer_id = "00000000000000d1";
  later.nvram_id = "00000000000000d2";
  const auto made = checked(plan_snapshot_create(machine_with(deleted), "tuned", "", later)).definition;
  CHECK(kind_thrown_by([&] { undo(made); }) == ErrorKind::exists);
  const auto renamed = checked(plan_snapshot_rename(machine_with(made), "tuned", "other", drawn)).definition;
  const auto back = undone(renamed);
  CHECK(back.find_snapshot("other")->parent == "tuned");
  CHECK(back.find_snapshot("tuned")->parent == "fresh");
}

TEST_CASE("what a step holds is known by its layer, also where a folder's layer was merged into another one") {
  auto definition = sample_definition();
  definition.disks[0].kind = BaseKind::folder;
  definition.disks[0].format = BaseFormat::folder;
  definition.disks[0].size_bytes = 0;
  const auto deleted = put_away(definition, {"tuned"}).definition;
  const auto merged = checked(plan_snapshot_delete(machine_with(deleted), "fresh", drawn));
  CHECK(merged.merge->merged == drawn.layer_id);
  const auto back = undone(merged.definition);
  REQUIRE(back.find_snapshot("tuned"));
  CHECK(back.find_snapshot("tuned")->layer == drawn.layer_id);
  CHECK(back.active.head == "tuned");
}

TEST_CASE("a document whose step holds what no node stands for, or what another holds too, is refused") {
  const auto good = put_away(sample_definition(), {"tuned"}).definition;
  const auto is_refused = [](const Definition& definition) {
    return kind_thrown_by([&] { definition_from_json(to_json(definition), "made up"); }) == ErrorKind::corrupt;
  };
  CHECK_FALSE(is_refused(good));
  auto other = good;
  other.log.back().deleted.front().layer = "00000000000000c9";
  CHECK(is_refused(other));
  other = good;
  other.log.back().deleted.push_back(good.log.back().deleted.front());
  CHECK(is_refused(other));
  other = good;
  other.log.front().deleted = good.log.back().deleted;
  CHECK(is_refused(other));
  other = good;
  other.log.back().deleted.front().name = nameless("00000000000000c2");
  CHECK(is_refused(other));
  other = good;
  other.log.back().deleted.front().parent = "fresh";
  CHECK(is_refused(other));
}

TEST_CASE("a state that was reset away lies on what was deleted since, and both come back") {
  const auto before = reset(sample()).definition;
  const auto deleted = put_away(before, {"tuned"}).definition;
  const auto reverted = undone(undone(deleted));
  CHECK(reverted.active == sample_definition().active);
}

TEST_CASE("a disk that grew gets layers of its size from a reset on, and what lies on older ones keeps theirs") {
  auto definition = sample_definition();
  const auto before = definition.disks[0].size_bytes;
  for (auto& each : definition.fingerprints) each.second.marks[0].value = fmt::format("{} bytes", before);
  Fingerprint grown = sample_fingerprint("grown");
  grown.marks[0].value = fmt::format("{} bytes", 2 * before);
  const auto change = checked(plan_reset(machine_with(definition), {false, false, grown, {2 * before}}, drawn));
  CHECK(change.new_layers[0].image.virtual_bytes == 2 * before);
  CHECK(change.definition.disks[0].size_bytes == 2 * before);
  CHECK(change.warnings.size() == 1);
  auto later = drawn;
  later.layer_id = "00000000000000ee";
  later.nvram_id = "00000000000000ef";
  const auto back = checked(plan_snapshot_revert(machine_with(change.definition), "tuned", false, later));
  CHECK(back.new_layers[0].image.virtual_bytes == before);
  CHECK(back.definition.disk_bytes(back.definition.chain(back.definition.active).back(), 0) == before);
}

TEST_CASE("a base that lies elsewhere is the one that the layers were made on, or is refused") {
  auto definition = sample_definition();
  const auto old_path = definition.disks[0].path;
  auto there = definition.disks[0];
  there.path = there.stable_path = "/moved/web.img";
  definition.fingerprints["00000000000000b1"].marks[1].value = "of another time";
  definition.fingerprints["00000000000000c1"].marks.push_back({old_path + ": header and tables", "1"});
  auto now = sample_fingerprint();
  now.marks.push_back({"/moved/web.img: header and tables", "1"});
  now.traces = {{"/moved/web.img: modified", "later"}};
  const auto change = checked(plan_move_base(machine_with(definition), there, now, drawn));
  const auto& next = change.definition;
  CHECK(next.disks[0].path == "/moved/web.img");
  CHECK(next.disks[0].former_paths == Names{old_path, definition.disks[0].stable_path});
  CHECK(next.fingerprints.at("00000000000000c1").marks.back().what == "/moved/web.img: header and tables");
  CHECK(next.fingerprints.at("00000000000000c1").traces == now.traces);
  CHECK(next.fingerprints.at("00000000000000b1").traces.empty());
  CHECK(change.new_layers.empty());

  now.marks[1].value = "another";
  CHECK(kind_thrown_by([&] { plan_move_base(machine_with(definition), there, now, drawn); }) == ErrorKind::refused);
  there.kind = BaseKind::image;
  CHECK(kind_thrown_by([&] { plan_move_base(machine_with(definition), there, now, drawn); }) == ErrorKind::refused);
}

TEST_CASE("a renamed snapshot keeps its place in the tree") {
  auto definition = sample_definition();
  definition.log[1].held->head = "fresh";
  definition.fingerprints.erase("00000000000000b1");
  const auto renamed = checked(plan_snapshot_rename(machine_with(definition), "fresh", "first", drawn)).definition;
  CHECK(renamed.find_snapshot("tuned")->parent == "first");
  CHECK(held(renamed, 2)->head == "first");
  CHECK_FALSE(renamed.find_snapshot("fresh"));
  CHECK(checked(plan_snapshot_rename(sample(), "tuned", "t", drawn)).definition.active.head == "t");
  CHECK(kind_thrown_by([] { plan_snapshot_rename(sample(), "tuned", "fresh", drawn); }) == ErrorKind::exists);
  CHECK(kind_thrown_by([] { plan_snapshot_rename(sample(), "nope", "x", drawn); }) == ErrorKind::not_found);
}

TEST_CASE("a plan as JSON names every file that comes and goes") {
  const auto json = to_json(plan_snapshot_delete(sample(), "tuned", drawn));
  CHECK(json["what"].text() == "snapshot delete web@tuned");
  CHECK(json.at_path("merges.into").text() == "layers/00000000000000a1.qcow2");
  CHECK(json["creates"].is_array());
  CHECK(json["discards"].items().size() == 2);
}

TEST_CASE("a setting changes the active hardware alone, and is told among the reasons once") {
  const auto machine = sample();
  const auto change = checked(plan_set(machine, {{"memory", "3G"}, {"bus", "nvme"}, {"clock", "localtime"}}, drawn));
  const auto& active = change.definition.active;
  CHECK(active.hardware.memory_bytes == 3 * base::GiB);
  CHECK(active.hardware.bus == Bus::nvme);
  CHECK(active.hardware.clock == Clock::localtime);
  CHECK(active.layer == machine.definition.active.layer);
  CHECK(change.definition.snapshots[0].hardware == machine.definition.snapshots[0].hardware);
  CHECK(change.new_layers.empty());
  CHECK(change.discards.empty());
  const auto again = plan_set(machine_with(change.definition), {{"memory", "4G"}}, drawn);
  const auto& because = again.definition.active.hardware.because;
  CHECK(std::count(because.begin(), because.end(), "memory as set") == 1);
}

TEST_CASE("what is no setting, or cannot be its value, is wrong usage") {
  for (const auto& [key, value] : std::vector<std::pair<std::string, std::string>>{{"memory", "3"},
                                                                                   {"memory", "much"},
                                                                                   {"cpus", "0"},
                                                                                   {"bus", "floppy"},
                                                                                   {"net", "bridge="},
                                                                                   {"cpu", "a b"},
                                                                                   {"hyperv", "yes"},
                                                                                   {"mac", "52:54:00:00:00:01"}})
    CHECK(kind_thrown_by([&] { plan_set(sample(), {{key, value}}, drawn); }) == ErrorKind::usage);
  CHECK(plan_set(sample(), {{"cpu", "host,-vmx"}}, drawn).definition.active.hardware.cpu == "host,-vmx");
  CHECK(plan_set(sample(), {{"cpu", "auto"}}, drawn).definition.active.hardware.cpu.empty());
  CHECK(plan_set(sample(), {{"description", "a=b"}}, drawn).definition.description == "a=b");
}
