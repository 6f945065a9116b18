#include <catch2/catch.hpp>

#include "cli/machine_fixture.hpp"

using namespace hrvm;
using test::MachineStore;

TEST_CASE("rename gives a machine another name and leaves it otherwise as it is") {
  MachineStore store;
  store.add("web");
  store.snapshot("web", "fresh");
  const auto before = store.machine("web").definition;
  auto transcript = store.transcript("rename/done");
  transcript.run({"rename", "web", "www", "--dry-run"});
  transcript.run({"rename", "web", "www"});
  transcript.run({"rename", "web", "www"});
  transcript.check();
  CHECK(store.store().names() == std::vector<std::string>{"www"});
  CHECK(to_json(store.machine("www").definition) == to_json(before));
  CHECK_NOTHROW(store.store().check_files(store.machine("www")));
}

TEST_CASE("rename to a name that is taken or none changes nothing") {
  MachineStore store;
  store.add("db");
  store.add("web");
  auto transcript = store.transcript("rename/bad_names");
  transcript.run({"rename", "web", "db"});
  transcript.run({"rename", "web", "web"});
  transcript.run({"rename", "web", "../web"});
  transcript.run({"rename", "web", "Web"});
  transcript.run({"rename", "web@fresh", "www"});
  transcript.check();
  CHECK(store.store().names() == std::vector<std::string>{"db", "web"});
}

TEST_CASE("a machine that runs is not renamed") {
  MachineStore store;
  store.add("web");
  const auto running = store.runs("web");
  auto transcript = store.transcript("rename/running");
  transcript.run({"rename", "web", "www"});
  transcript.check();
  CHECK(store.store().contains("web"));
}
