// What is found wrong with the host.
#include "unit/doctor/fixture.hpp"

using namespace hrvm;
using doctor::Status;
using doctor::testing::Fixture;
using doctor::testing::only;

// A host whose programs and files are those that a test puts into its folder.
class EmptyHost : public Fixture {
 public:
  EmptyHost() { host.host().root = folder.path(); }
};

TEST_CASE("a QEMU that is missing or too old is an error, with the line that installs it") {
  Fixture fixture;
  fixture.host.host().environment["PATH"] = "/usr/bin";
  const auto judged = [&](const std::string& answer) {
    fixture.host.runner.on("qemu-system-x86_64", [=](const auto&) { return sys::Result{.out = answer}; });
    return only(doctor::check_qemu(fixture.circumstances()));
  };
  CHECK(judged("QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7)\n").message.ends_with("is version 7.2.22"));
  CHECK(judged("QEMU emulator version 10.0.2\n").status == Status::ok);
  CHECK(judged("QEMU emulator version 5.2.0\n").status == Status::error);
  CHECK(judged("something else\n").status == Status::error);
  EmptyHost without;
  const auto missing = only(doctor::check_qemu(without.circumstances()));
  CHECK(missing.status == Status::error);
  CHECK(missing.remedy == "apt install qemu-system-x86");
}

TEST_CASE("missing UEFI firmware is an error for a machine that needs it, else a warning") {
  EmptyHost fixture;
  CHECK(only(doctor::check_uefi(fixture.circumstances())).status == Status::warning);
  machine::Definition definition;
  definition.uuid = fixture.host.host().new_guid();
  definition.disks[0] = {.path = "/dev/sda", .stable_path = "/dev/sda", .size_bytes = 8 << 20};
  definition.active.layer = "00000000000000a1";
  definition.active.hardware = {
      .memory_bytes = 1 << 20, .firmware = machine::Firmware::uefi, .mac = "52:54:00:12:34:56"};
  definition.fingerprints["00000000000000a1"] = {};
  fixture.add("web", definition);
  const auto result = only(doctor::check_uefi(fixture.circumstances()));
  CHECK(result.status == Status::error);
  CHECK(result.message.find("web ") == 0);
  CHECK(result.remedy == "apt install ovmf");
}

TEST_CASE("a recorded host's KVM is not judged") {
  EmptyHost fixture;
  CHECK(only(doctor::check_kvm(fixture.circumstances())).status == Status::skipped);
}

TEST_CASE("libvirt is only examined where it is installed") {
  EmptyHost fixture;
  for (auto* check : {doctor::check_libvirtd, doctor::check_virtlogd, doctor::check_network, doctor::check_polkit,
                      doctor::check_denials}) {
    CHECK(only(check(fixture.circumstances())).status == Status::skipped);
  }
}

TEST_CASE("the pieces of libvirt that do not run are warnings until they do") {
  EmptyHost fixture;
  fixture.folder.program("/usr/sbin/libvirtd");
  CHECK(only(doctor::check_virtlogd(fixture.circumstances())).status == Status::warning);
  fixture.folder.write("/run/libvirt/virtlogd-sock", "");
  CHECK(only(doctor::check_virtlogd(fixture.circumstances())).status == Status::ok);

  CHECK(only(doctor::check_network(fixture.circumstances())).remedy.find("net-define") != std::string::npos);
  fixture.folder.write("/etc/libvirt/qemu/networks/default.xml", "<network/>");
  const auto inactive = only(doctor::check_network(fixture.circumstances()));
  CHECK(inactive.status == Status::warning);
  CHECK(inactive.remedy ==
        "apt install dnsmasq-base && virsh -c qemu:///system net-autostart default && "
        "virsh -c qemu:///system net-start default");
  fixture.folder.write("/run/libvirt/network/default.xml", "<networkstatus/>");
  const auto for_now = only(doctor::check_network(fixture.circumstances()));
  CHECK(for_now.message.find("will not be after the host's next start") != std::string::npos);
  CHECK(for_now.remedy == "virsh -c qemu:///system net-autostart default");
  fixture.folder.write("/etc/libvirt/qemu/networks/autostart/default.xml", "<network/>");
  CHECK(only(doctor::check_network(fixture.circumstances())).status == Status::ok);

  fixture.host.host().uid = 1000;
  CHECK(only(doctor::check_polkit(fixture.circumstances())).status == Status::warning);
  fixture.folder.write("/usr/share/polkit-1/actions/org.libvirt.unix.policy", "");
  fixture.folder.write("/usr/lib/polkit-1/polkitd", "");
  CHECK(only(doctor::check_polkit(fixture.circumstances())).status == Status::ok);
}

TEST_CASE("a store in memory is an error that names where else there is room") {
  EmptyHost fixture;
  fixture.folder.write("/proc/self/mountinfo",
                       "22 1 0:20 / / rw - overlay overlay rw,lowerdir=/ro,upperdir=/rw/upper,workdir=/rw/work\n"
                       "23 22 0:21 / /rw rw - tmpfs tmpfs rw\n"
                       "24 22 8:1 / /mnt/data rw - ext4 /dev/sda1 rw\n");
  std::filesystem::create_directories(fixture.folder / "mnt/data");
  const machine::Store store(fixture.host.host(), "/var/lib/hrvm");
  const auto result = only(doctor::check_storage({fixture.host.host(), store, std::nullopt}));
  CHECK(result.status == Status::error);
  CHECK(result.message.find("/var/lib/hrvm does not survive a reboot") == 0);
  CHECK(result.remedy == "export HRVM_STORE=/mnt/data/hrvm");
  const machine::Store elsewhere(fixture.host.host(), "/mnt/data/hrvm");
  CHECK(only(doctor::check_storage({fixture.host.host(), elsewhere, std::nullopt})).status == Status::ok);
}

TEST_CASE("every check has an id of its own that its results bear") {
  EmptyHost fixture;
  std::vector<std::string> ids;
  for (const auto& check : doctor::checks()) {
    for (const auto& result : check.run(fixture.circumstances())) CHECK(result.id == check.id);
    CHECK(std::count(ids.begin(), ids.end(), check.id) == 0);
    ids.emplace_back(check.id);
  }
}
