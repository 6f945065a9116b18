#include <catch2/catch.hpp>

#include "hrvm/base/error.hpp"
#include "unit/launch/sample_plan.hpp"

using namespace hrvm;
using namespace hrvm::launch;
using Catch::Matchers::Contains;
using hrvm::launch::testing::Sample;
using Forwards = std::vector<machine::PortForward>;

namespace {

base::ErrorKind refusal(const Sample& sample, std::string_view hint) {
  try {
    sample.plan();
  } catch (const base::Error& error) {
    CHECK_THAT(error.hint(), Contains(std::string(hint)));
    return error.kind();
  }
  FAIL("nothing was refused");
  return {};
}

}  // namespace

TEST_CASE_METHOD(Sample, "what runs is what the state says, unless asked otherwise") {
  CHECK(plan().hardware == state.hardware);
  request.hardware.memory_bytes = base::GiB;
  request.hardware.cpus = 1;
  request.hardware.bus = machine::Bus::nvme;
  request.hardware.network = machine::Network{machine::NetworkKind::none, ""};
  const auto hardware = plan().hardware;
  CHECK(hardware.memory_bytes == base::GiB);
  CHECK(hardware.cpus == 1);
  CHECK(hardware.bus == machine::Bus::nvme);
  CHECK_FALSE(plan().network.nic);
}

TEST_CASE_METHOD(Sample, "what no machine can have does not boot, also where an older hrvm took it") {
  state.hardware.memory_bytes = 100 * base::TiB;
  CHECK(refusal(*this, "from 16 MiB to 64 TiB") == base::ErrorKind::usage);
  request.hardware.memory_bytes = base::GiB;
  CHECK(plan().hardware.memory_bytes == base::GiB);
  state.hardware.cpus = 1025;
  CHECK(refusal(*this, "from 1 to 1024") == base::ErrorKind::usage);
}

TEST_CASE_METHOD(Sample, "KVM is used where it is proved, else TCG, with the reason") {
  CHECK(plan().emulator.accelerator == Accelerator::kvm);
  CHECK(plan().emulator.cpu == "host");
  host.kvm = {false, "/dev/kvm is not there"};
  CHECK(plan().emulator.accelerator == Accelerator::tcg);
  CHECK(plan().emulator.reason == "/dev/kvm is not there");
  CHECK(plan().emulator.cpu == "max");
  request.accelerator = Accelerator::kvm;
  CHECK(refusal(*this, "--accel tcg") == base::ErrorKind::unsupported);
}

TEST_CASE_METHOD(Sample, "TCG that is asked for is taken though KVM works") {
  request.accelerator = Accelerator::tcg;
  CHECK(plan().emulator.accelerator == Accelerator::tcg);
  CHECK(plan().emulator.reason == "asked for");
}

TEST_CASE_METHOD(Sample, "a CPU model cannot carry anything but a model and flags") {
  request.hardware.cpu = "Nehalem,-vmx,+aes";
  CHECK(plan().emulator.cpu == "Nehalem,-vmx,+aes");
  for (const auto* bad : {"", "-h", "max; reboot", "host\n", ",vmx"}) {
    CAPTURE(bad);
    request.hardware.cpu = bad;
    CHECK(refusal(*this, "-cpu help") == base::ErrorKind::usage);
  }
}

TEST_CASE_METHOD(Sample, "UEFI takes the firmware whose variables have the size of the machine's own, on q35") {
  request.hardware.firmware = machine::Firmware::uefi;
  state.hardware.machine = machine::MachineType::pc;
  CHECK(plan().firmware.uefi->code_path == "/usr/share/OVMF/OVMF_CODE_4M.fd");
  CHECK(plan().hardware.machine == machine::MachineType::q35);
  CHECK(plan().firmware.nvram == nvram);
  host.nvram_bytes = 131072;
  CHECK(plan().firmware.uefi->code_path == "/usr/share/OVMF/OVMF_CODE.fd");
  host.nvram_bytes = 5;
  CHECK(refusal(*this, "hrvm reset") == base::ErrorKind::not_found);
  host.firmwares.clear();
  CHECK(refusal(*this, "apt install ovmf") == base::ErrorKind::not_found);
}

