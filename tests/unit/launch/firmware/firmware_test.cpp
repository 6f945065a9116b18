#include "hrvm/launch/firmware.hpp"

#include <fmt/core.h>

#include <catch2/catch.hpp>

#include "support/temporary_directory.hpp"
#include "support/test_host.hpp"

using namespace hrvm;

namespace {

struct Descriptor {
  std::string code = "/usr/share/OVMF/OVMF_CODE_4M.fd";
  std::string variables = "/usr/share/OVMF/OVMF_VARS_4M.fd";
  std::string features = R"("acpi-s3", "verbose-dynamic")";
  std::string architecture = "x86_64";
  std::string machines = R"("pc-i440fx-*", "pc-q35-*")";
  std::string interface = "uefi";
  std::string mapping = R"("device": "flash",)";
  std::string format = "raw";

  std::string text() const {
    return fmt::format(
        R"({{"interface-types": ["{}"], "mapping": {{{} "executable": {{"filename": "{}", "format": "{}"}},
        "nvram-template": {{"filename": "{}", "format": "{}"}}}},
        "targets": [{{"architecture": "{}", "machines": [{}]}}], "features": [{}], "tags": []}})",
        interface, mapping, code, format, variables, format, architecture, machines, features);
  }
};

// A machine with both files of Debian's 4 MiB firmware at a place that is not among the known ones.
struct Recorded {
  Recorded() {
    place("/opt/fw/CODE.fd", 100);
    place("/opt/fw/VARS.fd", 10);
  }
  void place(const std::string& path, std::size_t bytes) { folder.write(path, std::string(bytes, 'x')); }
  void describe(const std::string& file, Descriptor descriptor = {}, bool move = true) {
    if (move) descriptor.code = "/opt/fw/CODE.fd", descriptor.variables = "/opt/fw/VARS.fd";
    folder.write(file, descriptor.text());
  }
  std::vector<launch::UefiFirmware> found() { return launch::uefi_firmwares(machine.host()); }

  test::TemporaryDirectory folder;
  test::TestHost machine{folder.path()};
};

const launch::UefiFirmware moved{"/opt/fw/CODE.fd", "/opt/fw/VARS.fd", 10, "/usr/share/qemu/firmware/60-x.json"};

}  // namespace

TEST_CASE_METHOD(Recorded, "a host without firmware has none") {
  CHECK(found().empty());
  CHECK_FALSE(launch::choose_uefi_firmware(found()));
}

TEST_CASE_METHOD(Recorded, "a descriptor names its files") {
  describe("/usr/share/qemu/firmware/60-x.json");
  CHECK(found() == std::vector{moved});
}

TEST_CASE_METHOD(Recorded,
                 "Secure Boot is for machines that ask for it, with keys or without, first though it stands") {
  using machine::SecureBoot;
  Descriptor enrolled, blank;
  enrolled.features = R"("acpi-s3", "enrolled-keys", "requires-smm", "secure-boot")";
  blank.features = R"("requires-smm", "secure-boot")";
  describe("/usr/share/qemu/firmware/40-enrolled.json", enrolled);
  describe("/usr/share/qemu/firmware/50-blank.json", blank);
  CHECK_FALSE(launch::choose_uefi_firmware(found()));
  describe("/usr/share/qemu/firmware/60-x.json");
  CHECK(launch::choose_uefi_firmware(found()) == moved);
  CHECK(launch::choose_uefi_firmware(found(), SecureBoot::on)->source == "/usr/share/qemu/firmware/40-enrolled.json");
  CHECK(launch::choose_uefi_firmware(found(), SecureBoot::blank)->source == "/usr/share/qemu/firmware/50-blank.json");
  CHECK_FALSE(launch::choose_uefi_firmware(found(), SecureBoot::on, 11));
}

TEST_CASE_METHOD(Recorded, "keys that nothing checks, and SMM for nothing, are passed over") {
  for (const auto* feature : {"enrolled-keys", "requires-smm"}) {
    CAPTURE(feature);
    Descriptor unwanted;
    unwanted.features = fmt::format(R"("acpi-s3", "{}")", feature);
    describe("/usr/share/qemu/firmware/40-odd.json", unwanted);
    CHECK(found().empty());
  }
}

TEST_CASE_METHOD(Recorded, "one code serves with keys and without, by the variables beside it") {
  using machine::SecureBoot;
  place("/usr/share/edk2/ovmf/OVMF_CODE.secboot.fd", 100);
  place("/usr/share/edk2/ovmf/OVMF_VARS.secboot.fd", 10);
  place("/usr/share/edk2/ovmf/OVMF_VARS.fd", 10);
  const auto on = launch::choose_uefi_firmware(found(), SecureBoot::on);
  const auto blank = launch::choose_uefi_firmware(found(), SecureBoot::blank);
  REQUIRE((on && blank));
  CHECK(on->code_path == blank->code_path);
  CHECK(on->template_path == "/usr/share/edk2/ovmf/OVMF_VARS.secboot.fd");
  CHECK(blank->template_path == "/usr/share/edk2/ovmf/OVMF_VARS.fd");
}

