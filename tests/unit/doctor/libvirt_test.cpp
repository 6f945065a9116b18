// What is found wrong with the host's libvirt, and with what it leans on.
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>

#include "hrvm/base/error.hpp"
#include "hrvm/sys/fd.hpp"
#include "unit/doctor/fixture.hpp"

using namespace hrvm;
using Catch::Matchers::Contains;
using doctor::Status;
using doctor::testing::Fixture;
using doctor::testing::only;
using Words = std::vector<std::string>;

namespace {

// Of a recorded host on which libvirt is installed.
class LibvirtHost : public Fixture {
 public:
  LibvirtHost() {
    host.host().root = folder.path();
    folder.program("/usr/sbin/libvirtd");
    folder.program("/usr/bin/virsh");
    host.host().environment["PATH"] = "/usr/bin";
  }
  // A socket that stays behind when the descriptor is closed.
  sys::Fd listen_on(const std::string& path) const {
    folder.write(path, "");
    std::filesystem::remove(folder.path() / path.substr(1));
    sys::Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, (folder.path() / path.substr(1)).c_str(), sizeof address.sun_path - 1);
    REQUIRE(::bind(fd.get(), static_cast<const sockaddr*>(static_cast<const void*>(&address)), sizeof address) == 0);
    REQUIRE(::listen(fd.get(), 1) == 0);
    return fd;
  }
};

}  // namespace

TEST_CASE("a daemon whose socket is left over does not listen") {
  LibvirtHost fixture;
  const auto judged = [&](auto check) { return only(check(fixture.circumstances())).status; };
  CHECK(judged(doctor::check_libvirtd) == Status::warning);
  {
    const auto virtlogd = fixture.listen_on("/run/libvirt/virtlogd-sock");
    const auto libvirtd = fixture.listen_on("/run/libvirt/libvirt-sock");
    CHECK(judged(doctor::check_virtlogd) == Status::ok);
    CHECK(judged(doctor::check_libvirtd) == Status::ok);
  }
  CHECK(judged(doctor::check_virtlogd) == Status::warning);
  CHECK(judged(doctor::check_libvirtd) == Status::warning);
}

TEST_CASE("libvirt's network is put right by what it lacks alone, in an order in which what can fail is last") {
  LibvirtHost fixture;
  std::vector<Words> orders;
  fixture.host.runner.on("virsh", [&](const sys::Command& command) {
    orders.emplace_back(command.argv.begin() + 4, command.argv.end());
    return sys::Result{};
  });
  doctor::fix_network(fixture.circumstances());
  CHECK(orders == std::vector<Words>{{"net-define", "/usr/share/libvirt/networks/default.xml"},
                                     {"net-autostart", "default"},
                                     {"net-start", "default"}});
  fixture.folder.write("/etc/libvirt/qemu/networks/default.xml", "<network/>");
  fixture.folder.write("/etc/libvirt/qemu/networks/autostart/default.xml", "<network/>");
  orders.clear();
  doctor::fix_network(fixture.circumstances());
  CHECK(orders == std::vector<Words>{{"net-start", "default"}});
  fixture.host.runner.on("virsh", [&](const sys::Command&) {
    return sys::Result{.exit_status = 1, .err = "error: Cannot find 'dnsmasq' in path\n"};
  });
  CHECK_THROWS_WITH(doctor::fix_network(fixture.circumstances()), Contains("Cannot find 'dnsmasq' in path"));
}

TEST_CASE("a journal that does not run is told with its last words, where systemd runs the host") {
  LibvirtHost fixture;
  const auto judge = [&] { return only(doctor::check_journald(fixture.circumstances())); };
  CHECK(judge().status == Status::skipped);
  std::filesystem::create_directories(fixture.folder / "run/systemd/system");
  fixture.folder.write("/proc/1/comm", "systemd\n");
  fixture.folder.write("/var/log/dmesg",
                       "[    3.1] systemd-journald[208]: File /run/log/journal corrupted\n"
                       "[    3.2] systemd-journald[312]: Assertion 'path_is_absolute(p)' failed at "
                       "src/basic/chase.c:680, function chase(). Aborting.\n"
                       "[    3.3] sda: sda1\n");
  const auto result = judge();
  CHECK(result.status == Status::warning);
  CHECK_THAT(result.message, Contains("It said: systemd-journald[312]: Assertion 'path_is_absolute(p)' failed") &&
                                 !Contains("corrupted"));
  fixture.folder.write("/proc/320/comm", "systemd-journal\n");
  CHECK(judge().status == Status::ok);
}

