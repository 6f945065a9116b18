// snapshot auto, and the setting that it goes by.
#include <catch2/catch.hpp>

#include "cli/machine_fixture.hpp"

using namespace hrvm;
using test::MachineStore;

TEST_CASE("a machine that runs can be set to have automatic snapshots, and is told what makes them") {
  MachineStore store;
  store.add("web");
  const auto running = store.runs("web");
  auto transcript = store.transcript("set/auto_snapshot");
  CHECK(transcript.run({"set", "web", "auto-snapshot=on"}) == 0);
  CHECK(transcript.run({"set", "web", "auto-snapshot=off", "description=web"}) == 0);
  CHECK(transcript.run({"set", "web", "auto-snapshot=maybe"}) == 2);
  CHECK(transcript.run({"set", "web", "auto-snapshot=on", "memory=1G"}) == 1);
  transcript.check();
  CHECK_FALSE(store.machine("web").definition.auto_snapshot);
}

TEST_CASE("snapshot auto makes and prunes snapshots of the machines that want it, and goes on when one fails") {
  MachineStore store;
  store.host().host().environment["TZ"] = "UTC";
  auto transcript = store.transcript("snapshot_auto/turns");
  for (const auto* name : {"broken", "db", "runs", "web"}) store.add(name);
  CHECK(transcript.run({"snapshot", "auto"}) == 0);
  for (const auto* name : {"broken", "runs", "web"}) REQUIRE(store.run({"set", name, "auto-snapshot=on"}) == 0);
  CHECK(transcript.run({"snapshot", "auto", "--dry-run", "--json"}) == 0);
  CHECK(store.machine("web").definition.snapshots.empty());
  CHECK(transcript.run({"snapshot", "auto", "--quiet"}) == 0);
  store.host().now += std::chrono::minutes(15);
  CHECK(transcript.run({"snapshot", "auto"}) == 0);
  for (const auto* name : {"runs", "web"}) store.guest_writes(name, 0, 'x');
  const auto running = store.runs("runs");
  std::filesystem::remove(store.machine("broken").active_layer());
  CHECK(transcript.run({"snapshot", "auto", "--keep-last", "1"}) == 1);
  CHECK(transcript.run({"snapshot", "auto", "db", "--plain"}) == 0);
  transcript.check();
  CHECK(store.machine("web").definition.snapshots.size() == 1);
  CHECK(store.machine("runs").definition.snapshots.size() == 1);
  CHECK(store.machine("db").definition.snapshots.size() == 1);
}
