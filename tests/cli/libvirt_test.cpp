// What commands do about a machine that was given to libvirt. libvirt is one that keeps domains as the real one does,
// answers virsh in its words, and holds QEMU's lock on the layer of what it runs.
#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <map>

#include "cli/machine_fixture.hpp"
#include "hrvm/block/image_lock.hpp"
#include "hrvm/launch/domain.hpp"
#include "hrvm/sys/files.hpp"

using namespace hrvm;
using Catch::Matchers::Contains;
using Words = std::vector<std::string>;

namespace {

struct Libvirt {
  struct Domain {
    std::string uuid, name, xml, state = "shut off";
    bool saved = false, starts_by_itself = false;
    sys::Fd lock;
  };
  std::map<std::string, Domain> domains;  // by "URI UUID"
  Words orders;                           // "start", …
  bool in_reach = true, guest_obeys = true, is_here = true, hangs = false;

  static std::string between(const std::string& text, const std::string& before, const std::string& after) {
    const auto begin = text.find(before);
    REQUIRE(begin != std::string::npos);
    return text.substr(begin + before.size(), text.find(after, begin + before.size()) - begin - before.size());
  }

  sys::Result define(const std::string& uri, const std::string& file) {
    const auto xml = sys::read_file(file);
    const auto uuid = between(xml, "<uuid>", "</uuid>"), name = between(xml, "<name>", "</name>");
    for (const auto& [key, other] : domains)
      if (key.starts_with(uri + " ") && (other.name == name) != (other.uuid == uuid))
        return {.exit_status = 1, .err = "error: operation failed: domain '" + name + "' already exists with uuid X\n"};
    auto& domain = domains[uri + " " + uuid];
    domain.uuid = uuid, domain.name = name, domain.xml = xml;
    return {};
  }
  void run(Domain& domain) {
    const auto layer = between(domain.xml, "<source file=\"", "\"");
    domain.state = "running";
    if (!is_here) return;
    domain.lock = sys::open_for_update(layer);
    block::lock_image_exclusively(domain.lock.get(), layer);
  }
  void end(Domain& domain) {
    domain.state = "shut off";
    domain.lock = {};
  }
  std::string info(const Domain& domain) const {
    return std::string("Name:           x\nAutostart:      ") + (domain.starts_by_itself ? "enable" : "disable") +
           "\nManaged save:   " + (domain.saved ? "yes" : "no") + "\n";
  }
  std::string lists(const std::string& uri) const {
    std::string active, paused;
    for (const auto& [key, domain] : domains) {
      if (!key.starts_with(uri + " ") || domain.state == "shut off") continue;
      active += domain.uuid + "\n";
      if (domain.state == "paused") paused += domain.uuid + "\n";
    }
    return active + "\npaused:\n" + paused + "\n";
  }
  sys::Result obey(const std::string& uri, const Words& words) {
    const auto& order = words[0];
    if (order == "list --uuid; echo paused:; list --uuid --state-paused") return {.out = lists(uri)};
    if (order == "define") return define(uri, words[1]);
    const auto uuid = order == "screenshot" ? words[1] : words.back();
    const auto found = domains.find(uri + " " + uuid);
    if (found == domains.end()) return {.exit_status = 1, .err = "error: failed to get domain '" + uuid + "'\n"};
    auto& domain = found->second;
    if (order == "domstate") return {.out = domain.state + "\n"};
    if (order == "dominfo") return {.out = info(domain)};
    if (order == "dumpxml") return {.out = domain.xml};
    if (order == "start") run(domain);
    if (order == "destroy" || (order == "shutdown" && guest_obeys)) end(domain);
    if (order == "suspend") domain.state = "paused";
    if (order == "resume") domain.state = "running";
    if (order == "autostart") domain.starts_by_itself = words[1] != "--disable";
    if (order == "screenshot") std::ofstream(words[2]) << "\x89PNG picture";
    if (order == "undefine") domains.erase(found);
    return {};
  }
  sys::Result answer(const sys::Command& command) {
    if (hangs) return {.timed_out = true};
    if (!in_reach) return {.exit_status = 1, .err = "error: failed to connect to the hypervisor\nerror: no socket\n"};
    const Words words(command.argv.begin() + 4, command.argv.end());
    orders.push_back(words[0]);
    return obey(command.argv[3], words);
  }
};

struct InLibvirt : test::MachineStore {
  InLibvirt() {
    auto& here = host().host();
    here.uid = 1000;
    here.environment["XDG_RUNTIME_DIR"] = folder() / "run";
    here.environment["PATH"] = folder() / "bin";
    folder().program("bin/qemu-system-x86_64");
    folder().program("bin/virsh");
    host().runner.on("qemu-system-x86_64", [](const sys::Command&) { return sys::Result{}; });
    host().runner.on("virsh", [this](const sys::Command& command) { return libvirt.answer(command); });
    add("web");
  }
  void boot(const std::string& uri = "qemu:///session") {
    REQUIRE(run({"boot", "web", "--libvirt=" + uri, "--accel", "tcg"}) == 0);
    libvirt.orders.clear();
  }
  void boot_and_end() {
    boot();
    libvirt.end(domain());
  }
  Libvirt::Domain& domain() {
    REQUIRE(libvirt.domains.size() == 1);
    return libvirt.domains.begin()->second;
  }
  bool was_ordered(const std::string& order) const {
    return std::find(libvirt.orders.begin(), libvirt.orders.end(), order) != libvirt.orders.end();
  }
  std::string error() { return host().err.str(); }

