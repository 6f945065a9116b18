#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>

#include "cli/machine_fixture.hpp"
#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/block/image_lock.hpp"
#include "hrvm/launch/firmware.hpp"
#include "hrvm/sys/files.hpp"
#include "support/recorded_machines.hpp"

using namespace hrvm;
using test::FakeRunner;
using How = test::FakeRunner::Call::How;
using base::GiB;
using base::MiB;
using Words = std::vector<std::string>;

namespace {

constexpr std::uint64_t p1 = 1 << 20;  // where it begins on the base

// A store with a machine "web", and a QEMU that only notes how it was called. The user is none that may write to /run.
struct Booting : test::MachineStore {
  explicit Booting(const std::filesystem::path& root = "/") : MachineStore(root) {
    auto& here = host().host();
    here.uid = 1000;
    here.environment["XDG_RUNTIME_DIR"] = folder() / "run";
    here.environment["PATH"] = folder() / "bin";
    folder().program("bin/qemu-system-x86_64");
    host().runner.on("qemu-system-x86_64", [](const sys::Command&) { return sys::Result{}; });
    if (root == "/") add("web");
  }

  // The command that took hrvm's place.
  Words executed(const Words& words) {
    try {
      const int status = run(words);
      FAIL("exit status " << status << ": " << host().err.str());
    } catch (const test::Executed& executed) {
      take_layer_for_a_moment();
      return executed.command.argv;
    }
    return {};
  }
  // As QEMU would: until somebody has, the machine stays locked.
  void take_layer_for_a_moment() {
    const auto running = runs("web");
    REQUIRE(sys::Lock::try_take(machine("web").folder, sys::Lock::Mode::exclusive, std::chrono::seconds{10}));
  }
  bool started_anything() {
    const auto is_start = [](const FakeRunner::Call& call) { return call.how != How::run; };
    return std::ranges::any_of(host().runner.calls, is_start);
  }
  // Every file and folder, with what it holds or leads to.
  std::map<std::string, std::string> store_content() {
    std::map<std::string, std::string> content;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(store().folder()))
      content[entry.path()] = entry.is_symlink()        ? std::filesystem::read_symlink(entry.path()).string()
                              : entry.is_regular_file() ? sys::read_file(entry.path())
                                                        : "";
    return content;
  }
  Words throw_away_layers() { return sys::list_directory(machine("web").folder / "tmp"); }
};

bool has(const Words& command, const std::string& option, const std::string& value) {
  const auto at = std::ranges::search(command, Words{option, value});
  return !at.empty();
}

// What keeps the serial line is there for a run that hrvm begins.
Words without_log(Words command) {
  for (auto& word : command) word.erase(std::min(word.size(), word.find(",logappend=on,logfile=")));
  return command;
}

// What a block node of that name opens.
std::string file_of(const Words& command, const std::string& node) {
  for (const auto& word : command) {
    if (!word.starts_with('{')) continue;
    const auto json = base::parse_json(word, "a node");
    if (json["node-name"] == base::Json(node)) return json.at_path("file.filename").text().value_or("");
  }
  return "";
}

// Somebody who listens at a port of the loopback address.
struct Listener {
  sys::Fd fd{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  std::string port;

  Listener() {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    REQUIRE(bind(fd.get(), reinterpret_cast<sockaddr*>(&address), length) == 0);
    REQUIRE(listen(fd.get(), 1) == 0);
    REQUIRE(getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &length) == 0);
    port = std::to_string(ntohs(address.sin_port));
  }
};

bool has_firmware() {
  test::TestHost here;
  return !launch::uefi_firmwares(here.host()).empty();
}

}  // namespace

TEST_CASE_METHOD(Booting, "a plain boot becomes QEMU, on the machine's layer and its base") {
  const auto command = executed({"boot", "web", "--accel", "tcg", "--memory", "512M", "--console", "serial"});
  CHECK(command.front() == (folder() / "bin/qemu-system-x86_64").string());
  CHECK(has(command, "-m", "512M"));
  CHECK(file_of(command, "disk") == machine("web").active_layer());
  CHECK(file_of(command, "base") == base());
  CHECK_THAT(host().err.str(), Catch::Contains("Ctrl-A X"));
  CHECK(host().out.str() == "");
}

