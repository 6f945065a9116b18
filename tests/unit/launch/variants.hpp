// The machines whose command and domain are written down in golden/, and which real QEMU and libvirt are asked about.
#pragma once

#include <string>
#include <vector>

#include "unit/launch/sample_plan.hpp"
#include "unit/launch/systems.hpp"

namespace hrvm::launch::testing {

struct Variant {
  std::string name;
  void (*change)(Sample&);
  bool runs_anywhere = true;  // needs nothing of the host but QEMU
};

inline const std::vector<Variant>& variants() {
  using namespace hrvm::machine;
  static const std::vector<Variant> all{
      {"bios-virtio", [](Sample&) {}},
      {"uefi-chain",
       [](Sample& it) {
         it.request.hardware.firmware = Firmware::uefi;
         it.layers = {"/var/lib/hrvm/web/layers/a2.qcow2", "/var/lib/hrvm/web/layers/a1.qcow2"};
         it.request.detach = true;
       }},
      {"two-disks",
       [](Sample& it) {
         BaseIdentity second, empty;
         second.path = "/images/second.qcow2";
         second.size_bytes = 64ull << 30;
         empty.kind = BaseKind::empty;
         empty.size_bytes = 1ull << 30;
         it.machine.definition.disks.insert(it.machine.definition.disks.end(), {second, empty});
         it.add_image("/images/extra.img");
         probe::Disk disk;
         disk.kind = probe::DiskKind::image;
         disk.path = disk.stable_path = "/images/second.qcow2";
         disk.format = probe::DiskFormat::qcow2;
         disk.files = {{.path = disk.path, .format = image::ImageFormat::qcow2}};
         it.host.disks.insert(it.host.disks.end(), {disk, probe::Disk{}});
       }},
      {"two-disks-sata",
       [](Sample& it) {
         for (int i = 0; i < 4; ++i) {
           BaseIdentity empty;
           empty.kind = BaseKind::empty;
           empty.size_bytes = 1ull << 30;
           it.machine.definition.disks.push_back(empty);
           it.host.disks.emplace_back();
         }
         it.request.hardware.bus = Bus::sata;
         it.request.console = Console::serial;
       }},
      {"pc-sata-serial",
       [](Sample& it) {
         it.state.hardware.machine = MachineType::pc;
         it.state.hardware.bus = Bus::sata;
         it.state.hardware.nic = Nic::rtl8139;
         it.request.console = Console::serial;
         it.host.disks[0].kind = probe::DiskKind::image;
         it.host.disks[0].stable_path = "/images/a, b.img";
       }},
      {"uefi-image-chain",
       [](Sample& it) {
         it.request.hardware.firmware = Firmware::uefi;
         it.request.console = Console::serial;
         it.host.disks[0].kind = probe::DiskKind::image;
         it.host.disks[0].format = probe::DiskFormat::qcow2;
         it.host.disks[0].files = {{.path = "/images/web.qcow2", .format = image::ImageFormat::qcow2},
                                   {.path = "/images/mid.qcow2", .format = image::ImageFormat::qcow2},
                                   {.path = "/dev/sdb", .format = image::ImageFormat::raw, .is_device = true}};
       }},
      {"q35-sata-vnc",
       [](Sample& it) {
         it.request.hardware.bus = Bus::sata;
         it.state.hardware.nic = Nic::e1000;
         it.request.console = Console::vnc;
         it.request.hardware.network = Network{NetworkKind::nat, ""};
         it.state.hardware.forwards = {{2222, 22}, {8080, 80}};
       }},
      {"nvme-4kn-no-serial",
       [](Sample& it) {
         it.machine.definition.disks[0].serial = "";
         it.machine.definition.disks[0].sectors = {4096, 4096};
         it.request.hardware.bus = Bus::nvme;
         it.request.hardware.firmware = Firmware::uefi;
         it.request.hardware.network = Network{NetworkKind::none, ""};
         it.request.console = Console::none;
         it.request.detach = true;
       }},
      {"scsi-watched",
       [](Sample& it) {
         it.request.hardware.bus = Bus::scsi;
         it.request.supervised = true;
         it.request.accelerator = Accelerator::tcg;
         it.request.hardware.cpu = "Nehalem,+aes,-x2apic";
         it.machine.definition.disks[0].serial = "a, b";
       }},
      {"windows-kvm",
       [](Sample& it) {
         it.state.hardware.clock = Clock::localtime;
         it.state.hardware.hyperv = true;
         it.state.hardware.cpu = "host,-vmx";
         it.request.hardware.bus = Bus::sata;
         it.request.hardware.firmware = Firmware::uefi;
       }},
      {"uefi-tpm",
       [](Sample& it) {
         it.state.hardware.tpm = true;
         it.request.hardware.firmware = Firmware::uefi;
         it.request.detach = true;
       }},
      {"uefi-disc-first",
       [](Sample& it) {
         it.request.hardware.firmware = Firmware::uefi;
         it.add_image("/images/a, b.iso");
         it.host.extra_sources.back().is_disc = it.host.extra_sources.back().boots_first = true;
         it.add_image("/images/web.qcow2");
         it.host.extra_sources.back().disk.files = {
             {.path = "/images/web.qcow2", .format = image::ImageFormat::qcow2},
             {.path = "/dev/sdb", .format = image::ImageFormat::raw, .is_device = true}};
       }},
      {"pc-sata-extras",
       [](Sample& it) {
         it.state.hardware.machine = MachineType::pc;
         it.request.hardware.bus = Bus::sata;
         it.request.console = Console::serial;
         it.add_image("/images/other.img");
         it.add_image("/images/a.iso");
         it.host.extra_sources.back().is_disc = true;
       }},
      {"scsi-extras",
       [](Sample& it) {
         it.request.hardware.bus = Bus::scsi;
         it.add_image("/images/other.img");
         it.host.extra_sources.back().disk.serial = "S3Z9,NB0L";
       }},
      {"nvme-extras",
       [](Sample& it) {
         it.request.hardware.bus = Bus::nvme;
         it.add_image("/images/other.img");
       }},
      {"ide-extras-usb",
       [](Sample& it) {
         it.request.hardware.bus = Bus::ide;
         it.request.console = Console::serial;
         it.request.usb = {{0x1050, 0x0407}};
         it.add_image("/images/other.img");
         it.add_image("/images/a.iso");
         it.host.extra_sources.back().is_disc = true;
       }},
      {"secure-boot-vnc",
       [](Sample& it) {
         it.state.hardware.secure_boot = SecureBoot::on;
         it.request.hardware.firmware = Firmware::uefi;
         it.request.vnc_port = 5917;
         it.request.usb = {{0x046d, 0xc52b}, {0x1050, 0x0407}};
       }},
      {"proxmox-lvm-server",
       [](Sample& it) {
         install(it,
                 {linux_system("Proxmox VE 8.1.4", {{Bus::virtio, Verdict::yes, "virtio_blk is in its initramfs"}},
                               {{Nic::virtio, Verdict::yes, "virtio_net is among its modules"}}),
                  {{2, "/EFI/proxmox/shimx64.efi"}, {2, "/EFI/BOOT/BOOTX64.EFI", true}},
                  true},
                 server, true);
       }},
      {"proxmox-zfs-server",
       [](Sample& it) {
         install(it, {linux_system("Proxmox VE 8.1.4", {}, {}), {{2, "/EFI/systemd/systemd-bootx64.efi"}}, false},
                 server, true);
       }},
      {"windows-10-laptop",
       [](Sample& it) {
         install(it, {windows_system("Windows 10 Pro 22H2", Verdict::no), {}, true, {512, 512}}, laptop, true);
       }},
      {"windows-11-laptop",
       [](Sample& it) {
         it.request.hardware.tpm = true;
         install(it,
                 {windows_system("Windows 11 Pro 23H2", Verdict::no),
                  {{1, "/EFI/Microsoft/Boot/bootmgfw.efi"}, {1, "/EFI/Boot/bootx64.efi", true}}},
                 laptop, true);
       }},
      {"windows-server-virtio-rescue",
       [](Sample& it) {
         install(it, {windows_system("Windows Server 2022", Verdict::yes), {}, true}, rescue, false);
       }},
      {"fedora-btrfs-laptop",
       [](Sample& it) {
         install(it,
                 {linux_system("Fedora Linux 41", {{Bus::virtio, Verdict::yes, "virtio_blk is built into its kernel"}},
                               {{Nic::virtio, Verdict::yes, "virtio_net is among its modules"}}),
                  {{1, "/EFI/fedora/shimx64.efi"}},
                  false},
                 laptop, true);
       }},
      {"rhel-hostonly-nvme-server",
       [](Sample& it) {
         install(it,
                 {linux_system("Red Hat Enterprise Linux 9.4",
                               {{Bus::virtio, Verdict::no, "virtio_blk is not in its initramfs"},
                                {Bus::sata, Verdict::no, "ahci is not in its initramfs"},
                                {Bus::nvme, Verdict::yes, "nvme is in its initramfs"}},
                               {{Nic::virtio, Verdict::yes, "virtio_net is among its modules"}}),
                  {{1, "/EFI/redhat/shimx64.efi"}},
                  false},
                 server, true);
       }},
      {"debian-4kn-rescue",
       [](Sample& it) {
         install(
             it,
             {linux_system("Debian GNU/Linux 12", {{Bus::virtio, Verdict::yes, "virtio_blk is in its initramfs"}}, {}),
              {{1, "/EFI/debian/shimx64.efi"}},
              true,
              {4096, 4096}},
             rescue, false);
       }},
      {"ubuntu-hostonly-sata-laptop",
       [](Sample& it) {
         install(it,
                 {linux_system("Ubuntu 24.04",
                               {{Bus::virtio, Verdict::no, "MODULES=dep"},
                                {Bus::sata, Verdict::yes, "ahci is in its initramfs"}},
                               {{Nic::virtio, Verdict::no, "it is not among its modules"},
                                {Nic::e1000e, Verdict::yes, "e1000e is among its modules"}}),
                  {},
                  true},
                 laptop, true);
       }},
      {"freebsd-rescue",
       [](Sample& it) {
         probe::System system;
         system.name = "FreeBSD";
         system.family = probe::SystemFamily::bsd;
         install(it, {system, {{1, "/EFI/BOOT/BOOTX64.EFI", true}}, false}, rescue, false);
       }},
      {"bridge-gui",
       [](Sample& it) {
         it.request.hardware.network = Network{NetworkKind::bridge, "br0"};
         it.host.bridge_helper = "/usr/libexec/qemu-bridge-helper";
         it.request.console = Console::gui;
         it.host.display = true;
       },
       false},
  };
  return all;
}

}  // namespace hrvm::launch::testing
