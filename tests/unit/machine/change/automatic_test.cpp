// Snapshots that a timer makes: their names, whether there is anything to keep, and their steps in the log.
#include <catch2/catch.hpp>

#include "hrvm/machine/change.hpp"
#include "unit/machine/workshop.hpp"

using namespace hrvm;
using namespace hrvm::machine;
using namespace hrvm::machine::testing;

namespace {

void keep_automatically(Workshop& shop) {
  const auto machine = shop.machine();
  const auto drawn = shop.drawn();
  auto change = plan_snapshot_create(machine, automatic_name(machine.definition, drawn.now), "", drawn);
  mark_automatic(change);
  shop.change(change);
}

std::string unchanged(const Workshop& shop) {
  const auto machine = shop.machine();
  const auto* since = unchanged_since(machine);
  return since ? since->name : "changed";
}

std::vector<std::string> log_of(const Workshop& shop) {
  std::vector<std::string> all;
  for (const auto& step : shop.machine().definition.log) all.push_back(step.what);
  return all;
}

}  // namespace

TEST_CASE("an automatic snapshot is named by the time in UTC, and one that is taken gets a number") {
  auto definition = sample_definition();
  const auto now = at("2026-11-28T16:15:00Z");
  CHECK(automatic_name(definition, now) == "auto-20261128T161500Z");
  definition.snapshots[0].name = "auto-20261128T161500Z";
  CHECK(automatic_name(definition, now) == "auto-20261128T161500Z-2");
  definition.snapshots[1].name = "auto-20261128T161500Z-2";
  CHECK(automatic_name(definition, now) == "auto-20261128T161500Z-3");
  CHECK(is_snapshot_name(automatic_name(definition, now)));
}

TEST_CASE("a machine is unchanged since an automatic snapshot until something is written") {
  Workshop shop;
  CHECK(unchanged(shop) == "changed");
  shop.snapshot("mine");
  CHECK(unchanged(shop) == "changed");
  keep_automatically(shop);
  const auto first = shop.machine().definition.snapshots.back();
  CHECK(first.is_auto);
  CHECK_FALSE(shop.machine().definition.find_snapshot("mine")->is_auto);
  CHECK(unchanged(shop) == first.name);
  shop.snapshot("of-the-same");
  CHECK(unchanged(shop) == first.name);
  shop.guest_writes(0, 'x');
  CHECK(unchanged(shop) == "changed");
  shop.snapshot("later");
  CHECK(unchanged(shop) == "changed");
  shop.revert(first.name);
  CHECK(unchanged(shop) == first.name);
}

TEST_CASE("another hardware, or another UEFI variable, is a change too") {
  Workshop shop;
  keep_automatically(shop);
  shop.change(plan_set(shop.machine(), {{"memory", "512M"}}, shop.drawn()));
  CHECK(unchanged(shop) == "changed");
  keep_automatically(shop);
  CHECK(unchanged(shop) != "changed");
  auto definition = shop.machine().definition;
  definition.active.nvram = "00000000000000f1";
  write_file(shop.machine().nvram_path("00000000000000f1"), "variables");
  shop.store.commit("web", definition);
  CHECK(unchanged(shop) == "changed");
  keep_automatically(shop);
  CHECK(unchanged(shop) != "changed");
  write_file(shop.machine().nvram_path(*shop.machine().definition.active.nvram), "others");
  CHECK(unchanged(shop) == "changed");
}

TEST_CASE("of a timer's steps in a row the log keeps the last, and all of a person's") {
  Workshop shop;
  keep_automatically(shop);
  shop.guest_writes(0, 'x');
  keep_automatically(shop);
  const auto first = shop.machine().definition.snapshots.back().name;
  CHECK(log_of(shop) == std::vector<std::string>{"import", "snapshot create --auto " + first});
  shop.snapshot("mine");
  shop.guest_writes(0, 'y');
  keep_automatically(shop);
  shop.guest_writes(0, 'z');
  keep_automatically(shop);
  const auto last = shop.machine().definition.snapshots.back().name;
  CHECK(log_of(shop) == std::vector<std::string>{"import", "snapshot create --auto " + first, "snapshot create mine",
                                                 "snapshot create --auto " + last});
}

TEST_CASE("an automatic snapshot that is renamed is a person's") {
  Workshop shop;
  keep_automatically(shop);
  const auto name = shop.machine().definition.snapshots.back().name;
  shop.change(plan_snapshot_rename(shop.machine(), name, "good", shop.drawn()));
  CHECK_FALSE(shop.machine().definition.find_snapshot("good")->is_auto);
}