  Libvirt libvirt;
};

}  // namespace

TEST_CASE_METHOD(InLibvirt, "a machine that libvirt runs is said to run, and where") {
  boot();
  auto shown = json({"show", "web"})["machines"].items().at(0);
  CHECK(shown["state"].text() == "running");
  CHECK(shown["libvirt"]["uri"].text() == "qemu:///session");
  CHECK(shown["libvirt"]["domain"].text() == "web");
  CHECK(shown["guard"].is_null());
  domain().state = "paused";
  CHECK(json({"list"})["machines"].items().at(0)["state"].text() == "paused");
  REQUIRE(run({"list"}) == 0);
  CHECK_THAT(host().out.str(), Contains("LIBVIRT") && Contains("qemu:///session"));
  libvirt.in_reach = false;
  shown = json({"list"})["machines"].items().at(0);
  CHECK(shown["state"].text() == "running");
  CHECK(shown["libvirt"].is_null());
}

TEST_CASE_METHOD(InLibvirt, "libvirt is not asked about machines that do not run, or were never given to it") {
  boot_and_end();
  libvirt.orders.clear();
  add("db");
  const auto running = runs("db");
  CHECK(run({"list"}) == 0);
  CHECK(run({"show", "db"}) == 0);
  CHECK(run({"reset", "db"}) == 1);
  CHECK(libvirt.orders.empty());
}

TEST_CASE_METHOD(InLibvirt, "a list asks each libvirt once, and says which does not answer") {
  boot();
  add("db");
  REQUIRE(run({"boot", "db", "--libvirt=qemu:///session", "--accel", "tcg"}) == 0);
  add("mail");
  REQUIRE(run({"boot", "mail", "--libvirt=test:///default", "--accel", "tcg"}) == 0);
  libvirt.domains["qemu:///session " + machine("db").definition.uuid.text()].state = "paused";
  libvirt.orders.clear();
  const auto states = [&] {
    std::string all;
    const auto listed = json({"list"});
    for (const auto& each : listed["machines"].items())
      all += each["name"].text().value() + " " + each["state"].text().value() +
             (each["libvirt"].is_null() ? "\n" : " *\n");
    return all;
  };
  CHECK(states() == "db paused *\nmail running *\nweb running *\n");
  CHECK(libvirt.orders.size() == 2);
  CHECK(error() == "");
  libvirt.hangs = true;
  CHECK(states() == "db running\nmail running\nweb running\n");
  CHECK(host().runner.calls.size() == 2);
  CHECK_THAT(error(), Contains("libvirt at qemu:///session does not answer") && Contains("test:///default"));
}

TEST_CASE_METHOD(InLibvirt, "stop powers the domain down, and ends one that does not obey or is paused") {
  boot();
  CHECK(json({"stop", "web"})["stopped"].text() == "powered-down");
  CHECK(domain().state == "shut off");
  CHECK(run({"stop", "web"}) == 1);
  CHECK_THAT(error(), Contains("web is not running"));
  boot();
  libvirt.guest_obeys = false;
  CHECK(json({"stop", "web", "--timeout", "1"})["stopped"].text() == "quit");
  CHECK(was_ordered("shutdown"));
  boot();
  CHECK(json({"stop", "web", "--force"})["stopped"].text() == "quit");
  CHECK_FALSE(was_ordered("shutdown"));
  boot();
  domain().state = "paused";
  CHECK(json({"stop", "web"})["stopped"].text() == "quit");
  CHECK_FALSE(was_ordered("shutdown"));
}