TEST_CASE_METHOD(Sample, "BIOS needs no firmware and has no variables") {
  host.firmwares.clear();
  CHECK_FALSE(plan().firmware.uefi);
  CHECK(plan().firmware.nvram.empty());
}

TEST_CASE_METHOD(Sample, "QEMU that is not installed is named with its package") {
  host.qemu.clear();
  CHECK(refusal(*this, "apt install qemu-system-x86") == base::ErrorKind::not_found);
}

TEST_CASE_METHOD(Sample, "4096-byte logical sectors boot by UEFI, and not from SATA") {
  machine.definition.disks[0].sectors = {4096, 4096};
  CHECK(refusal(*this, "--firmware uefi") == base::ErrorKind::unsupported);
  request.hardware.firmware = machine::Firmware::uefi;
  CHECK(plan().disks.own[0].sectors.logical_bytes == 4096);
  request.hardware.bus = machine::Bus::sata;
  CHECK(refusal(*this, "--bus virtio") == base::ErrorKind::unsupported);
}

TEST_CASE_METHOD(Sample, "IDE disks come with the machine type pc, BIOS and 512-byte sectors") {
  request.hardware.bus = machine::Bus::ide;
  CHECK(plan().hardware.machine == machine::MachineType::pc);
  request.hardware.firmware = machine::Firmware::uefi;
  CHECK(refusal(*this, "--bus sata") == base::ErrorKind::unsupported);
}

TEST_CASE_METHOD(Sample, "Secure Boot takes firmware that has it, and is nothing for BIOS") {
  state.hardware.secure_boot = machine::SecureBoot::on;
  CHECK_FALSE(plan().firmware.uefi);
  CHECK_FALSE(plan().has_secure_boot());
  request.hardware.secure_boot = machine::SecureBoot::on;
  CHECK(refusal(*this, "--firmware uefi") == base::ErrorKind::usage);
  request.hardware.firmware = machine::Firmware::uefi;
  CHECK(plan().firmware.uefi->code_path == "/usr/share/OVMF/OVMF_CODE_4M.ms.fd");
  CHECK(plan().has_secure_boot());
  request.hardware.secure_boot = machine::SecureBoot::blank;
  CHECK(refusal(*this, "apt install ovmf") == base::ErrorKind::not_found);
  request.hardware.secure_boot = machine::SecureBoot::off;
  CHECK(plan().firmware.uefi->code_path == "/usr/share/OVMF/OVMF_CODE_4M.fd");
}

TEST_CASE_METHOD(Sample, "VNC on a port has no socket, and needs a screen that is VNC's") {
  request.vnc_port = 5917;
  CHECK(plan().consoles.vnc_port == 5917);
  CHECK(plan().consoles.vnc_socket.empty());
  request.console = Console::serial;
  CHECK(refusal(*this, "--console vnc") == base::ErrorKind::usage);
}

TEST_CASE_METHOD(Sample, "the chain is the layers in order, then the base by its stable path as a device") {
  layers = {"/s/web/layers/a2.qcow2", "/s/web/layers/a1.qcow2"};
  CHECK(plan().disks.own[0].chain ==
        std::vector<DiskNode>{{"/s/web/layers/a2.qcow2", probe::DiskFormat::qcow2, false},
                              {"/s/web/layers/a1.qcow2", probe::DiskFormat::qcow2, false},
                              {"/dev/disk/by-id/ata-Disk_S3Z9NB0K", probe::DiskFormat::raw, true}});
  host.disks[0].kind = probe::DiskKind::image;
  host.disks[0].path = host.disks[0].stable_path = "/images/a.img";
  CHECK(plan().disks.own[0].chain.back() == DiskNode{"/images/a.img", probe::DiskFormat::raw, false});
}

