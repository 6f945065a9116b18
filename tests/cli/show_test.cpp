#include <unistd.h>

#include <catch2/catch.hpp>

#include "cli/machine_fixture.hpp"
#include "support/recorded_machines.hpp"

using namespace hrvm;
using test::MachineStore;

static base::Json shown(MachineStore& store, const std::string& name) {
  return store.json({"show", name})["machines"].items().at(0);
}

TEST_CASE("show tells all about a machine, with the reasons for its hardware") {
  MachineStore store;
  store.add("web");
  store.snapshot("web", "fresh", "just installed");
  store.snapshot("web", "tuned");
  store.revert("web", "fresh");
  auto transcript = store.transcript("show/machine");
  transcript.run({"show", "web"});
  transcript.run({"show", "web", "--plain"});
  transcript.run({"show", "web", "--json"});
  transcript.check();
}

TEST_CASE("show of a snapshot tells the state that is in it") {
  MachineStore store;
  store.add("web");
  store.snapshot("web", "fresh", "just installed");
  store.snapshot("web", "tuned");
  const auto machine = store.machine("web");
  const auto result = store.json({"show", "web@tuned"});
  const auto& tuned = result["machines"].items().at(0);
  CHECK(result["snapshot"]["name"] == "tuned");
  CHECK(tuned["head"] == "fresh");
  const auto layer = machine.layer_path(machine.definition.find_snapshot("tuned")->layer);
  CHECK(tuned["disks"].items().at(0)["path"] == layer.string());
  auto transcript = store.transcript("show/snapshot");
  transcript.run({"show", "web@tuned"});
  transcript.run({"show", "web@tunde"});
  transcript.run({"show", "web@"});
  transcript.run({"show", "wep"});
  transcript.check();
}

TEST_CASE("show tells what moved in a base that was written") {
  MachineStore store;
  store.add("web");
  CHECK(shown(store, "web").at_path("base.drift") == "none");
  store.base_is_written(0x8000, 'X');
  const auto web = shown(store, "web");
  CHECK(web.at_path("base.drift") == "changed");
  CHECK(web.at_path("base.reasons").items().size() == 1);
}

TEST_CASE("show tells that a base is missing, and is no failure") {
  MachineStore store;
  store.add("web");
  std::filesystem::remove(store.base());
  CHECK(shown(store, "web").at_path("base.drift") == "missing");
  CHECK(store.run({"show", "web"}) == 0);
}

TEST_CASE("a machine runs when its layer is locked as QEMU locks it") {
  MachineStore store;
  store.add("web");
  CHECK(shown(store, "web")["state"] == "stopped");
  const auto running = store.runs("web");
  CHECK(shown(store, "web")["state"] == "running");
}

TEST_CASE("a pid file is believed only while its process names the machine and the machine runs") {
  MachineStore store;
  store.add("web");
  store.host().host().uid = 1000;
  store.host().host().environment["XDG_RUNTIME_DIR"] = store.folder() / "run";
  const auto uuid = store.machine("web").definition.uuid.text();
  const auto running = store.runs("web");
  store.folder().write("run/hrvm/" + uuid + "/pid", std::to_string(::getpid()));
  CHECK(shown(store, "web")["pid"].is_null());

  test::TestHost& host = store.host();
  host.host().root = store.folder() / "root";
  store.folder().write("root/proc/" + std::to_string(::getpid()) + "/cmdline", "qemu-system-x86_64 -uuid " + uuid);
  CHECK(store.json({"list"})["machines"].items().at(0)["pid"] == ::getpid());
}

TEST_CASE("show of a machine whose layer is missing names the file") {
  MachineStore store;
  store.add("web");
  const auto layer = store.machine("web").active_layer();
  std::filesystem::remove(layer);
  CHECK(store.run({"show", "web"}) == 1);
  CHECK(store.host().err.str().find(layer.string()) != std::string::npos);
}

TEST_CASE("show of a machine on a disk names the disk as people know it") {
  MachineStore store(test::recorded_machine("server").root());
  store.add_on_disk("pve", "/dev/sda");
  auto transcript = store.transcript("show/disk");
  transcript.run({"show", "pve"});
  transcript.check();
}

static const std::string started_otherwise =
    R"({"since":"2026-02-14T08:00:00Z","snapshot":null,"memory_bytes":314572800,"cpus":2,"net":"nat",)"
    R"("forwards":["2302:22"],"vnc":"127.0.0.1:5901","console":null,"accel":"tcg"})";

TEST_CASE("a running machine is shown as it runs, beside what its next boot will have") {
  MachineStore store;
  store.add("web");
  store.snapshot("web", "fresh");
  store.host().host().uid = 1000;
  store.host().host().environment["XDG_RUNTIME_DIR"] = store.folder() / "run";
  const auto uuid = store.machine("web").definition.uuid.text();
  store.folder().write("run/hrvm/" + uuid + "/run.json", started_otherwise);
  CHECK(shown(store, "web")["running"].is_null());

  const auto running = store.runs("web");
  auto transcript = store.transcript("show/running");
  transcript.run({"show", "web"});
  transcript.check();
  const auto web = shown(store, "web");
  CHECK(web["memory_bytes"] == 2147483648);
  CHECK(web.at_path("running.memory_bytes") == 314572800);
  CHECK(web.at_path("running.forwards") == base::Json(std::vector<std::string>{"2302:22"}));
  CHECK(web["runs"].items().at(0)["since"] == "2026-02-14T08:00:00Z");
  CHECK(web["runs"].items().at(0)["throw_away"] == false);
  CHECK(shown(store, "web@fresh")["running"].is_null());
}

TEST_CASE("a record of a run that makes no sense is as good as none") {
  MachineStore store;
  store.add("web");
  store.host().host().uid = 1000;
  store.host().host().environment["XDG_RUNTIME_DIR"] = store.folder() / "run";
  const auto uuid = store.machine("web").definition.uuid.text();
  const auto running = store.runs("web");
  const auto with = [&](const std::string& text) {
    store.folder().write("run/hrvm/" + uuid + "/run.json", text);
    return shown(store, "web");
  };
  CHECK(with(started_otherwise)["running"].is_object());
  for (const auto text : {"", "[]", "{", R"({"since":"now","memory_bytes":1,"cpus":1})",
                          R"({"since":"2026-02-14T08:00:00Z","memory_bytes":"much","cpus":1})"}) {
    const auto web = with(text);
    CHECK(web["running"].is_null());
    CHECK(web["since"].is_null());
    CHECK(web["state"] == "running");
  }
  CHECK(with(started_otherwise + std::string(70'000, ' '))["running"].is_null());
  CHECK(with(R"({"since":"2026-02-14T08:00:00Z","memory_bytes":1,"cpus":1,"net":7,"forwards":[1,{}]})")
            .at_path("running.forwards") == base::Json::array());
}