TEST_CASE_METHOD(InLibvirt, "pause and resume act on the domain, and say when there was nothing to do") {
  boot();
  CHECK(json({"resume", "web"})["done"].text() == "was-running");
  CHECK(json({"pause", "web"})["done"].text() == "paused");
  CHECK(domain().state == "paused");
  CHECK(json({"pause", "web"})["done"].text() == "was-paused");
  CHECK(json({"resume", "web"})["done"].text() == "resumed");
  CHECK(domain().state == "running");
}

TEST_CASE_METHOD(InLibvirt, "restart starts a domain again that has powered down, and resets one that does not") {
  boot();
  CHECK(json({"restart", "web"})["done"].text() == "powered-down");
  CHECK(libvirt.orders.back() == "start");
  CHECK(domain().state == "running");
  libvirt.guest_obeys = false;
  CHECK(json({"restart", "web", "--timeout", "0"})["done"].text() == "reset");
  CHECK(was_ordered("reset"));
}

TEST_CASE_METHOD(InLibvirt, "the screen and the serial line are libvirt's") {
  boot();
  const auto picture = (folder() / "screen.png").string();
  REQUIRE(run({"screenshot", "web", picture}) == 0);
  CHECK(sys::read_file(picture) == "\x89PNG picture");
  CHECK(run({"console", "web"}) == 1);
  CHECK_THAT(error(), Contains("virsh -c qemu:///session console web"));
  host().use_terminal();
  try {
    run({"console", "web"});
    FAIL("virsh did not take over");
  } catch (const test::Executed& executed) {
    const Words words(executed.command.argv.begin() + 1, executed.command.argv.end());
    CHECK(words == Words{"-q", "-c", "qemu:///session", "console", domain().uuid});
  }
}

TEST_CASE_METHOD(InLibvirt, "what libvirt runs is not changed, removed or booted") {
  snapshot("web", "fresh");
  boot();
  for (const Words& words :
       {Words{"reset", "web"}, Words{"snapshot", "revert", "web@fresh"}, Words{"remove", "web", "--yes"},
        Words{"rename", "web", "db"}, Words{"boot", "web"}, Words{"export", "web", (folder() / "x.qcow2").string()}}) {
    CHECK(run(words) == 1);
    CHECK_THAT(error(), Contains("running") && Contains("stop it first: hrvm stop web"));
  }
}

TEST_CASE_METHOD(InLibvirt, "what libvirt runs is not kept meanwhile, as its QEMU takes orders of libvirt alone") {
  boot();
  CHECK(run({"snapshot", "create", "web@later"}) == 4);
  CHECK_THAT(error(), Contains("runs in libvirt at qemu:///session") && Contains("stop it first: hrvm stop web"));
  CHECK(run({"show", "web@later"}) == 1);
}

TEST_CASE_METHOD(InLibvirt, "one that libvirt runs on another host is a running one, though nothing is locked here") {
  libvirt.is_here = false;
  boot("qemu+ssh://there/system");
  CHECK(json({"list"})["machines"].items().at(0)["state"].text() == "running");
  CHECK(run({"reset", "web"}) == 1);
  CHECK(run({"boot", "web", "--accel", "tcg"}) == 1);
  CHECK_THAT(error(), Contains("running already, in libvirt at qemu+ssh://there/system"));
  CHECK(run({"remove", "web", "--yes"}) == 1);
  libvirt.in_reach = false;
  CHECK(json({"list"})["machines"].items().at(0)["state"].is_null());
  CHECK(run({"reset", "web"}) == 1);
  libvirt.in_reach = true;
  CHECK(json({"stop", "web"})["stopped"].text() == "powered-down");
}

TEST_CASE_METHOD(InLibvirt,
                 "a change undefines the domain meanwhile, and defines it for the layers that there are then") {
  boot_and_end();
  domain().starts_by_itself = true;
  const auto base_before = domain().xml.substr(domain().xml.find("base.img"));
  const auto old_layer = machine("web").active_layer().string();
  REQUIRE(run({"snapshot", "create", "web@fresh"}) == 0);
  const auto layer = machine("web").active_layer().string();
  CHECK(libvirt.between(domain().xml, "<source file=\"", "\"") == layer);
  CHECK(domain().xml.find("<source file=\"" + old_layer + "\"") > domain().xml.find("<backingStore"));
  CHECK(domain().starts_by_itself);
  const auto at = [&](const std::string& order) {
    return std::find(libvirt.orders.begin(), libvirt.orders.end(), order) - libvirt.orders.begin();
  };
  CHECK(at("undefine") < at("define"));

  REQUIRE(run({"reset", "web"}) == 0);
  CHECK(libvirt.between(domain().xml, "<source file=\"", "\"") == machine("web").active_layer());
  CHECK_THAT(domain().xml, !Contains(old_layer) && !Contains(layer) && Contains("relabel=\"no\""));
  REQUIRE(run({"rename", "web", "db"}) == 0);
  CHECK(domain().name == "db");
  CHECK(libvirt.between(domain().xml, "<source file=\"", "\"") == machine("db").active_layer());
  CHECK_THAT(domain().xml, Contains("<hrvm:machine xmlns:hrvm=\"urn:hrvm:machine:1\" name=\"db\""));
  CHECK(domain().xml.substr(domain().xml.find("base.img")).substr(0, 60) == base_before.substr(0, 60));
}

