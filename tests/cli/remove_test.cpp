#include <catch2/catch.hpp>

#include "cli/machine_fixture.hpp"
#include "hrvm/sys/files.hpp"

using namespace hrvm;
using test::MachineStore;

namespace {

// Whoever runs the test may not remove what root's machines left in /run.
void use_own_run_folder(MachineStore& store) {
  auto& host = store.host().host();
  host.uid = 1000;
  host.environment["XDG_RUNTIME_DIR"] = (store.folder() / "run").string();
}

}  // namespace

TEST_CASE("remove takes the machine with its snapshots, and nothing else") {
  MachineStore store;
  use_own_run_folder(store);
  store.add("db");
  store.add("web");
  store.snapshot("web", "fresh");
  const auto base = sys::read_file(store.base(), 16 << 20);
  auto transcript = store.transcript("remove/done");
  transcript.run({"remove", "web", "--dry-run"});
  CHECK(store.store().contains("web"));
  transcript.run({"remove", "web", "--yes"});
  transcript.run({"remove", "web", "--yes"});
  transcript.check();
  CHECK(sys::list_directory(store.folder() / "store") == std::vector<std::string>{"db"});
  CHECK(sys::read_file(store.base(), 16 << 20) == base);
}

TEST_CASE("remove asks on a terminal, and needs --yes elsewhere") {
  MachineStore store;
  use_own_run_folder(store);
  store.add("web");
  CHECK(store.run({"remove", "web"}) == 2);
  CHECK(store.host().err.str().find("--yes") != std::string::npos);
  store.host().use_terminal();
  store.host().type("n\n");
  CHECK(store.run({"remove", "web"}) == 1);
  CHECK(store.host().err.str().ends_with("Nothing was done.\n"));
  CHECK(store.host().err.str().find("error") == std::string::npos);
  REQUIRE(store.store().contains("web"));
  store.host().type("y\n");
  CHECK(store.run({"remove", "web"}) == 0);
  CHECK_FALSE(store.store().contains("web"));
}

TEST_CASE("remove takes what the machine's runs have left in the run folder") {
  MachineStore store;
  store.add("web");
  use_own_run_folder(store);
  auto& host = store.host().host();
  const auto left = machine::run_folder(host, store.store().load("web").definition);
  REQUIRE(left.string().starts_with((store.folder() / "run/hrvm").string()));
  sys::make_directories(left / "xml");
  CHECK(store.run({"remove", "web", "--yes"}) == 0);
  CHECK_FALSE(std::filesystem::exists(left));
}

TEST_CASE("a machine that runs is not removed") {
  MachineStore store;
  store.add("web");
  const auto running = store.runs("web");
  auto transcript = store.transcript("remove/running");
  transcript.run({"remove", "web", "--yes"});
  transcript.check();
  CHECK(store.store().contains("web"));
}

TEST_CASE("a machine whose definition is damaged can be removed, unless it runs") {
  MachineStore store;
  store.add("web");
  {
    const auto running = store.runs("web");
    store.folder().write("store/web/generations/1.json", "{");
    CHECK(store.run({"remove", "web", "--yes"}) == 1);
    CHECK(store.store().contains("web"));
  }
  CHECK(store.run({"remove", "web", "--yes"}) == 0);
  CHECK(sys::list_directory(store.folder() / "store").empty());
}