TEST_CASE_METHOD(Sample, "the L2 cache covers the disk, up to 64 MiB") {
  machine.definition.disks[0].size_bytes = 256 * base::MiB;
  CHECK(plan().disks.own[0].l2_cache_bytes == base::MiB);
  machine.definition.disks[0].size_bytes = 256 * base::GiB;
  CHECK(plan().disks.own[0].l2_cache_bytes == 32 * base::MiB);
  machine.definition.disks[0].size_bytes = 10 * base::TiB;
  CHECK(plan().disks.own[0].l2_cache_bytes == 64 * base::MiB);
}

TEST_CASE_METHOD(Sample, "a serial number is what a disk can have") {
  machine.definition.disks[0].serial = "0123456789012345678901234";
  CHECK(plan().disks.own[0].serial == "01234567890123456789");
}

TEST_CASE_METHOD(Sample, "ports are forwarded only where QEMU is the network") {
  request.hardware.forwards = Forwards{{2222, 22}};
  CHECK(plan().network.forwards.size() == 1);
  request.hardware.network = machine::Network{machine::NetworkKind::bridge, "br0"};
  CHECK(refusal(*this, "--net nat") == base::ErrorKind::usage);
}

TEST_CASE_METHOD(Sample, "a machine's own forwards are for the networks that have any, and give way to what is asked") {
  state.hardware.forwards = {{2222, 22}, {8080, 80}};
  for (const auto kind : {machine::NetworkKind::isolated, machine::NetworkKind::nat}) {
    request.hardware.network = machine::Network{kind, ""};
    CHECK(plan().network.forwards == state.hardware.forwards);
  }
  request.hardware.forwards = Forwards{{2223, 22}};
  CHECK(plan().network.forwards == Forwards{{2223, 22}});
  request.hardware.forwards.emplace();
  CHECK(plan().network.forwards.empty());
  request.hardware.forwards.reset();
  request.hardware.network = machine::Network{machine::NetworkKind::bridge, "br0"};
  CHECK(plan().network.forwards.empty());
}

TEST_CASE_METHOD(Sample, "a SATA machine has a network card that needs no virtio driver") {
  CHECK(plan().network.nic == machine::Nic::virtio);
  request.hardware.bus = machine::Bus::sata;
  CHECK(plan().network.nic == machine::Nic::e1000e);
}

TEST_CASE_METHOD(Sample, "the serial line goes where somebody can see it") {
  struct Case {
    Console console;
    bool detach, supervised;
    SerialTarget serial;
    bool vnc;
  };
  const auto expected = GENERATE(Case{Console::automatic, false, false, SerialTarget::terminal, true},
                                 Case{Console::automatic, true, false, SerialTarget::socket, true},
                                 Case{Console::automatic, false, true, SerialTarget::watched, true},
                                 Case{Console::serial, false, false, SerialTarget::terminal, false},
                                 Case{Console::serial, true, true, SerialTarget::watched, false},
                                 Case{Console::vnc, false, false, SerialTarget::socket, true},
                                 Case{Console::none, true, false, SerialTarget::none, false},
                                 Case{Console::none, false, true, SerialTarget::watched, false});
  request.console = expected.console;
  request.detach = expected.detach;
  request.supervised = expected.supervised;
  CHECK(plan().consoles.serial == expected.serial);
  CHECK(plan().consoles.vnc_socket.empty() != expected.vnc);
  const bool by_socket = expected.serial == SerialTarget::socket || expected.serial == SerialTarget::watched;
  CHECK(plan().consoles.serial_socket.empty() != by_socket);
  host.console_log = "/var/lib/hrvm/web/consoles/7.log";
  CHECK(plan().consoles.log == (expected.serial == SerialTarget::none ? "" : host.console_log.string()));
}

TEST_CASE_METHOD(Sample, "a window needs a display") {
  request.console = Console::gui;
  CHECK(refusal(*this, "--console vnc") == base::ErrorKind::unsupported);
  host.display = true;
  CHECK(plan().consoles.vnc_socket.empty());
}

TEST_CASE("words of the command line are understood, and no others") {
  CHECK(from_word<Console>("auto") == Console::automatic);
  CHECK(from_word<Console>("gui") == Console::gui);
  CHECK_FALSE(from_word<Console>("Auto"));
}