TEST_CASE_METHOD(InLibvirt, "a change that fails leaves the domain defined as it was") {
  boot_and_end();
  const auto xml = domain().xml;
  const auto layers = machine("web").folder / "layers";
  host().runner.on("virsh", [&](const sys::Command& command) {
    if (command.argv[4] == "undefine") std::filesystem::rename(layers, folder() / "away");
    return libvirt.answer(command);
  });
  CHECK(run({"reset", "web"}) == 1);
  CHECK(was_ordered("undefine"));
  CHECK(domain().xml == xml);
}

// As a kill does: nothing on the way takes it for a failure.
struct Killed {};

struct CutOff : InLibvirt {
  // A change that is cut off once the domain is undefined: before it is made, or before the domain is defined again.
  void cut_off(const Words& words, const std::string& at) {
    host().runner.on("virsh", [this, at](const sys::Command& command) {
      if (command.argv[4] == "define" && at == "define") throw Killed();
      const auto answer = libvirt.answer(command);
      if (command.argv[4] == "undefine" && at == "undefine") throw Killed();
      return answer;
    });
    CHECK_THROWS_AS(run(words), Killed);
    host().runner.on("virsh", [this](const sys::Command& command) { return libvirt.answer(command); });
    CHECK(libvirt.domains.empty());
  }
  void is_defined_as(const std::string& name) {
    CHECK(domain().name == name);
    CHECK(libvirt.between(domain().xml, "<source file=\"", "\"") == machine(name).active_layer());
    CHECK(domain().starts_by_itself);
    CHECK_FALSE(std::filesystem::exists(machine(name).folder / "libvirt-away.json"));
  }
};

TEST_CASE_METHOD(CutOff, "the domain of a change that was cut off is defined by the next one") {
  boot_and_end();
  domain().starts_by_itself = true;
  cut_off({"snapshot", "create", "web@one"}, "undefine");
  REQUIRE(run({"set", "web", "description=a text"}) == 0);
  is_defined_as("web");
  CHECK_FALSE(machine("web").definition.find_snapshot("one"));
  cut_off({"snapshot", "create", "web@one"}, "define");
  CHECK(machine("web").definition.find_snapshot("one"));
  REQUIRE(run({"snapshot", "create", "web@two"}) == 0);
  is_defined_as("web");
  cut_off({"rename", "web", "db"}, "define");
  REQUIRE(run({"reset", "db"}) == 0);
  is_defined_as("db");
}

TEST_CASE_METHOD(CutOff, "the domain of a change that was cut off is defined by a boot, or by doctor where asked") {
  folder().program("bin/libvirtd");
  const auto status = [&](const Words& words) {
    const auto examined = json(words);
    for (const auto& check : examined["checks"].items())
      if (check["id"].text() == "domains") return check["status"].text().value();
    return std::string("not there");
  };
  boot_and_end();
  domain().starts_by_itself = true;
  CHECK(status({"doctor"}) == "ok");
  cut_off({"reset", "web"}, "define");
  CHECK(status({"doctor"}) == "warning");
  CHECK(libvirt.domains.empty());
  CHECK(status({"doctor", "--fix"}) == "ok");
  is_defined_as("web");
  cut_off({"reset", "web"}, "undefine");
  CHECK_THROWS_AS(run({"boot", "web", "--accel", "tcg"}), test::Executed);
  is_defined_as("web");
}

TEST_CASE_METHOD(CutOff, "a domain that a person undefined stays so, whatever a change that was cut off had kept") {
  boot_and_end();
  domain().starts_by_itself = true;
  cut_off({"reset", "web"}, "define");
  boot_and_end();
  libvirt.domains.clear();
  REQUIRE(run({"reset", "web"}) == 0);
  CHECK(libvirt.domains.empty());
}