TEST_CASE_METHOD(Recorded, "firmware for something else is passed over") {
  const auto changed = GENERATE(
      std::pair{"another architecture", +[](Descriptor& one) { one.architecture = "aarch64"; }},
      std::pair{"another machine", +[](Descriptor& one) { one.machines = R"("microvm", "pc-i440fx-*")"; }},
      std::pair{"BIOS", +[](Descriptor& one) { one.interface = "bios"; }},
      std::pair{"memory", +[](Descriptor& one) { one.mapping = R"("device": "memory",)"; }},
      std::pair{"stateless", +[](Descriptor& one) { one.mapping = R"("device": "flash", "mode": "stateless",)"; }},
      std::pair{"qcow2", +[](Descriptor& one) { one.format = "qcow2"; }});
  CAPTURE(changed.first);
  Descriptor other;
  changed.second(other);
  describe("/usr/share/qemu/firmware/60-x.json", other);
  CHECK(found().empty());
}

TEST_CASE_METHOD(Recorded, "a name in /etc masks the same name in /usr, and an empty file masks it altogether") {
  describe("/usr/share/qemu/firmware/60-x.json");
  place("/opt/fw/OTHER.fd", 100);
  Descriptor other;
  other.code = "/opt/fw/OTHER.fd", other.variables = "/opt/fw/VARS.fd";
  describe("/etc/qemu/firmware/60-x.json", other, false);
  REQUIRE(found().size() == 1);
  CHECK(found()[0].code_path == "/opt/fw/OTHER.fd");
  CHECK(found()[0].source == "/etc/qemu/firmware/60-x.json");

  folder.write("/etc/qemu/firmware/60-x.json", "");
  CHECK(found().empty());
}

TEST_CASE_METHOD(Recorded, "a user's descriptors mask those of the host") {
  describe("/etc/qemu/firmware/60-x.json");
  folder.write("/home/me/.config/qemu/firmware/60-x.json", "");
  machine.host().environment["HOME"] = "/home/me";
  CHECK(found().empty());
  machine.host().environment["XDG_CONFIG_HOME"] = "/elsewhere";
  CHECK(found().size() == 1);
}

TEST_CASE_METHOD(Recorded, "names decide the order, not the folders they are in") {
  describe("/etc/qemu/firmware/70-local.json");
  place("/opt/fw/FIRST.fd", 100);
  Descriptor first;
  first.code = "/opt/fw/FIRST.fd", first.variables = "/opt/fw/VARS.fd";
  describe("/usr/share/qemu/firmware/60-first.json", first, false);
  REQUIRE(found().size() == 2);
  CHECK(found()[0].code_path == "/opt/fw/FIRST.fd");
}

TEST_CASE_METHOD(Recorded, "a descriptor that is broken, or whose files are not there, hides none of the others") {
  folder.write("/usr/share/qemu/firmware/10-broken.json", "{");
  folder.write("/usr/share/qemu/firmware/11-list.json", "[1, 2]");
  describe("/usr/share/qemu/firmware/20-absent.json", {}, false);
  describe("/usr/share/qemu/firmware/60-x.json");
  CHECK(found() == std::vector{moved});
}

TEST_CASE_METHOD(Recorded, "known places are searched where no descriptor helps") {
  const auto place_of =
      GENERATE(std::pair{"/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"},
               std::pair{"/usr/share/edk2/ovmf/OVMF_CODE.fd", "/usr/share/edk2/ovmf/OVMF_VARS.fd"},
               std::pair{"/usr/share/edk2/x64/OVMF_CODE.4m.fd", "/usr/share/edk2/x64/OVMF_VARS.4m.fd"},
               std::pair{"/usr/share/qemu/ovmf-x86_64-code.bin", "/usr/share/qemu/ovmf-x86_64-vars.bin"},
               std::pair{"/run/libvirt/nix-ovmf/edk2-x86_64-code.fd", "/run/libvirt/nix-ovmf/edk2-i386-vars.fd"});
  place(place_of.first, 100);
  CHECK(found().empty());
  place(place_of.second, 20);
  CHECK(found() == std::vector{launch::UefiFirmware{place_of.first, place_of.second, 20, "known path"}});
}

TEST_CASE_METHOD(Recorded, "variables of another size choose the firmware they were made for") {
  place("/usr/share/OVMF/OVMF_CODE_4M.fd", 100);
  place("/usr/share/OVMF/OVMF_VARS_4M.fd", 40);
  place("/usr/share/OVMF/OVMF_CODE.fd", 100);
  place("/usr/share/OVMF/OVMF_VARS.fd", 20);
  CHECK(launch::choose_uefi_firmware(found())->code_path == "/usr/share/OVMF/OVMF_CODE_4M.fd");
  CHECK(launch::choose_uefi_firmware(found(), machine::SecureBoot::off, 20)->code_path ==
        "/usr/share/OVMF/OVMF_CODE.fd");
  CHECK_FALSE(launch::choose_uefi_firmware(found(), machine::SecureBoot::off, 30));
}
