#include <fmt/core.h>

#include <algorithm>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/launch/launch_plan.hpp"
#include "hrvm/machine/advice.hpp"
#include "launch/plan/plan_folder.hpp"
#include "launch/plan/plan_shares.hpp"

namespace hrvm::launch {

namespace {

using base::Error;
using base::ErrorKind;
using machine::Bus;
using machine::Firmware;
using machine::NetworkKind;
using machine::SecureBoot;

constexpr std::size_t longest_serial = 20;  // virtio-blk's field, and ATA's
constexpr std::size_t most_extra_disks = 16;
constexpr std::uint64_t largest_l2_cache = 64 * base::MiB;

machine::Hardware hardware_of(const machine::State& state, const LaunchRequest& request) {
  auto hardware = with_request(state.hardware, request.hardware);
  if (hardware.bus == Bus::ide) hardware.machine = machine::MachineType::pc;
  // The firmware that is chosen is one for q35.
  if (hardware.firmware == Firmware::uefi) hardware.machine = machine::MachineType::q35;
  return hardware;
}

// BIOS knows no signatures: a machine that has both is booted so for a try.
void plan_secure_boot(machine::Hardware& hardware, const LaunchRequest& request) {
  if (hardware.firmware == Firmware::uefi || hardware.secure_boot == SecureBoot::off) return;
  if (request.hardware.secure_boot)
    throw Error(ErrorKind::usage, "BIOS has no Secure Boot").hint("boot it with --firmware uefi");
  hardware.secure_boot = SecureBoot::off;
}

void check_hardware(const machine::Hardware& hardware, const block::SectorSizes& sectors) {
  if (hardware.bus == Bus::ide && hardware.firmware == Firmware::uefi) {
    throw Error(ErrorKind::unsupported, "a machine with IDE disks boots by BIOS only")
        .hint("boot it with --bus sata, or with --firmware bios");
  }
  machine::check_limits(hardware);
  if (sectors.logical_bytes <= 512) return;
  if (hardware.firmware == Firmware::bios) {
    throw Error(ErrorKind::unsupported, "a disk with 4096-byte logical sectors does not boot by BIOS")
        .hint("boot it with --firmware uefi");
  }
  if (hardware.bus == Bus::sata || hardware.bus == Bus::ide) {
    throw Error(ErrorKind::unsupported, "QEMU's SATA and IDE disks have no 4096-byte logical sectors")
        .hint("boot it with --bus virtio, --bus scsi or --bus nvme");
  }
}

void choose_accelerator(LaunchPlan& plan, const LaunchRequest& request, const sys::KvmProof& kvm) {
  if (request.accelerator == Accelerator::kvm && !kvm.works) {
    throw Error(ErrorKind::unsupported, fmt::format("KVM does not run guests on this host: {}", kvm.reason))
        .hint("boot it with --accel tcg, which is slower");
  }
  plan.emulator.accelerator = request.accelerator.value_or(kvm.works ? Accelerator::kvm : Accelerator::tcg);
  plan.emulator.reason = request.accelerator == Accelerator::tcg ? "asked for" : kvm.reason;
  const auto& kept = plan.hardware.cpu;
  const std::string usual = plan.emulator.accelerator == Accelerator::kvm ? "host" : "max";
  plan.emulator.cpu = request.hardware.cpu.value_or(kept.empty() ? usual : kept);
}

void check_cpu(std::string_view cpu) {
  if (machine::is_cpu_model(cpu)) return;
  throw Error(ErrorKind::usage, fmt::format("'{}' is no CPU model", cpu))
      .hint("give MODEL[,+flag][,-flag]; `qemu-system-x86_64 -cpu help` lists them");
}

void choose_firmware(LaunchPlan& plan, const machine::Path& nvram, const LaunchCircumstances& circumstances) {
  if (plan.hardware.firmware == Firmware::bios) return;
  const auto secure_boot = plan.hardware.secure_boot;
  plan.firmware.uefi = choose_uefi_firmware(circumstances.firmwares, secure_boot, circumstances.nvram_bytes);
  plan.firmware.nvram = nvram;
  if (plan.firmware.uefi) return;
  if (circumstances.firmwares.empty()) {
    throw Error(ErrorKind::not_found, "there is no UEFI firmware for x86_64 on this host").hint("apt install ovmf");
  }
  if (!choose_uefi_firmware(circumstances.firmwares, secure_boot)) {
    throw Error(ErrorKind::not_found,
                fmt::format("no UEFI firmware on this host is one for Secure Boot {}", machine::word(secure_boot)))
        .hint("apt install ovmf, or boot it with another --secure-boot");
  }
  throw Error(ErrorKind::not_found,
              fmt::format("no UEFI firmware on this host has variables of {} bytes as this machine",
                          circumstances.nvram_bytes.value_or(0)))
      .on(nvram)
      .hint("install the firmware that it was made with, or give the machine new variables with hrvm reset");
}

void plan_network(LaunchPlan& plan, const LaunchRequest& request, const LaunchCircumstances& circumstances) {
  if (plan.hardware.network.kind != NetworkKind::none) plan.network.nic = machine::nic_of(plan.hardware);
  plan.network.bridge_helper = circumstances.bridge_helper;
  if (plan.hardware.network.can_forward()) plan.network.forwards = plan.hardware.forwards;
  // What the machine has for another network is no matter in this one.
  const auto& asked = request.hardware.forwards;
  if (plan.hardware.network.can_forward() || !asked || asked->empty()) return;
  throw Error(ErrorKind::usage,
              fmt::format("ports are not forwarded on a network of kind {}", machine::word(plan.hardware.network)))
      .hint("use --net isolated or --net nat");
}

std::vector<DiskNode> nodes_of(const probe::Disk& base) {
  const auto& path = base.stable_path.empty() ? base.path : base.stable_path;
  if (base.files.empty()) return {{path, base.format, base.kind == probe::DiskKind::disk}};
  std::vector<DiskNode> nodes;
  for (const auto& file : base.files) nodes.push_back({file.path, probe::disk_format(file.format), file.is_device});
  return nodes;
}

// An image file is read through the page cache, so that several machines on one base read it from the medium once. A
// device is read past it: it may hold what was there before a partition of it was mounted.
OwnDisk own_disk(const std::vector<machine::Path>& layers, std::size_t index, const machine::BaseIdentity& identity,
                 const probe::Disk& base) {
  OwnDisk disk;
  for (const auto& layer : layers)
    disk.chain.push_back({machine::of_disk(layer, index), probe::DiskFormat::qcow2, false});
  disk.sectors = identity.sectors;
  disk.serial = identity.serial.substr(0, longest_serial);
  disk.l2_cache_bytes = l2_cache_for(identity.size_bytes);
  if (identity.is_empty()) return disk;
  const auto nodes = nodes_of(base);
  disk.chain.insert(disk.chain.end(), nodes.begin(), nodes.end());
  disk.base_nodes = nodes.size();
  disk.base_direct = base.kind == probe::DiskKind::disk;
  return disk;
}

// The places that the buses have which are not made for each disk; the q35's third SATA port is the CD drive's.
std::size_t most_disks_on(const machine::Hardware& hardware) {
  if (hardware.bus == Bus::ide) return 2;
  if (hardware.bus == Bus::sata) return hardware.machine == machine::MachineType::pc ? 6 : 5;
  return machine::most_disks;
}

void check_sectors(const OwnDisk& disk, const machine::Hardware& hardware) {
  const bool is_ata = hardware.bus == Bus::sata || hardware.bus == Bus::ide;
  if (disk.sectors.logical_bytes > 512 && is_ata)
    throw Error(ErrorKind::unsupported, "QEMU's SATA and IDE disks have no 4096-byte logical sectors")
        .hint("boot it with --bus virtio or --bus scsi");
}

void plan_disks(LaunchPlan& plan, const machine::Definition& definition, const std::vector<machine::Path>& layers,
                const LaunchCircumstances& circumstances) {
  for (std::size_t index = 0; index < definition.disks.size(); ++index) {
    plan.disks.own.push_back(own_disk(layers, index, definition.disks[index], circumstances.disks.at(index)));
    check_sectors(plan.disks.own.back(), plan.hardware);
  }
  if (const auto most = most_disks_on(plan.hardware); plan.disks.own.size() > most)
    throw Error(ErrorKind::unsupported,
                fmt::format("{} has {} disks, and a bus of kind {} has places for {}", plan.name, plan.disks.own.size(),
                            machine::word(plan.hardware.bus), most))
        .hint("boot it with --bus virtio or --bus scsi");
}

std::vector<ExtraDisk> extra_disks_of(const std::vector<ExtraSource>& sources) {
  if (sources.size() > most_extra_disks)
    throw Error(ErrorKind::usage, fmt::format("a machine has at most {} disks besides its own", most_extra_disks));
  std::vector<ExtraDisk> disks;
  for (const auto& [disk, is_disc, boots_first] : sources)
    disks.push_back({nodes_of(disk), disk.sectors, disk.serial.substr(0, longest_serial), is_disc, boots_first});
  return disks;
}

SerialTarget serial_target(const LaunchRequest& request) {
  if (request.supervised) return SerialTarget::watched;
  if (request.console == Console::none) return SerialTarget::none;
  const bool on_terminal = request.console == Console::automatic || request.console == Console::serial;
  return on_terminal && !request.detach ? SerialTarget::terminal : SerialTarget::socket;
}

void plan_screen(LaunchPlan& plan, const LaunchRequest& request) {
  const bool by_vnc = plan.has_display() && plan.consoles.console != Console::gui;
  if (request.vnc_port && !by_vnc)
    throw Error(ErrorKind::usage,
                fmt::format("--vnc and --console {} cannot stand together", word(plan.consoles.console)))
        .hint("the screen is VNC's with --console auto and --console vnc");
  plan.consoles.vnc_port = request.vnc_port;
  if (by_vnc && !plan.consoles.vnc_port) plan.consoles.vnc_socket = plan.control.run_folder / "vnc.sock";
}

void plan_consoles(LaunchPlan& plan, const LaunchRequest& request, const LaunchCircumstances& circumstances) {
  plan.consoles.console = request.console;
  plan.consoles.serial = serial_target(request);
  plan.control.run_folder = circumstances.run_folder;
  const auto in_run_folder = [&](const char* name) { return (plan.control.run_folder / name).string(); };
  plan.control.qmp_socket = in_run_folder("qmp.sock");
  plan.control.guard_socket = in_run_folder("guard.sock");
  plan.control.pid_file = in_run_folder("pid");
  plan_screen(plan, request);
  if (plan.consoles.serial == SerialTarget::socket || plan.consoles.serial == SerialTarget::watched)
    plan.consoles.serial_socket = in_run_folder("console.sock");
  if (plan.consoles.serial != SerialTarget::none) plan.consoles.log = circumstances.console_log;
  if (plan.consoles.console == Console::gui && !circumstances.display) {
    throw Error(ErrorKind::unsupported, "there is no display for a window here")
        .hint("use --console vnc, or run hrvm where DISPLAY or WAYLAND_DISPLAY is set");
  }
}

void plan_tpm(LaunchPlan& plan, const LaunchCircumstances& circumstances) {
  if (!plan.hardware.tpm) return;
  if (circumstances.swtpm.empty()) {
    throw Error(ErrorKind::not_found, "swtpm is not installed, which a machine's TPM is made of")
        .hint(fmt::format("apt install swtpm, or go without: hrvm set {} tpm=off", plan.name));
  }
  plan.companions.tpm = {circumstances.swtpm, circumstances.tpm_folder, plan.control.run_folder / "tpm.sock",
                         plan.control.run_folder / "tpm.pid"};
}

}  // namespace

// One L2 table entry for each cluster: 8 bytes for 64 KiB, or 16 for 128 KiB with subclusters, which is as much.
std::uint64_t l2_cache_for(std::uint64_t virtual_bytes) {
  return std::clamp(base::round_up(virtual_bytes / 8192, base::MiB), base::MiB, largest_l2_cache);
}

LaunchPlan plan_launch(const machine::Machine& machine, const machine::State& state,
                       const std::vector<machine::Path>& layers, const machine::Path& nvram,
                       const LaunchRequest& request, const LaunchCircumstances& circumstances) {
  if (circumstances.qemu.empty()) {
    throw Error(ErrorKind::not_found, "qemu-system-x86_64 is not installed").hint("apt install qemu-system-x86");
  }
  const auto& identity = machine.definition.disks.front();
  LaunchPlan plan;
  plan.name = machine.name;
  plan.uuid = machine.definition.uuid;
  plan.emulator.program = circumstances.qemu;
  plan.hardware = hardware_of(state, request);
  plan_secure_boot(plan.hardware, request);
  check_hardware(plan.hardware, identity.sectors);
  choose_accelerator(plan, request, circumstances.kvm);
  check_cpu(plan.emulator.cpu);
  choose_firmware(plan, nvram, circumstances);
  plan_network(plan, request, circumstances);
  plan_consoles(plan, request, circumstances);
  if (identity.is_folder())
    plan_folder(plan, machine.definition, layers, request, circumstances);
  else
    plan_disks(plan, machine.definition, layers, circumstances);
  if (!identity.is_folder()) plan.control.agent_socket = plan.control.run_folder / "agent.sock";
  plan.usb = request.usb;
  plan.disks.extra = extra_disks_of(circumstances.extra_sources);
  plan.disks.layer_direct = circumstances.layer_direct;
  plan_tpm(plan, circumstances);
  plan_shares(plan, request, circumstances);
  plan.libvirt_as_root = circumstances.libvirt_as_root;
  return plan;
}

}  // namespace hrvm::launch
