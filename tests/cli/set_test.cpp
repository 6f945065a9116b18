#include <algorithm>
#include <catch2/catch.hpp>

#include "cli/machine_fixture.hpp"

using namespace hrvm;
using test::MachineStore;

namespace {

// No root, with programs and a run folder of its own.
void use_own_host(MachineStore& store) {
  auto& host = store.host().host();
  host.uid = 1000;
  host.environment["XDG_RUNTIME_DIR"] = store.folder() / "run";
  host.environment["PATH"] = store.folder() / "bin";
  store.folder().program("bin/qemu-system-x86_64");
}

}  // namespace

TEST_CASE("set changes the hardware of the next boot, and says what can be set") {
  MachineStore store;
  store.add("web");
  auto transcript = store.transcript("set/done");
  transcript.run({"set", "web", "memory=4G", "bus=sata", "--dry-run"});
  CHECK(store.machine("web").definition.active.hardware.bus == machine::Bus::virtio);
  transcript.run({"set", "web", "memory=4G", "bus=sata"});
  transcript.run({"set", "web", "memory"});
  transcript.run({"set", "web"});
  transcript.run({"set", "web", "memry=4G"});
  transcript.run({"set", "web", "bus=floppy"});
  transcript.check();
  const auto& hardware = store.machine("web").definition.active.hardware;
  CHECK(hardware.bus == machine::Bus::sata);
  CHECK(hardware.memory_bytes == 4ull << 30);
}

TEST_CASE("no door lets in what no machine can have") {
  MachineStore store;
  store.add("web");
  for (const char* memory : {"100T", "65T", "8M", "4097K"}) {
    INFO(memory);
    const auto set = std::string("memory=") + memory;
    CHECK(store.run({"set", "web", set}) == 2);
    CHECK(store.run({"boot", "web", "--print", "--memory", memory}) == 2);
    CHECK(store.run({"import", store.base(), "big", "--memory", memory}) == 2);
  }
  CHECK(store.run({"set", "web", "cpus=1025"}) == 2);
  CHECK(store.run({"boot", "web", "--print", "--cpus", "1025"}) == 2);
  CHECK(store.run({"import", store.base(), "big", "--cpus", "1025"}) == 2);
  CHECK(store.store().names() == std::vector<std::string>{"web"});
}

TEST_CASE("a machine that an older hrvm gave too much memory is listed, and set right") {
  MachineStore store;
  store.add("web");
  auto definition = store.machine("web").definition;
  definition.active.hardware.memory_bytes = 100ull << 40;
  store.store().commit("web", definition);
  CHECK(store.run({"list"}) == 0);
  REQUIRE(store.run({"set", "web", "memory=4G"}) == 0);
  CHECK(store.machine("web").definition.active.hardware.memory_bytes == 4ull << 30);
}

TEST_CASE("a machine that runs is not set") {
  MachineStore store;
  store.add("web");
  const auto running = store.runs("web");
  CHECK(store.run({"set", "web", "memory=4G"}) == 1);
}

TEST_CASE("a TPM is given to a machine and taken from it, and show tells") {
  MachineStore store;
  store.add("web");
  REQUIRE(store.run({"set", "web", "tpm=on"}) == 0);
  CHECK(store.machine("web").definition.active.hardware.tpm);
  CHECK(store.json({"show", "web"})["machines"].items()[0]["tpm"] == true);
  CHECK(store.run({"set", "web", "tpm=2.0"}) == 2);
  REQUIRE(store.run({"set", "web", "tpm=off"}) == 0);
  CHECK_FALSE(store.machine("web").definition.active.hardware.tpm);
}

TEST_CASE("Secure Boot that is turned on or off has the next boot make the variables anew") {
  MachineStore store;
  store.add("web");
  auto machine = store.machine("web");
  store.folder().write("store/web/nvram/00000000000000f1.fd", "variables");
  machine.definition.active.nvram = "00000000000000f1";
  store.store().commit("web", machine.definition);
  REQUIRE(store.run({"set", "web", "memory=4G"}) == 0);
  CHECK(store.machine("web").definition.active.nvram == "00000000000000f1");
  REQUIRE(store.run({"set", "web", "firmware=uefi", "secure-boot=on", "secure-boot=off"}) == 0);
  CHECK(store.machine("web").definition.active.nvram == "00000000000000f1");
  REQUIRE(store.run({"set", "web", "secure-boot=on"}) == 0);
  CHECK(store.json({"show", "web"})["machines"].items()[0]["secure_boot"] == "on");
  CHECK_FALSE(store.machine("web").definition.active.nvram);
  CHECK(store.run({"set", "web", "secure-boot=yes"}) == 2);
}