TEST_CASE_METHOD(Booting, "each boot keeps its serial line in a file of its own, but for one that has none") {
  const auto folder = machine("web").consoles_folder();
  const auto log = [&](int number) { return (folder / std::to_string(number)).string() + ".log"; };
  const auto serial = [](const std::string& file) {
    return "stdio,id=serial0,mux=on,signal=off,logappend=on,logfile=" + file;
  };
  CHECK(has(executed({"boot", "web", "--accel", "tcg"}), "-chardev", serial(log(1))));
  CHECK(sys::status(log(1)).mode == 0600);
  executed({"boot", "web", "--accel", "tcg", "--console", "none"});
  CHECK(has(executed({"boot", "web", "--accel", "tcg", "--console", "serial"}), "-chardev", serial(log(2))));
  CHECK(sys::list_directory(folder) == Words{"1.log", "2.log"});
}

TEST_CASE_METHOD(Booting, "a boot whose serial line cannot be kept boots nevertheless, and says so") {
  sys::AtomicFile(machine("web").consoles_folder()).commit();
  CHECK(has(executed({"boot", "web", "--accel", "tcg"}), "-chardev", "stdio,id=serial0,mux=on,signal=off"));
  CHECK_THAT(host().err.str(), Catch::Contains("warning: what this run prints on its serial line is not kept: "));
}

TEST_CASE_METHOD(Booting, "a print shows what a boot would run, and runs nothing") {
  const auto command = without_log(executed({"boot", "web", "--accel", "tcg"}));
  REQUIRE(run({"boot", "web", "--accel", "tcg", "--print"}) == 0);
  CHECK(host().out.str() == base::shell_quote(command) + "\n");
  CHECK_FALSE(started_anything());
  CHECK(json({"boot", "web", "--accel", "tcg", "--print"})["command"] == base::Json(command));
}

TEST_CASE_METHOD(Booting,
                 "a print and an XML leave the store as it is, and name the variables that the next boot makes") {
  if (!has_firmware()) return;
  folder().program("bin/swtpm");
  const auto before = store_content();
  REQUIRE(run({"boot", "web", "--firmware", "uefi", "--xml"}) == 0);
  const auto xml = host().out.str();
  REQUIRE(run({"boot", "web", "--firmware", "uefi", "--tpm", "--print"}) == 0);
  CHECK_THAT(host().out.str(), Catch::StartsWith("mkdir -p -m 700 " + machine("web").tpm_folder().string()));
  const auto printed = json({"boot", "web", "--firmware", "uefi", "--print"});
  CHECK_THAT(host().err.str(), Catch::Contains("no UEFI variables yet"));
  CHECK(store_content() == before);
  const auto command = executed({"boot", "web", "--firmware", "uefi"});
  CHECK(printed["command"] == base::Json(without_log(command)));
  CHECK_THAT(xml, Catch::Contains(file_of(command, "pflash1")));
  CHECK(store_content() != before);
}

TEST_CASE_METHOD(Booting, "an XML print is a domain") {
  REQUIRE(run({"boot", "web", "--accel", "tcg", "--xml"}) == 0);
  CHECK_THAT(host().out.str(), Catch::StartsWith("<domain type=\"qemu\">\n  <name>web</name>") &&
                                   Catch::EndsWith("</domain>\n") && Catch::Contains(base().string()));
}

TEST_CASE_METHOD(Booting, "another disk and a disc are found, and read only, whatever commas are in their names") {
  std::filesystem::copy_file(base(), MachineStore::folder() / "a,ro");
  std::filesystem::copy_file(base(), MachineStore::folder() / "b,boot.iso");
  const auto other = (MachineStore::folder() / "a,ro").string(),
             disc = (MachineStore::folder() / "b,boot.iso").string();
  const auto command = executed({"boot", "web", "--accel", "tcg", "--disk", other + ",ro", "--iso", disc + ",boot"});
  CHECK(file_of(command, "extra1") == other);
  CHECK(file_of(command, "extra2") == disc);
  CHECK_THAT(base::join(command, " "), Catch::Contains("drive=extra2,bootindex=0") && Catch::Contains("bootindex=1"));
  CHECK(run({"boot", "web", "--accel", "tcg", "--print", "--disk", other + ".none"}) == 1);
}

TEST_CASE_METHOD(Booting,
                 "a machine's other disks are there at each boot, and one that is missing is told with what to do") {
  const auto other = (MachineStore::folder() / "other.img").string();
  std::filesystem::copy_file(base(), other);
  REQUIRE(run({"set", "web", "disk=+" + other}) == 0);
  CHECK(file_of(executed({"boot", "web", "--accel", "tcg"}), "extra1") == other);
  std::filesystem::remove(other);
  CHECK(run({"boot", "web", "--accel", "tcg"}) == 1);
  CHECK_THAT(host().err.str(), Catch::Contains("hrvm set web disk=-" + other));
}

