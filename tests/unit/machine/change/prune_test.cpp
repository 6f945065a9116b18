// Pruning a machine: what stays for the sake of others, and what is shown while layers are merged.
#include "hrvm/machine/prune.hpp"

#include <catch2/catch.hpp>

#include "unit/machine/workshop.hpp"

using namespace hrvm;
using namespace hrvm::machine;
using namespace hrvm::machine::testing;
using Names = std::vector<std::string>;

namespace {

// Nothing stays but for a reason of its own.
RetentionRequest nothing() { return {.counts = {}, .now = at("2026-03-02T00:00:00Z")}; }

void keep_automatically(Workshop& shop, const std::string& name) {
  auto change = plan_snapshot_create(shop.machine(), name, "", shop.drawn());
  mark_automatic(change);
  shop.change(change);
}

Names because(const std::vector<Verdict>& verdicts, const std::string& name) {
  for (const auto& verdict : verdicts)
    if (verdict.name == name) return verdict.because;
  return {"no such snapshot"};
}

void prune(Workshop& shop, const RetentionRequest& request) {
  const auto machine = shop.machine();
  for (const auto& name : in_order_of_removal(machine.definition, plan_prune(machine, request)))
    shop.change(plan_snapshot_prune(shop.machine(), name, shop.drawn()));
}

Names names_of(const Workshop& shop) {
  Names names;
  for (const auto& snapshot : shop.machine().definition.snapshots) names.push_back(snapshot.name);
  return names;
}

}  // namespace

TEST_CASE("pruning a row of snapshots leaves what is shown as it was, in one step of the log") {
  Workshop shop;
  for (char letter = 'a'; letter < 'g'; ++letter) {
    shop.guest_writes(std::uint64_t(letter - 'a') << 16, letter);
    keep_automatically(shop, std::string("auto-") + letter);
  }
  shop.change(plan_snapshot_rename(shop.machine(), "auto-c", "mine", shop.drawn()));
  prune(shop, nothing());
  CHECK(names_of(shop) == Names{"mine"});
  for (char letter = 'a'; letter < 'g'; ++letter) CHECK(shop.guest_reads(std::uint64_t(letter - 'a') << 16) == letter);
  const auto mine = shop.machine().definition.snapshots[0].layer;
  CHECK(shop.shown_by(mine, 0) == 'a');
  CHECK(shop.shown_by(mine, 2 << 16) == 'c');
  CHECK(shop.shown_by(mine, 3 << 16) == 'B');
  const auto& log = shop.machine().definition.log;
  CHECK(log.back().what == "snapshot prune auto-a");
  CHECK(log[log.size() - 2].what == "snapshot rename auto-c mine");
}

TEST_CASE("what holds memory stays, whatever the rules say") {
  Workshop shop;
  shop.guest_writes(0, 'a');
  keep_automatically(shop, "auto-a");
  auto machine = shop.machine();
  machine.definition.snapshots.front().memory = SavedMemory{"00000000000000e1", 1, "pc-q35-7.2", {}};
  CHECK(because(plan_prune(machine, nothing()), "auto-a") == Names{"holds memory"});
}

TEST_CASE("what takes part in a bisect stays") {
  Workshop shop;
  shop.guest_writes(0, 'a');
  keep_automatically(shop, "auto-a");
  const auto machine = shop.machine();
  CHECK(because(plan_prune(machine, nothing(), {machine.definition.snapshots.front().layer}), "auto-a") ==
        Names{"takes part in a bisect"});
  CHECK(because(plan_prune(machine, nothing(), {"00000000000000e9"}), "auto-a").empty());
}

TEST_CASE("what several things lie on loses its name, and a branch that goes as a whole frees it") {
  Workshop shop;
  shop.guest_writes(0, 'a');
  keep_automatically(shop, "fork");
  shop.guest_writes(0, 'b');
  keep_automatically(shop, "branch");
  shop.guest_writes(0, 'c');
  keep_automatically(shop, "leaf");
  shop.change(plan_snapshot_revert(shop.machine(), "fork", true, shop.drawn()));
  shop.snapshot("mine");
  auto verdicts = plan_prune(shop.machine(), nothing());
  CHECK(in_order_of_removal(shop.machine().definition, verdicts) == Names{"leaf", "branch", "fork"});
  shop.change(plan_snapshot_rename(shop.machine(), "leaf", "kept", shop.drawn()));
  prune(shop, nothing());
  const auto fork = shop.machine().definition.snapshots.at(0);
  CHECK(names_of(shop) == Names{nameless(fork.layer), "kept", "mine"});
  CHECK(shop.shown_by(shop.machine().definition.find_snapshot("kept")->layer, 0) == 'c');
  CHECK(shop.guest_reads(0) == 'a');
  CHECK(because(plan_prune(shop.machine(), nothing()), fork.name) == Names{"no such snapshot"});
  shop.remove_snapshot("kept");
  CHECK(names_of(shop) == Names{"mine"});
  CHECK(shop.guest_reads(0) == 'a');
}

TEST_CASE("what a state that is held for undo lies on stays, and what that needs is merged into it") {
  Workshop shop;
  shop.guest_writes(0, 'a');
  keep_automatically(shop, "low");
  shop.guest_writes(1 << 16, 'b');
  keep_automatically(shop, "high");
  shop.guest_writes(2 << 16, 'c');
  shop.reset();
  CHECK(because(plan_prune(shop.machine(), nothing()), "high") == Names{"needed for undo"});
  prune(shop, nothing());
  CHECK(names_of(shop) == Names{"high"});
  shop.undo();
  CHECK(shop.guest_reads(0) == 'a');
  CHECK(shop.guest_reads(1 << 16) == 'b');
  CHECK(shop.guest_reads(2 << 16) == 'c');
}
