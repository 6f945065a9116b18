#include <catch2/catch.hpp>

#include "cli/machine_fixture.hpp"
#include "hrvm/base/json.hpp"
#include "hrvm/sys/files.hpp"
#include "hrvm/sys/lock.hpp"

using namespace hrvm;
using test::MachineStore;

TEST_CASE("a store without machines is no failure") {
  MachineStore store;
  auto transcript = store.transcript("list/empty");
  transcript.run({"list"});
  transcript.run({"list", "--plain"});
  transcript.run({"list", "--json"});
  transcript.check();
}

TEST_CASE("machines are listed by name with their state, changes and base") {
  MachineStore store;
  store.add("web");
  store.add("db");
  store.snapshot("web", "fresh");
  const auto running = store.runs("db");
  auto transcript = store.transcript("list/machines");
  transcript.run({"list"});
  transcript.run({"list", "--plain"});
  transcript.check();
}

TEST_CASE("a list reads no base, and says nothing about its drift") {
  MachineStore store;
  store.add("web");
  std::filesystem::remove(store.base());
  const auto list = store.json({"list"});
  const auto& base = list["machines"].items().at(0)["base"];
  CHECK(base["drift"].is_null());
  CHECK(base["reasons"].is_array());
  CHECK(store.host().err.str().empty());
}

TEST_CASE("a damaged machine is told beside the others, and the exit is 1") {
  MachineStore store;
  store.add("broken");
  store.add("lost");
  store.add("web");
  store.folder().write("store/broken/generations/1.json", "{\"schema\": ");
  std::filesystem::remove(store.machine("lost").active_layer());
  auto transcript = store.transcript("list/damaged");
  CHECK(transcript.run({"list"}) == 1);
  CHECK(transcript.run({"list", "--plain"}) == 1);
  transcript.check();
  CHECK(store.json({"list"})["machines"].items().size() == 3);
  CHECK(store.host().err.str().find("hrvm.error/1") != std::string::npos);
}

TEST_CASE("throw-away layers go with the next command, but not while they are used") {
  MachineStore store;
  store.add("web");
  const auto left = store.folder().write("store/web/tmp/left/layer.qcow2", "x");
  const auto used = store.folder().write("store/web/tmp/used/layer.qcow2", "x");
  const auto lock = sys::Lock::try_take(used.parent_path(), sys::Lock::Mode::exclusive);
  REQUIRE(lock);
  CHECK(store.run({"list"}) == 0);
  CHECK_FALSE(std::filesystem::exists(left.parent_path()));
  CHECK(std::filesystem::exists(used));
}

TEST_CASE("sockets and logs of a throw-away run that nobody watched to its end go with its layer") {
  MachineStore store;
  store.add("web");
  store.host().host().uid = 1000;
  store.host().host().environment["XDG_RUNTIME_DIR"] = store.folder() / "run";
  const auto runs = store.folder() / "run/hrvm" / store.machine("web").definition.uuid.text();
  store.folder().write("store/web/tmp/left/layer.qcow2", "x");
  sys::make_directories(runs / "left");
  sys::make_directories(runs / "used");
  CHECK(store.run({"list"}) == 0);
  CHECK_FALSE(std::filesystem::exists(runs / "left"));
  CHECK(std::filesystem::exists(runs / "used"));
}

TEST_CASE("list and show tell of a machine whose folder was copied") {
  MachineStore store;
  store.add("web");
  CHECK(store.json({"list"})["machines"].items().at(0)["copy_of"].is_null());
  std::filesystem::copy(store.folder() / "store/web", store.folder() / "store/a-copy",
                        std::filesystem::copy_options::recursive | std::filesystem::copy_options::copy_symlinks);
  const auto list = store.json({"list", "--filter", "name=*"});
  CHECK(list["machines"].items().at(0)["copy_of"] == "web");
  CHECK(list["machines"].items().at(1)["copy_of"].is_null());
  CHECK(store.json({"show", "a-copy"})["machines"].items().at(0)["copy_of"] == "web");
  CHECK(store.json({"show", "web"})["machines"].items().at(0)["copy_of"].is_null());
  store.run({"list"});
  CHECK(store.host().out.str().find("COPY OF") != std::string::npos);
}

TEST_CASE("a run in a throw-away layer is a row below its machine, whose own state it leaves as it is") {
  MachineStore store;
  store.add("db");
  store.add("web");
  store.host().host().uid = 1000;
  store.host().host().environment["XDG_RUNTIME_DIR"] = store.folder() / "run";
  store.host().host().root = store.folder() / "root";
  const auto uuid = store.machine("web").definition.uuid.text();
  const auto used = store.folder().write("store/web/tmp/used/layer.qcow2", "x");
  const auto lock = sys::Lock::try_take(used.parent_path(), sys::Lock::Mode::exclusive);
  REQUIRE(lock);
  store.folder().write("root/proc/4242/cmdline", "qemu-system-x86_64 -uuid " + uuid);
  store.folder().write("run/hrvm/" + uuid + "/used/pid", "4242\n");
  store.folder().write("run/hrvm/" + uuid + "/used/run.json",
                       R"({"since":"2026-02-14T08:00:00Z","snapshot":"fresh","memory_bytes":1048576,"cpus":1})");
  auto transcript = store.transcript("list/throw_away");
  transcript.run({"list"});
  transcript.run({"list", "--plain"});
  transcript.check();
  const auto list = store.json({"list"});
  const auto& web = list["machines"].items().at(1);
  CHECK(web["state"] == "stopped");
  CHECK(web["pid"].is_null());
  CHECK(web["runs"] == base::parse_json(R"([{"name":"web@fresh","pid":4242,"snapshot":"fresh",
      "since":"2026-02-14T08:00:00Z","throw_away":true,"state":"running"}])",
                                        "what is expected"));
  CHECK(list["machines"].items().at(0)["runs"] == base::Json::array());
}
