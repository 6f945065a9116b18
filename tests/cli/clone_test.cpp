#include <catch2/catch.hpp>

#include "cli/machine_fixture.hpp"

using namespace hrvm;
using test::MachineStore;

TEST_CASE("clone makes a second machine of a snapshot, or of what a machine shows now") {
  MachineStore store;
  store.add("web");
  store.snapshot("web", "fresh");
  store.guest_writes("web", 0, 'x');
  auto transcript = store.transcript("clone/made");
  CHECK(transcript.run({"clone", "web@fresh", "twin", "--dry-run"}) == 0);
  CHECK(transcript.run({"clone", "web@fresh", "twin"}) == 0);
  CHECK(transcript.run({"clone", "web", "third", "--quiet"}) == 0);
  CHECK(transcript.run({"snapshot", "list", "twin", "--plain"}) == 0);
  CHECK(transcript.run({"log", "third", "--plain"}) == 0);
  CHECK(transcript.run({"clone", "web", "twin"}) == 1);
  CHECK(transcript.run({"clone", "web", "Twin"}) == 2);
  CHECK(transcript.run({"clone", "web@none", "other"}) == 1);
  CHECK(transcript.run({"clone", "none", "other"}) == 1);
  const auto running = store.runs("web");
  CHECK(transcript.run({"clone", "web", "other"}) == 1);
  CHECK(transcript.run({"clone", "web@fresh", "other", "--quiet"}) == 0);
  transcript.check();
  CHECK(store.store().names() == std::vector<std::string>{"other", "third", "twin", "web"});
  CHECK(store.machine("twin").definition.uuid != store.machine("web").definition.uuid);
  CHECK_NOTHROW(store.store().check_files(store.machine("third")));
}