TEST_CASE_METHOD(Booting, "a machine's disc is there at each boot, but where another or none is asked for") {
  const auto disc = (MachineStore::folder() / "kept.iso").string(), other = (MachineStore::folder() / "other").string();
  for (const auto& path : {disc, other}) std::filesystem::copy_file(base(), path);
  REQUIRE(run({"set", "web", "iso=" + disc + ",boot"}) == 0);
  auto command = executed({"boot", "web", "--accel", "tcg"});
  CHECK(file_of(command, "extra1") == disc);
  CHECK_THAT(base::join(command, " "), Catch::Contains("ide-cd,bus=ide.2,id=extra1-device,drive=extra1,bootindex=0"));
  command = executed({"boot", "web", "--accel", "tcg", "--iso", other});
  CHECK(file_of(command, "extra1") == other);
  CHECK_THAT(base::join(command, " "), !Catch::Contains(disc) && !Catch::Contains("drive=extra1,bootindex"));
  CHECK_THAT(base::join(executed({"boot", "web", "--accel", "tcg", "--iso", "none"}), " "), !Catch::Contains("ide-cd"));
  REQUIRE(run({"boot", "web", "--accel", "tcg", "--xml"}) == 0);
  CHECK_THAT(host().out.str(), Catch::Contains("device=\"cdrom\"") && Catch::Contains(disc));
  std::filesystem::remove(disc);
  CHECK(run({"boot", "web", "--accel", "tcg"}) == 1);
  CHECK_THAT(host().err.str(), Catch::Contains("hrvm set web iso="));
  CHECK(run({"boot", "web", "--accel", "tcg", "--print", "--iso", "none"}) == 0);
}

TEST_CASE_METHOD(Booting, "another disk that somebody writes to is refused, but with --force") {
  const auto other = MachineStore::folder() / "other.img";
  std::filesystem::copy_file(base(), other);
  const auto fd = sys::open_file(other, O_RDWR);
  block::lock_image_exclusively(fd.get(), other);
  CHECK(run({"boot", "web", "--accel", "tcg", "--print", "--disk", other}) == 4);
  CHECK(run({"boot", "web", "--accel", "tcg", "--print", "--disk", other, "--force"}) == 0);
}

TEST_CASE_METHOD(Booting, "a machine that runs is not booted again, whoever runs it") {
  const auto running = runs("web");
  auto transcript = this->transcript("boot/running");
  transcript.replace(machine("web").definition.active.layer, "LAYER");
  CHECK(transcript.run({"boot", "web"}) == 1);
  CHECK(transcript.run({"boot", "web", "--print"}) == 1);
  CHECK(transcript.run({"boot", "web", "--ephemeral"}) == 1);
  transcript.check();
  CHECK_FALSE(started_anything());
}

TEST_CASE_METHOD(Booting, "a disk that has changed is refused, with what moved, unless forced") {
  base_is_written(p1, 'X');
  auto transcript = this->transcript("boot/drifted");
  CHECK(transcript.run({"boot", "web"}) == 4);
  CHECK(transcript.run({"boot", "web", "--xml"}) == 4);
  transcript.check();
  executed({"boot", "web", "--force"});
  CHECK_THAT(host().err.str(), Catch::Contains("warning") && Catch::Contains("p1"));
}

TEST_CASE_METHOD(Booting, "after a reset the machine boots on the changed disk, and its old snapshot does not") {
  snapshot("web", "before");
  base_is_written(p1, 'X');
  REQUIRE(run({"reset", "web"}) == 0);
  executed({"boot", "web"});
  CHECK(run({"boot", "web@before"}) == 4);
}

TEST_CASE_METHOD(Booting, "what is missing is named: the disk, a layer, QEMU, virsh") {
  auto transcript = this->transcript("boot/missing");
  transcript.replace(machine("web").definition.active.layer, "LAYER");
  CHECK(transcript.run({"boot", "web", "--libvirt", "--accel", "tcg"}) == 1);
  std::filesystem::remove(folder() / "bin/qemu-system-x86_64");
  CHECK(transcript.run({"boot", "web", "--accel", "tcg"}) == 1);
  const auto layer = machine("web").active_layer();
  std::filesystem::rename(layer, folder() / "kept");
  CHECK(transcript.run({"boot", "web"}) == 1);
  std::filesystem::rename(folder() / "kept", layer);
  std::filesystem::remove(base());
  CHECK(transcript.run({"boot", "web"}) == 1);
  CHECK(transcript.run({"boot", "db"}) == 1);
  transcript.check();
}