TEST_CASE("settings of the start that do not fit each other are refused, whichever comes last") {
  MachineStore store;
  store.add("web");
  REQUIRE(store.run({"set", "web", "firmware=bios"}) == 0);
  CHECK(store.run({"set", "web", "secure-boot=on"}) == 2);
  CHECK(store.run({"set", "web", "firmware=uefi", "bus=ide"}) == 2);
  REQUIRE(store.run({"set", "web", "secure-boot=on", "firmware=uefi"}) == 0);
  CHECK(store.run({"set", "web", "firmware=bios"}) == 2);
  CHECK(store.run({"set", "web", "memory=1G"}) == 0);
  CHECK(store.run({"set", "web", "firmware=bios", "secure-boot=off"}) == 0);
}

TEST_CASE("a disc is put into a machine, another takes its place, and it is taken out") {
  MachineStore store;
  store.add("web");
  const auto one = (store.folder() / "one.iso").string(), two = (store.folder() / "two.iso").string();
  for (const auto& path : {one, two}) std::filesystem::copy_file(store.base(), path);
  const auto disc = [&] { return store.machine("web").definition.active.hardware.iso; };
  const auto shown = [&] { return store.json({"show", "web"})["machines"].items()[0]["iso"]; };
  CHECK(shown().is_null());
  REQUIRE(store.run({"set", "web", "iso=" + (store.folder() / "./one.iso").string()}) == 0);
  CHECK(disc() == machine::Disc{one, false});
  REQUIRE(store.run({"set", "web", "iso=" + two + ",boot"}) == 0);
  CHECK(disc() == machine::Disc{two, true});
  CHECK(shown() == base::Json::object().set("path", two).set("boots_first", true));
  CHECK(store.run({"set", "web", "iso=" + two + ".none"}) == 1);
  std::filesystem::remove(two);
  REQUIRE(store.run({"set", "web", "iso="}) == 0);
  CHECK_FALSE(disc());
}

TEST_CASE("another disk is given to a machine and taken from it, by any of its names, also when it is gone") {
  MachineStore store;
  store.add("web");
  const auto one = (store.folder() / "one.img").string(), two = (store.folder() / "two.img").string();
  for (const auto& path : {one, two}) std::filesystem::copy_file(store.base(), path);
  const auto disks = [&] { return store.machine("web").definition.active.hardware.disks; };
  using Paths = std::vector<std::string>;
  REQUIRE(store.run({"set", "web", "disk=+" + one, "disk=+" + (store.folder() / "./two.img").string()}) == 0);
  CHECK(disks() == Paths{one, two});
  CHECK(store.json({"show", "web"})["machines"].items()[0]["other_disks"] == base::Json(Paths{one, two}));
  std::filesystem::remove(one);
  CHECK(store.run({"set", "web", "disk=+" + one}) == 1);
  CHECK(store.run({"set", "web", "disk=" + two}) == 2);
  REQUIRE(store.run({"set", "web", "disk=-" + one}) == 0);
  CHECK(disks() == Paths{two});
  CHECK(store.run({"set", "web", "disk=-" + one}) == 2);
}

TEST_CASE("set says what changes, and drops the reasons that no longer hold") {
  MachineStore store;
  store.add("web");
  CHECK(store.run({"set", "web", "memory=512M", "cpus=1", "firmware=uefi"}) == 0);
  const auto& out = store.host().out;
  CHECK(out.str().find("memory: 2 GiB -> 512 MiB\n") != std::string::npos);
  CHECK(out.str().find("cpus: 2 -> 1\n") != std::string::npos);
  CHECK(out.str().find("firmware: bios -> uefi\n") != std::string::npos);
  CHECK(out.str().find("bus:") == std::string::npos);
  CHECK(store.machine("web").definition.active.hardware.because ==
        std::vector<std::string>{"memory as set", "cpus as set", "firmware as set"});
}

TEST_CASE("a reason stays while its value does") {
  MachineStore store;
  store.add("web");
  CHECK(store.run({"set", "web", "firmware=bios"}) == 0);
  const auto because = store.machine("web").definition.active.hardware.because;
  CHECK(std::find(because.begin(), because.end(), "BIOS: the disk has boot code for it") != because.end());
}

TEST_CASE("set warns at once of what this host has not") {
  MachineStore store;
  store.add("web");
  CHECK(store.run({"set", "web", "memory=64T", "cpus=1024", "net=bridge=none0"}) == 0);
  const auto err = store.host().err.str();
  CHECK(err.find("64 TiB of memory are more than the ") != std::string::npos);
  CHECK(err.find("1024 CPUs are more than the ") != std::string::npos);
  CHECK(err.find("this host has no network interface none0") != std::string::npos);
  CHECK(store.run({"set", "web", "description=of no interest"}) == 0);
  CHECK(store.host().err.str().empty());
}

TEST_CASE("a value that is a slip of the key is guessed, and a size has its unit explained") {
  MachineStore store;
  store.add("web");
  CHECK(store.run({"set", "web", "bus=virtoi"}) == 2);
  CHECK(store.host().err.str().find("did you mean bus=virtio?") != std::string::npos);
  CHECK(store.run({"set", "web", "memory=512"}) == 2);
  CHECK(store.host().err.str().find("give it a unit: 512M, 4G") != std::string::npos);
}

