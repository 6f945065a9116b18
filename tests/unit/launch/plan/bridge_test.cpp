#include "hrvm/launch/bridge.hpp"

#include <catch2/catch.hpp>
#include <filesystem>

#include "hrvm/base/error.hpp"
#include "support/temporary_directory.hpp"
#include "support/test_host.hpp"

using namespace hrvm;
using Catch::Matchers::Contains;

namespace {

// A host with the bridge br0, a plain interface, Fedora's place for the helper and an access list.
struct Bridged {
  Bridged() {
    folder.write("/sys/class/net/br0/bridge/bridge_id", "8000.525400123456");
    folder.write("/sys/class/net/eth0/mtu", "1500");
    folder.write(helper, "");
    allow("allow br0\n");
  }
  void allow(const std::string& text) { folder.write("/etc/qemu/bridge.conf", text); }
  void mode(unsigned mode) { std::filesystem::permissions(folder / helper.substr(1), std::filesystem::perms(mode)); }
  std::string found(const std::string& bridge = "br0") { return launch::usable_bridge_helper(machine.host(), bridge); }
  // What stands in the way, with what to do.
  std::string obstacle(const std::string& bridge = "br0") {
    try {
      found(bridge);
    } catch (const base::Error& error) {
      return error.message() + " | " + error.hint();
    }
    return "none";
  }

  const std::string helper = "/usr/libexec/qemu-bridge-helper";
  test::TemporaryDirectory folder;
  test::TestHost machine{folder.path()};
};

}  // namespace

TEST_CASE_METHOD(Bridged, "a guest may join a bridge that the access list of the helper allows") {
  CHECK(found() == helper);
  for (const char* text : {"allow all", "# ours\n\n\tallow \t br0  ", "allow br1\nallow br0"}) {
    INFO(text);
    allow(text);
    CHECK(found() == helper);
  }
  folder.write("/etc/qemu/alice.conf", "allow br0\n");
  allow("include /etc/qemu/alice.conf\n");
  CHECK(found() == helper);
}

TEST_CASE_METHOD(Bridged, "what the access list does not allow is told with the line that would") {
  for (const char* text : {"", "allow br1", "#allow br0", "allow", "allow br0 # here"}) {
    INFO(text);
    allow(text);
    CHECK_THAT(obstacle(), Contains("may not join a guest to br0") && Contains("echo 'allow br0' >>"));
  }
  for (const char* text : {"allow all\ndeny br0", "deny all\nallow br0"}) {
    INFO(text);
    allow(text);
    CHECK_THAT(obstacle(), Contains("/etc/qemu/bridge.conf denies it"));
  }
  std::filesystem::remove(folder / "etc/qemu/bridge.conf");
  CHECK_THAT(obstacle(), Contains("mkdir -p /etc/qemu && echo 'allow br0'"));
}

TEST_CASE_METHOD(Bridged,
                 "an access list that goes round in circles, or is not all to be read, ends and is not judged") {
  allow("include /etc/qemu/bridge.conf\n");
  CHECK(found() == helper);
  allow("include /etc/qemu/missing.conf\n");
  CHECK(found() == helper);
  allow("include /etc/qemu/missing.conf\ndeny br0\n");
  CHECK_THAT(obstacle(), Contains("denies it"));
}

TEST_CASE_METHOD(Bridged, "a bridge that is none is told from one that is not there") {
  CHECK_THAT(obstacle("eth0"), Contains("eth0 is no bridge") && Contains("bridges of this host: br0"));
  CHECK_THAT(obstacle("br7"), Contains("has no bridge br7") && Contains("bridges of this host: br0"));
  std::filesystem::remove_all(folder / "sys/class/net/br0");
  CHECK_THAT(obstacle(), Contains("has no bridge br0") && Contains("ip link add br0 type bridge"));
}

TEST_CASE_METHOD(Bridged, "who is not root needs a helper that is") {
  machine.host().uid = 1000;
  mode(0755);
  CHECK_THAT(obstacle(), Contains("not root") && Contains("chmod u+s /usr/libexec/qemu-bridge-helper"));
  mode(04755);
  CHECK(found() == helper);
  std::filesystem::remove(folder / helper.substr(1));
  CHECK_THAT(obstacle(), Contains("not installed") && Contains("apt install qemu-system-common"));
}