TEST_CASE("polkit that shuts out Cockpit's way to libvirt, or a user, is told with its rule or group") {
  LibvirtHost fixture;
  const auto judge = [&] { return only(doctor::check_polkit(fixture.circumstances())); };
  CHECK(judge().status == Status::ok);
  fixture.folder.write("/etc/passwd", "root:x:0:0::/root:/bin/sh\nlibvirtdbus:x:995:993::/:/sbin/nologin\n");
  CHECK(judge().status == Status::warning);
  CHECK_THAT(judge().remedy, Contains("org.libvirt.") && Contains("/etc/polkit-1/rules.d/"));
  fixture.folder.write("/usr/share/polkit-1/rules.d/libvirt-dbus.rules", "subject.user == \"libvirtdbus\"");
  CHECK(judge().status == Status::ok);

  fixture.host.host().uid = 1000;
  fixture.host.host().environment["USER"] = "ann";
  fixture.folder.write("/usr/share/polkit-1/actions/org.libvirt.unix.policy", "");
  fixture.folder.write("/usr/lib/polkit-1/polkitd", "");
  CHECK(judge().status == Status::ok);
  fixture.folder.write("/etc/group", "kvm:x:106:ann\nlibvirt:x:112:bob,anna\n");
  CHECK(judge().status == Status::warning);
  CHECK_THAT(judge().remedy, Contains("adduser ann libvirt"));
  fixture.folder.write("/etc/group", "libvirt:x:112:bob,ann\n");
  CHECK(judge().status == Status::ok);
}

TEST_CASE("what AppArmor or SELinux kept libvirt's QEMU from is told for the machine whose file it is") {
  LibvirtHost fixture;
  machine::Definition definition;
  definition.uuid = fixture.host.host().new_guid();
  definition.disks[0] = {.path = "/srv/images/web.img", .stable_path = "/srv/images/web.img", .size_bytes = 8 << 20};
  definition.active.layer = "00000000000000a1";
  definition.active.hardware.memory_bytes = 64 << 20;
  definition.active.hardware.mac = "52:54:00:12:34:56";
  definition.fingerprints[definition.active.layer] = {};
  const auto machine = fixture.add("web", definition);
  const auto judge = [&] { return doctor::check_denials(fixture.circumstances()); };
  CHECK(only(judge()).status == Status::ok);
  const auto denied = [](const std::string& profile, const std::string& name) {
    return "[ 9.1] audit: type=1400 audit(1.2:3): apparmor=\"DENIED\" operation=\"open\" profile=\"" + profile +
           "\" name=\"" + name + "\" pid=7 comm=\"qemu-system-x86\" requested_mask=\"r\" denied_mask=\"r\"\n";
  };
  const auto own = "libvirt-" + machine.definition.uuid.text();
  fixture.folder.write("/var/log/dmesg", denied("libvirt-c584133a-c916-4b3c-8c58-4133ac916ab3", "/etc/passwd") +
                                             denied("firefox", "/srv/images/web.img") +
                                             denied(own, "/srv/images/web.img") + denied(own, "/srv/images/web.img"));
  const auto by_apparmor = only(judge());
  CHECK(by_apparmor.status == Status::warning);
  CHECK(by_apparmor.message == "web: AppArmor kept libvirt's QEMU from /srv/images/web.img");
  CHECK(by_apparmor.remedy ==
        "echo '  \"/srv/images/web.img\" rk,' >> /etc/apparmor.d/local/abstractions/libvirt-qemu");

  const auto avc = [](const std::string& path, const std::string& context) {
    return "type=AVC msg=audit(1.2:4): avc:  denied  { read } for  pid=7 comm=\"qemu-kvm\" path=\"" + path +
           "\" dev=\"sda1\" ino=5 scontext=" + context + " tcontext=system_u:object_r:default_t:s0 tclass=file\n";
  };
  const std::string confined = "system_u:system_r:svirt_t:s0:c1,c2";
  fixture.folder.write("/var/log/dmesg", "");
  fixture.folder.write("/var/log/audit/audit.log",
                       avc(machine.active_layer(), confined) + avc(machine.active_layer(), "user_u:user_r:user_t:s0") +
                           avc("/srv/images/web.img", confined) + avc("/srv/other.img", confined) + "avc:  denied\n");
  const auto by_selinux = judge();
  REQUIRE(by_selinux.size() == 2);
  CHECK_THAT(by_selinux[0].message,
             Contains("web: SELinux kept libvirt's QEMU from " + machine.active_layer().string()));
  CHECK_THAT(by_selinux[0].remedy, Contains("semanage fcontext -a -t svirt_image_t"));
  CHECK_THAT(by_selinux[1].remedy, Contains("hrvm boot web") && !Contains("semanage"));
}