TEST_CASE("ports that a machine forwards are kept, used by each boot, and another boot's are its own") {
  MachineStore store;
  store.add("web");
  use_own_host(store);
  auto transcript = store.transcript("set/forward");
  transcript.run({"set", "web", "net=nat", "forward=42222:22,48080:80"});
  transcript.run({"set", "web", "forward=42222"});
  transcript.run({"set", "web", "net=bridge=none0"});
  transcript.check();
  const auto shown = store.json({"show", "web"})["machines"].items()[0];
  CHECK(shown["forwards"] == base::Json(std::vector<std::string>{"42222:22", "48080:80"}));
  CHECK(shown["net"] == "bridge=none0");

  REQUIRE(store.run({"set", "web", "net=nat"}) == 0);
  const auto network_of = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"boot", "web", "--print", "--accel", "tcg"});
    const auto command = store.json(words)["command"];
    for (std::size_t i = 0; i + 1 < command.items().size(); ++i)
      if (command.items()[i] == "-netdev") return command.items()[i + 1].text().value_or("");
    return std::string();
  };
  const std::string first = ",hostfwd=tcp:127.0.0.1:42222-:22", second = ",hostfwd=tcp:127.0.0.1:48080-:80";
  CHECK(network_of({}) == "user,id=net0" + first + second);
  CHECK(network_of({"--forward", "42222:22"}) == "user,id=net0" + first);
  CHECK(network_of({"--forward", "42222:22", "--forward", "48080:80"}) == "user,id=net0" + first + second);
  CHECK(network_of({"--forward", "none"}) == "user,id=net0");
  CHECK(store.run({"boot", "web", "--print", "--forward", "42222:22,42222:80"}) == 2);
  REQUIRE(store.run({"set", "web", "forward="}) == 0);
  CHECK(network_of({}) == "user,id=net0");
}

TEST_CASE("an import keeps its network and its forwards") {
  MachineStore store;
  REQUIRE(store.run({"import", store.base(), "new", "--net", "bridge=br0", "--forward", "2222:22"}) == 0);
  const auto hardware = store.machine("new").definition.active.hardware;
  CHECK(hardware.network == machine::Network{machine::NetworkKind::bridge, "br0"});
  CHECK(hardware.forwards == std::vector<machine::PortForward>{{2222, 22}});
}

TEST_CASE("a folder is shared with a machine by a tag, shown with what the guest types, and taken away") {
  MachineStore store;
  store.add("web");
  use_own_host(store);
  store.folder().program("bin/virtiofsd");
  for (const auto* name : {"data", "www"}) std::filesystem::create_directories(store.folder() / name);
  std::filesystem::create_directory_symlink("data", store.folder() / "link");
  const auto folder = [&](const std::string& name) { return (store.folder() / name).string(); };

  auto transcript = store.transcript("set/share");
  transcript.run({"set", "web", "share=" + folder("link") + ":data", "share=" + folder("www") + "/:www,rw"});
  transcript.run({"show", "web"});
  transcript.run({"set", "web", "share=" + folder("data")});
  transcript.run({"set", "web", "share=:tag"});
  transcript.run({"set", "web", "share=" + folder("none") + ":gone"});
  transcript.run({"set", "web", "share=" + folder("store") + ":store"});
  transcript.run({"set", "web", "share=-dta"});
  transcript.run({"boot", "web", "--accel", "tcg"});
  transcript.run({"boot", "web", "--xml", "--share-folder", folder("www") + ":data"});
  transcript.check();
  CHECK(store.machine("web").definition.active.hardware.shares ==
        std::vector<machine::Share>{{folder("data"), "data", false}, {folder("www"), "www", true}});
  CHECK(store.run({"boot", "web", "--accel", "tcg", "--print", "--share-folder", "none"}) == 0);
  CHECK(store.run({"boot", "web", "--accel", "tcg", "--share"}) == 1);
  REQUIRE(store.run({"set", "web", "share=-data", "share="}) == 0);
  CHECK(store.run({"boot", "web", "--accel", "tcg", "--share"}) == 2);
  CHECK(store.json({"show", "web"})["machines"].items()[0]["shares"] == base::Json::array());
}

TEST_CASE("a machine that is to start with the host says so, and what systemd is to be told where it is not told") {
  MachineStore store;
  store.add("web");
  auto transcript = store.transcript("set/autostart");
  transcript.run({"set", "web", "autostart=on"});
  transcript.run({"set", "web", "autostart=on", "--dry-run"});
  transcript.run({"set", "web", "autostart=yes"});
  transcript.run({"set", "web", "autostart=off"});
  transcript.check();
  REQUIRE(store.run({"set", "web", "autostart=on"}) == 0);
  CHECK(store.machine("web").definition.autostart);
  CHECK(store.json({"show", "web"})["machines"].items()[0]["autostart"] == true);
  REQUIRE(store.run({"set", "web", "memory=1G"}) == 0);
  CHECK(store.machine("web").definition.autostart);
  CHECK(store.host().runner.calls.empty());
}
