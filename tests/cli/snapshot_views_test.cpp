// snapshot list, tree and rename: what there is, and by what name.
#include <catch2/catch.hpp>

#include "cli/machine_fixture.hpp"

using namespace hrvm;
using test::MachineStore;

// fresh ← tuned ← try, and fresh ← (now); what was on try is kept for undo.
static void make_web(MachineStore& store) {
  store.add("web");
  store.snapshot("web", "fresh", "just installed");
  store.host().now += std::chrono::hours(25);
  store.snapshot("web", "tuned");
  store.snapshot("web", "try", "with\ta tab");
  store.revert("web", "fresh");
}

TEST_CASE("snapshot list tells each snapshot, what it lies on, and where the machine is") {
  MachineStore store;
  make_web(store);
  auto transcript = store.transcript("snapshot_list/snapshots");
  transcript.run({"snapshot", "list", "web"});
  transcript.run({"snapshot", "list", "web", "--plain"});
  transcript.run({"snapshot", "list", "web", "--json"});
  transcript.check();
}

TEST_CASE("a machine without snapshots is told how to make one") {
  MachineStore store;
  store.add("web");
  auto transcript = store.transcript("snapshot_list/none");
  transcript.run({"snapshot", "list", "web"});
  transcript.run({"snapshot", "list", "web", "--json"});
  transcript.run({"snapshot", "list", "web@fresh"});
  transcript.run({"snapshot", "tree", "web"});
  transcript.check();
}

TEST_CASE("snapshot tree draws what lies on what, with the active state and what undo would bring") {
  MachineStore store;
  make_web(store);
  auto transcript = store.transcript("snapshot_tree/tree");
  transcript.run({"snapshot", "tree", "web"});
  transcript.run({"snapshot", "tree", "web", "--plain"});
  transcript.check();
  const auto tree = store.json({"snapshot", "tree", "web"})["tree"];
  const auto& fresh = tree.items().at(0);
  CHECK(fresh["name"] == "fresh");
  CHECK(fresh["children"].items().at(0)["children"].items().at(0)["name"] == "try");
  CHECK(fresh["children"].items().size() == 1);
}

TEST_CASE("snapshot rename changes the name wherever it stands, and no file") {
  MachineStore store;
  make_web(store);
  const auto files = store.machine("web").definition.files();
  auto transcript = store.transcript("snapshot_rename/done");
  transcript.run({"snapshot", "rename", "web@fresh", "first", "--dry-run"});
  transcript.run({"snapshot", "rename", "web@fresh", "@first"});
  transcript.check();
  const auto definition = store.machine("web").definition;
  CHECK(definition.active.head == "first");
  CHECK(definition.find_snapshot("tuned")->parent == "first");
  CHECK(definition.files() == files);
}

TEST_CASE("a snapshot gets no name that is taken, none, or another machine's") {
  MachineStore store;
  make_web(store);
  auto transcript = store.transcript("snapshot_rename/bad_names");
  transcript.run({"snapshot", "rename", "web@fresh", "tuned"});
  transcript.run({"snapshot", "rename", "web@fresh", "a/b"});
  transcript.run({"snapshot", "rename", "web@fresh", "db@first"});
  transcript.run({"snapshot", "rename", "web@none", "first"});
  transcript.run({"snapshot", "rename", "web", "first"});
  transcript.check();
}

TEST_CASE("a snapshot can be renamed while the machine runs") {
  MachineStore store;
  make_web(store);
  const auto running = store.runs("web");
  CHECK(store.run({"snapshot", "rename", "web@try", "web@experiment"}) == 0);
  CHECK(store.machine("web").definition.find_snapshot("experiment"));
}

TEST_CASE("snapshot create --auto draws a name, and makes none where nothing changed since") {
  MachineStore store;
  store.add("web");
  store.host().now += std::chrono::seconds(1);
  auto transcript = store.transcript("snapshot/automatic");
  CHECK(transcript.run({"snapshot", "create", "web", "--auto", "--dry-run"}) == 0);
  CHECK(transcript.run({"snapshot", "create", "web", "--auto", "-m", "by the timer"}) == 0);
  CHECK(transcript.run({"snapshot", "create", "web", "--auto"}) == 0);
  CHECK(transcript.run({"snapshot", "create", "web", "--auto", "--dry-run"}) == 0);
  CHECK(transcript.run({"snapshot", "create", "web", "--auto", "--json"}) == 0);
  CHECK(transcript.run({"snapshot", "create", "web", "--auto", "--quiet"}) == 0);
  CHECK(transcript.run({"snapshot", "create", "web@mine", "--auto"}) == 2);
  store.guest_writes("web", 0, 'x');
  CHECK(transcript.run({"snapshot", "create", "web", "--auto", "--quiet"}) == 0);
  CHECK(transcript.run({"snapshot", "rename", "web@auto-20260214T094108Z", "good"}) == 0);
  CHECK(transcript.run({"snapshot", "list", "web", "--quiet"}) == 0);
  transcript.check();
  const auto machine = store.json({"show", "web"})["machines"].items().at(0);
  const auto& snapshots = machine["snapshots"].items();
  CHECK(snapshots.at(0)["auto"] == false);
  CHECK(snapshots.at(0)["children"] == base::Json(std::vector<std::string>{"auto-20260214T094108Z-2"}));
  CHECK(snapshots.at(1)["auto"] == true);
  CHECK(snapshots.at(1)["children"].items().empty());
}

