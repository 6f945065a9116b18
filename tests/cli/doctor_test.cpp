#include <algorithm>
#include <catch2/catch.hpp>

#include "cli/golden.hpp"
#include "hrvm/base/json.hpp"
#include "hrvm/cli/command.hpp"
#include "support/recorded_machines.hpp"
#include "support/temporary_directory.hpp"

using namespace hrvm;
using base::Json;
using test::TestHost;
using test::Transcript;

// The results of one check, from `hrvm doctor --json` with these words behind it.
static std::vector<Json> checks(TestHost& host, const std::string& id, std::vector<std::string> words, int status) {
  words.insert(words.begin(), {"doctor", "--json"});
  host.forget();
  CHECK(cli::run(host.host(), words) == status);
  const auto report = base::parse_json(host.out.str(), "the report");
  CHECK(report["schema"].text() == "hrvm.doctor/1");
  std::vector<Json> found;
  for (const auto& check : report["checks"].items()) {
    if (check["id"].text() == id) found.push_back(check);
  }
  return found;
}

// A host on which QEMU is installed, so that nothing is an error.
class SoundHost {
 public:
  SoundHost() {
    folder.program("/usr/bin/qemu-system-x86_64");
    folder.write("/proc/self/mountinfo", "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n");
    host.host().root = folder.path();
    host.host().environment["PATH"] = "/usr/bin";
  }
  std::string store() const { return folder / "store"; }

  const test::TemporaryDirectory folder;
  TestHost host;
};

TEST_CASE("warnings alone end in 0, an error in 3") {
  SoundHost sound;
  CHECK(checks(sound.host, "uefi", {"--store", sound.store()}, 0).at(0)["status"].text() == "warning");
  std::filesystem::remove(sound.folder / "usr/bin/qemu-system-x86_64");
  CHECK(checks(sound.host, "qemu", {"--store", sound.store()}, 3).at(0)["status"].text() == "error");
}

TEST_CASE("a live system whose root is kept in memory is no place for a store") {
  TestHost host(test::recorded_machine("live").root());
  const auto storage = checks(host, "storage", {}, 3).at(0);
  CHECK(storage["status"].text() == "error");
  CHECK(storage["message"].text()->find("/var/lib/hrvm does not survive a reboot") == 0);
  CHECK(storage["remedy"].is_string());
}

TEST_CASE("doctor --fix puts right what it says it does, and says so") {
  SoundHost sound;
  sound.folder.write("store/half/layers/00000000000000fe.qcow2", "an import that did not end");
  const std::vector<std::string> words = {"--store", sound.store()};
  CHECK(checks(sound.host, "garbage", words, 0).at(0)["status"].text() == "warning");
  CHECK(std::filesystem::exists(sound.folder / "store/half"));
  CHECK(checks(sound.host, "garbage", {"--store", sound.store(), "--fix"}, 0).at(0)["status"].text() == "ok");
  CHECK(base::parse_json(sound.host.out.str(), "")["fixed"] == Json(std::vector<std::string>{"garbage"}));
  CHECK_FALSE(std::filesystem::exists(sound.folder / "store/half"));
}

TEST_CASE("a person reads the worst first, each with its remedy") {
  SoundHost sound;
  Transcript transcript(sound.host, "doctor/sound");
  transcript.run({"doctor", "--store", sound.store()});
  transcript.run({"doctor", "--store", sound.store(), "nosuch"});
  transcript.check();
}

TEST_CASE("doctor --fix changes nothing of the host that runs hrvm for what is wrong with a recorded one") {
  SoundHost sound;
  sound.folder.program("/usr/sbin/libvirtd");
  sound.folder.program("/usr/bin/virsh");
  CHECK(checks(sound.host, "network", {"--store", sound.store(), "--fix"}, 0).at(0)["status"].text() == "warning");
  for (const auto& call : sound.host.runner.calls) CHECK(call.program() != "virsh");
}
