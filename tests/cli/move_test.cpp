#include <catch2/catch.hpp>

#include "cli/machine_fixture.hpp"

using namespace hrvm;
using test::MachineStore;

TEST_CASE("move takes a machine to another store, whichever way that is named") {
  MachineStore store;
  store.add("web");
  store.snapshot("web", "fresh");
  const auto other = (store.folder() / "other").string();
  auto transcript = store.transcript("move/done");
  transcript.run({"move", "web", other, "--dry-run", "--allow-volatile"});
  CHECK(store.store().names() == std::vector<std::string>{"web"});
  transcript.run({"move", "web", other, "--allow-volatile"});
  transcript.run({"list"});
  transcript.check();
  const machine::Store there(store.host().host(), other);
  CHECK(there.names() == std::vector<std::string>{"web"});
  CHECK_NOTHROW(there.check_files(there.load("web")));
}

TEST_CASE("move refuses what would lose a machine or hide one") {
  MachineStore store;
  store.add("web");
  store.add("db");
  const machine::Store there(store.host().host(), store.folder() / "other");
  const auto other = there.folder().string();
  auto transcript = store.transcript("move/refused");
  transcript.run({"move", "web"});
  transcript.run({"move", "web", store.store().folder().string()});
  transcript.run({"move", "nothing", other});
  transcript.run({"move", "web", (store.store().folder() / "db/sub").string()});
  CHECK(store.run({"move", "web", other, "--allow-volatile"}) == 0);
  store.add("web");
  transcript.run({"move", "web", other, "--allow-volatile"});
  const auto running = store.runs("db");
  transcript.run({"move", "db", other, "--allow-volatile"});
  transcript.check();
  CHECK(store.store().names() == std::vector<std::string>{"db", "web"});
}