TEST_CASE_METHOD(Booting, "a store that is nearly full is told, one without room is refused unless forced") {
  const auto with = [&](std::uint64_t used, std::uint64_t available) {
    host().host().space = [=](const std::filesystem::path&) { return sys::Space{252 * GiB, used, available}; };
  };
  with(86 * GiB, 14 * GiB);
  executed({"boot", "web", "--accel", "tcg"});
  CHECK_THAT(host().err.str(), Catch::Contains("more than 85 % full: 14 GiB of 252 GiB free"));
  with(100 * GiB, 30 * GiB);  // what a quota keeps from this user is not used
  executed({"boot", "web", "--accel", "tcg"});
  CHECK_THAT(host().err.str(), !Catch::Contains("full"));
  with(251 * GiB, 512 * MiB);
  CHECK(run({"boot", "web", "--accel", "tcg"}) == 4);
  CHECK_THAT(host().err.str(), Catch::Contains("too little room: 512 MiB of 252 GiB free"));
  executed({"boot", "web", "--accel", "tcg", "--force"});
  CHECK_THAT(host().err.str(), Catch::Contains("too little room: 512 MiB of 252 GiB free"));
}

TEST_CASE("a disk that is in use for writing is refused, and who uses it is named") {
  Booting laptop(test::recorded_machine("laptop").root());
  laptop.add_on_disk("debian", "/dev/nvme0n1");
  auto transcript = laptop.transcript("boot/in_use");
  CHECK(transcript.run({"boot", "debian"}) == 4);
  transcript.check();
}

TEST_CASE_METHOD(Booting, "words that cannot stand together, or mean nothing, are wrong usage") {
  snapshot("web", "fresh");
  auto transcript = this->transcript("boot/wrong_usage");
  for (const Words& words :
       {Words{"web@fresh", "--print"}, Words{"web", "--print", "--xml"}, Words{"web", "--libvirt", "--wait-for", "x"},
        Words{"web", "--wait-for", "("}, Words{"web", "--wait-for", "(a)\\1"}, Words{"web", "--forward", "22"},
        Words{"web", "--timeout", "0"}, Words{"web", "--net", "none", "--forward", "1:2"},
        Words{"web", "--cpu", "host;reboot"}, Words{"web", "--memory", "5"}, Words{"web", "--resume", "--print"}}) {
    Words line{"boot"};
    line.insert(line.end(), words.begin(), words.end());
    CHECK(transcript.run(line) == 2);
  }
  transcript.check();
  CHECK_FALSE(started_anything());
}

TEST_CASE_METHOD(Booting, "a guest goes on only from memory that there is, and what does not run has none") {
  auto transcript = this->transcript("boot/resume");
  transcript.run({"boot", "web", "--resume"});
  snapshot("web", "fresh");
  transcript.run({"boot", "web", "--resume"});
  transcript.run({"boot", "web@fresh", "--resume"});
  transcript.run({"snapshot", "revert", "web@fresh", "--resume"});
  transcript.run({"snapshot", "create", "web@warm", "--with-memory"});
  transcript.run({"snapshot", "create", "web", "--auto", "--with-memory"});
  transcript.run({"snapshot", "create", "web@warm", "--with-memory", "--freeze", "never"});
  transcript.run({"snapshot", "create", "web@warm", "--allow-low-space"});
  transcript.check();
  CHECK(machine("web").definition.snapshots.size() == 1);
  CHECK_FALSE(started_anything());
}

TEST_CASE_METHOD(Booting, "a snapshot boots in a layer over its own, that is locked meanwhile and gone afterwards") {
  snapshot("web", "fresh");
  const auto before = machine("web");
  const auto frozen = before.layer_path(before.definition.snapshots[0].layer);
  bool locked = false;
  host().runner.on("qemu-system-x86_64", [&](const sys::Command& command) {
    if (command.argv.back() == "-version") return sys::Result{};
    const auto layer = file_of(command.argv, "disk");
    CHECK(sys::status(layer).mode == 0600);
    CHECK(file_of(command.argv, "layer1") == frozen);
    CHECK(command.inherited_fds.size() == 2);  // the locks of its folder and of its console
    locked = machine::throw_away_folders(before, true).size() == 1;
    return sys::Result{};
  });
  REQUIRE(run({"boot", "web@fresh", "--accel", "tcg"}) == 0);
  CHECK(host().runner.calls.back().how == How::spawn);
  CHECK(locked);
  CHECK(throw_away_layers().empty());
  CHECK(machine("web").generation == before.generation);
}