TEST_CASE_METHOD(InLibvirt, "while libvirt is out of reach nothing is changed of a machine that it could start") {
  boot_and_end();
  libvirt.in_reach = false;
  const auto generation = machine("web").generation;
  CHECK(run({"reset", "web"}) == 1);
  CHECK_THAT(error(), Contains("out of reach: failed to connect to the hypervisor: no socket") &&
                          Contains("where that libvirt is no more, remove") && Contains("libvirt.json"));
  CHECK(machine("web").generation == generation);
  std::filesystem::remove(launch::domain_record_path(machine("web").folder));
  CHECK(run({"reset", "web"}) == 0);
}

TEST_CASE_METHOD(InLibvirt, "a guest whose memory libvirt keeps has its disk left alone") {
  boot_and_end();
  domain().saved = true;
  for (const Words& words : {Words{"reset", "web"}, Words{"boot", "web", "--accel", "tcg"}}) {
    CHECK(run(words) == 1);
    CHECK_THAT(error(), Contains("keeps the memory") && Contains("virsh -c qemu:///session managedsave-remove web"));
  }
  boot();
  CHECK(domain().state == "running");
}

TEST_CASE_METHOD(InLibvirt, "remove undefines the domain with its variables, and no domain that is another's") {
  boot_and_end();
  const auto planned = json({"remove", "web", "--dry-run"});
  CHECK(planned["libvirt"]["domain"].text() == "web");
  Words undefined;
  host().runner.on("virsh", [&](const sys::Command& command) {
    if (command.argv[4] == "undefine") undefined = command.argv;
    return libvirt.answer(command);
  });
  REQUIRE(run({"remove", "web", "--yes"}) == 0);
  CHECK(libvirt.domains.empty());
  CHECK(std::find(undefined.begin(), undefined.end(), "--nvram") != undefined.end());

  add("web");
  boot_and_end();
  auto& xml = domain().xml;
  xml.erase(xml.find("<metadata>"), xml.find("</metadata>") + 11 - xml.find("<metadata>"));
  REQUIRE(run({"remove", "web", "--yes"}) == 0);
  CHECK(libvirt.domains.size() == 1);
}

TEST_CASE_METHOD(InLibvirt, "remove goes on without libvirt, and says what to run later") {
  boot_and_end();
  libvirt.in_reach = false;
  REQUIRE(run({"remove", "web", "--yes"}) == 0);
  CHECK_FALSE(store().contains("web"));
  CHECK_THAT(error(), Contains("the domain web stays defined") &&
                          Contains("run this later: virsh -c qemu:///session undefine --nvram web"));
}

TEST_CASE_METHOD(InLibvirt, "a second boot in libvirt redefines the domain, or moves it from where it was defined") {
  boot_and_end();
  REQUIRE(run({"boot", "web", "--libvirt", "--accel", "tcg", "--memory", "3G"}) == 0);
  CHECK_THAT(domain().xml, Contains("<memory unit=\"MiB\">3072<"));
  libvirt.end(domain());
  boot("test:///default");
  CHECK(libvirt.domains.begin()->first.starts_with("test:///default "));
  CHECK(domain().state == "running");
}

TEST_CASE_METHOD(InLibvirt, "a name that another machine's domain has is told, with what to do") {
  libvirt.domains["qemu:///session other"] = {.uuid = "other", .name = "web", .xml = ""};
  CHECK(run({"boot", "web", "--libvirt", "--accel", "tcg"}) == 1);
  CHECK_THAT(error(), Contains("already exists with uuid") && Contains("hrvm rename web NEW"));
}

TEST_CASE_METHOD(InLibvirt, "a record that says nothing is damage that names its file") {
  folder().write("store/web/libvirt.json", "{\"uri\": 5}");
  CHECK(run({"reset", "web"}) == 1);
  CHECK_THAT(error(), Contains("which domain of libvirt the machine is") && Contains("web/libvirt.json"));
}

TEST_CASE_METHOD(InLibvirt, "a machine of libvirt's starts with the host by libvirt, and by no unit of systemd") {
  boot_and_end();
  REQUIRE(run({"set", "web", "autostart=on"}) == 0);
  CHECK(domain().starts_by_itself);
  CHECK_THAT(error(), !Contains("systemctl"));
  REQUIRE(run({"snapshot", "create", "web@fresh"}) == 0);
  CHECK(domain().starts_by_itself);
  REQUIRE(run({"set", "web", "autostart=off"}) == 0);
  CHECK_FALSE(domain().starts_by_itself);
  REQUIRE(run({"set", "web", "autostart=on"}) == 0);
  domain().starts_by_itself = false;
  boot_and_end();
  CHECK(domain().starts_by_itself);
  libvirt.in_reach = false;
  CHECK(run({"set", "web", "autostart=off"}) == 1);
}