TEST_CASE("snapshot show tells all about snapshots, and describe says what one is for, also while it runs") {
  MachineStore store;
  make_web(store);
  const auto running = store.runs("web");
  auto transcript = store.transcript("snapshot_show/and_describe");
  CHECK(transcript.run({"snapshot", "show", "web@fresh"}) == 0);
  CHECK(transcript.run({"snapshot", "describe", "web@fresh", "-m", "as\x1b[2J it was", "--dry-run"}) == 0);
  CHECK(transcript.run({"snapshot", "describe", "web@fresh", "-m", "as\x1b[2J it was"}) == 0);
  CHECK(transcript.run({"snapshot", "describe", "web@try", "--message="}) == 0);
  CHECK(transcript.run({"snapshot", "describe", "web@try"}) == 2);
  CHECK(transcript.run({"snapshot", "describe", "web@tyr", "-m", "x"}) == 1);
  CHECK(transcript.run({"snapshot", "show", "web@fresh", "web@none", "web@try", "--plain"}) == 1);
  CHECK(transcript.run({"snapshot", "show", "web@fresh", "--json"}) == 0);
  transcript.check();
  CHECK(store.machine("web").definition.find_snapshot("try")->description.empty());
}

TEST_CASE("snapshot delete takes several, what lies on another of them first, and asks once") {
  MachineStore store;
  make_web(store);
  store.revert("web", "fresh");
  REQUIRE(store.run({"undo", "web", "--discard", "--yes"}) == 0);
  auto transcript = store.transcript("snapshot_delete/several");
  CHECK(transcript.run({"snapshot", "delete", "web@fresh", "--discard", "--dry-run"}) == 0);
  CHECK(transcript.run({"snapshot", "delete", "web@fresh", "web@tuned", "web@try", "--discard", "--dry-run"}) == 0);
  CHECK(transcript.run({"snapshot", "delete", "web@fresh", "web@tuned", "web@try", "--dry-run"}) == 0);
  CHECK(transcript.run({"snapshot", "delete", "web@fresh", "web@none", "--yes"}) == 1);
  CHECK(transcript.run({"snapshot", "delete", "web@fresh", "web@tuned"}) == 2);
  CHECK(store.machine("web").definition.snapshots.size() == 3);
  CHECK(transcript.run({"snapshot", "delete", "web@fresh", "web@tuned", "web@try", "--discard", "--yes", "--plain"}) ==
        0);
  CHECK(store.machine("web").definition.snapshots.empty());
  transcript.check();
}

TEST_CASE("snapshot flatten merges what has no name, once a single thing lies on it") {
  MachineStore store;
  store.add("web");
  for (const auto* name : {"one", "two", "three"}) {
    store.guest_writes("web", 0, 'x');
    store.snapshot("web", name);
  }
  REQUIRE(store.run({"snapshot", "revert", "web@two"}) == 0);
  auto transcript = store.transcript("snapshot_flatten/layers");
  // A filesystem that puts off where data go counts a block more, or less.
  transcript.replace("272 KiB", "27x KiB");
  transcript.replace("276 KiB", "27x KiB");
  CHECK(transcript.run({"snapshot", "flatten", "web"}) == 0);
  REQUIRE(store.run({"snapshot", "delete", "web@two", "--discard", "--yes"}) == 0);
  CHECK(transcript.run({"snapshot", "flatten", "web"}) == 0);
  REQUIRE(store.run({"reset", "web", "--discard", "--yes"}) == 0);
  REQUIRE(store.run({"snapshot", "revert", "web@three", "--discard", "--yes"}) == 0);
  CHECK(transcript.run({"snapshot", "tree", "web"}) == 0);
  CHECK(transcript.run({"snapshot", "flatten", "web", "--depth", "9", "--dry-run"}) == 0);
  CHECK(transcript.run({"snapshot", "flatten", "web", "--dry-run"}) == 0);
  CHECK(transcript.run({"snapshot", "flatten", "web", "--json"}) == 0);
  CHECK(transcript.run({"snapshot", "flatten", "web"}) == 0);
  for (const auto* name : {"four", "five"}) store.snapshot("web", name);
  CHECK(transcript.run({"snapshot", "flatten", "web", "--plain"}) == 0);
  transcript.check();
}

TEST_CASE("on a terminal a reset or revert of what runs asks to stop it, and does nothing when the answer is no") {
  MachineStore store;
  store.add("web");
  store.snapshot("web", "fresh");
  const auto running = store.runs("web");
  const auto before = store.machine("web").generation;
  store.host().use_terminal();
  store.host().type("no\n");
  CHECK(store.run({"reset", "web"}) == 1);
  CHECK(store.host().err.str().find("web is running: stop it and reset? [y/N]") != std::string::npos);
  store.host().type("no\n");
  CHECK(store.run({"snapshot", "revert", "web@fresh"}) == 1);
  CHECK(store.host().err.str().find("web is running: stop it and revert? [y/N]") != std::string::npos);
  CHECK(store.run({"snapshot", "revert", "web@none"}) == 1);
  CHECK(store.run({"reset", "web", "--yes"}) == 1);
  CHECK(store.run({"reset", "web", "--dry-run"}) == 1);
  CHECK(store.machine("web").generation == before);
}