TEST_CASE_METHOD(Booting, "an ephemeral boot that QEMU ends badly fails, and leaves nothing") {
  host().runner.on("qemu-system-x86_64", [&](const sys::Command& command) {
    return sys::Result{.exit_status = command.argv.back() == "-version" ? 0 : 1};
  });
  CHECK(run({"boot", "web", "--ephemeral", "--accel", "tcg"}) == 1);
  CHECK(throw_away_layers().empty());
}

TEST_CASE_METHOD(Booting, "the first UEFI boot makes variables, which the next ones use and a throw-away boot copies") {
  REQUIRE(has_firmware());
  const auto first = executed({"boot", "web", "--firmware", "uefi"});
  const auto nvram = file_of(first, "pflash1");
  CHECK(nvram == machine("web").nvram_path(machine("web").definition.active.nvram.value()));
  CHECK(sys::status(nvram).mode == 0600);
  CHECK(sys::status(nvram).size_bytes > 0);
  const auto generation = machine("web").generation;
  CHECK(file_of(executed({"boot", "web", "--firmware", "uefi"}), "pflash1") == nvram);
  CHECK(machine("web").generation == generation);

  bool same = false;
  host().runner.on("qemu-system-x86_64", [&](const sys::Command& command) {
    const auto copy = file_of(command.argv, "pflash1");
    same = copy != nvram && sys::try_read_file(copy) == sys::read_file(nvram);
    return sys::Result{};
  });
  CHECK(run({"boot", "web", "--firmware", "uefi", "--ephemeral"}) == 0);
  CHECK(same);
}

TEST_CASE_METHOD(Booting, "libvirt is given the domain that --xml prints, and told to start it") {
  folder().program("bin/virsh");
  REQUIRE(run({"boot", "web", "--xml", "--accel", "tcg"}) == 0);
  const auto xml = host().out.str();
  std::vector<Words> orders;
  std::string defined;
  host().runner.on("virsh", [&](const sys::Command& command) {
    orders.emplace_back(command.argv.begin() + 1, command.argv.end());
    if (command.argv[4] == "define") defined = sys::read_file(command.argv[5]);
    return sys::Result{};
  });
  REQUIRE(run({"boot", "web", "--libvirt=test:///default", "--accel", "tcg"}) == 0);
  REQUIRE(orders.size() == 2);
  CHECK(defined == xml);
  CHECK(orders[1] == Words{"-q", "-c", "test:///default", "start", machine("web").definition.uuid.text()});

  add("db");
  host().runner.on("virsh", [](const sys::Command&) { return sys::Result{.exit_status = 1, .err = "error: no\n"}; });
  CHECK(run({"boot", "db", "--libvirt", "--accel", "tcg"}) == 1);
  CHECK_THAT(host().err.str(), Catch::Contains("failed: no") && Catch::Contains("qemu:///session"));
}

TEST_CASE_METHOD(Booting, "stop says when there is nothing to stop, or nobody who answers") {
  auto transcript = this->transcript("boot/stop");
  transcript.replace(machine("web").definition.uuid.text(), "UUID");
  CHECK(transcript.run({"stop", "web"}) == 1);
  const auto running = runs("web");
  CHECK(transcript.run({"stop", "web", "--timeout", "1"}) == 1);
  CHECK(transcript.run({"stop", "web@fresh"}) == 1);
  transcript.check();
}

TEST_CASE_METHOD(Booting, "a port that is taken is told before QEMU is started, with one that is free") {
  const Listener somebody;
  REQUIRE(run({"set", "web", "net=nat", "forward=" + somebody.port + ":22,1:80"}) == 0);
  CHECK(run({"boot", "web", "--accel", "tcg"}) == 1);
  CHECK_FALSE(started_anything());
  CHECK_THAT(host().err.str(), Catch::Contains("port " + somebody.port + " of this host is taken"));
  CHECK_THAT(host().err.str(), Catch::Contains(":22,1:80, or for good: hrvm set web forward="));
  CHECK_THAT(host().err.str(), !Catch::Contains("--forward " + somebody.port + ":22"));
  CHECK(run({"boot", "web", "--accel", "tcg", "--print", "--forward", "none"}) == 0);
}
