#include "hrvm/machine/advice.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <span>
#include <string_view>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/sys/mounts.hpp"

namespace hrvm::machine {
namespace {

using base::GiB;
using base::MiB;
using probe::Verdict;

constexpr std::uint64_t least_memory = 512 * MiB, usual_memory = 4 * GiB;
constexpr unsigned usual_cpus = 4;
constexpr std::uint32_t large_sector = 4096;

struct FirmwareChoice {
  Firmware firmware;
  std::string because;
};

// The rules in their order; the first that holds decides.
FirmwareChoice choose_firmware(const probe::Disk& disk, const probe::BootEvidence& boot) {
  const auto* loader = boot.uefi() ? &boot.loaders.front() : nullptr;
  if (disk.sectors.logical_bytes == large_sector)
    return {Firmware::uefi, "UEFI: the disk counts in sectors of 4096 bytes, from which a BIOS cannot boot"};
  if (loader && disk.sectors.physical_bytes == large_sector)
    return {Firmware::uefi, fmt::format("UEFI: the disk has physical sectors of 4096 bytes, on which some boot loaders "
                                        "hang under BIOS, and there is {}",
                                        describe(*loader))};
  if (boot.bios) return {Firmware::bios, "BIOS: " + boot.bios_reason};
  if (loader) return {Firmware::uefi, fmt::format("UEFI: there is {} and nothing for a BIOS", describe(*loader))};
  return {Firmware::bios, "BIOS: nothing on the disk says how it boots"};
}

// What may keep a machine with this firmware from booting.
std::vector<base::Finding> firmware_findings(const probe::Disk& disk, const probe::BootEvidence& boot,
                                             Firmware firmware) {
  if (firmware != Firmware::uefi || boot.removable_loader()) return {};
  if (!boot.uefi())
    return {{"uefi-no-loader", base::Severity::warning, disk.path,
             "the machine boots by UEFI, and no UEFI boot loader was found on the disk", ""}};
  return {
      {"uefi-needs-boot-entry", base::Severity::note, disk.path,
       fmt::format("the EFI system partition only holds {}, which firmware finds by a boot entry: a machine gets one "
                   "in its UEFI variables",
                   boot.loaders.front().path),
       ""}};
}

bool has_filesystem(const probe::Contents& contents, std::span<const std::string_view> types) {
  const auto is_one = [&](const auto& each) { return std::ranges::find(types, each.filesystem) != types.end(); };
  return std::ranges::any_of(contents.partitions, is_one) || std::ranges::any_of(contents.volumes, is_one);
}

constexpr std::string_view of_windows[] = {"ntfs", "BitLocker", "ReFS"};
// What hardly anything but a Linux makes.
constexpr std::string_view of_linux[] = {"ext2",  "ext3",        "ext4",        "xfs",      "btrfs",
                                         "f2fs",  "LVM2_member", "crypto_LUKS", "bcache",   "linux_raid_member",
                                         "swap",  "swsuspend",   "jfs",         "reiserfs", "squashfs",
                                         "erofs", "zfs_member",  "iso9660"};

struct BusChoice {
  Bus bus;
  std::string because;
};

struct KnownBus {
  Bus bus;
  std::string_view shown;
};
// The faster ones first, as far as a machine's firmware starts from them just as well.
constexpr KnownBus known_buses[] = {
    {Bus::virtio, "virtio"}, {Bus::sata, "SATA"}, {Bus::nvme, "NVMe"}, {Bus::scsi, "SCSI"}, {Bus::ide, "IDE"}};

// What a launch refuses is no choice.
bool is_possible(Bus bus, const probe::Disk& disk, Firmware firmware) {
  if (bus == Bus::ide && firmware == Firmware::uefi) return false;
  return disk.sectors.logical_bytes <= 512 || (bus != Bus::ide && bus != Bus::sata);
}

class Buses {
 public:
  Buses(const probe::Survey& survey, Firmware firmware) : survey_(survey), firmware_(firmware) {}

  BusChoice choose() const {
    const auto* system = survey_.contents.own_system();
    if (!system) {
      if (has_filesystem(survey_.contents, of_windows))
        return {Bus::sata, "SATA: there is a filesystem of Windows, which has no virtio drivers"};
      if (survey_.contents.is_blank() || has_filesystem(survey_.contents, of_linux))
        return {Bus::virtio, "virtio: the fastest bus, which every Linux of the last years knows"};
      return {Bus::sata, "SATA: nothing on it says which drivers it has, and most systems know this bus"};
    }
    // A name that the start waits for goes before speed.
    if (const auto choice = known(*system, Verdict::yes, true))
      return {choice->bus,
              system->named_by.empty() ? choice->because : fmt::format("{}; {}", choice->because, system->named_by)};
    if (const auto choice = known(*system, Verdict::yes, false)) return *choice;
    if (system->virtio == Verdict::yes) return {Bus::virtio, fmt::format("virtio: {} has its drivers", system->name)};
    if (system->virtio == Verdict::no) {
      if (const auto choice = known(*system, Verdict::unknown, true); choice && !system->named_buses.empty())
        return *choice;
      return {Bus::sata, fmt::format("SATA: {} has no virtio drivers", system->name)};
    }
    if (system->family == probe::SystemFamily::linux)
      return {Bus::virtio, fmt::format("virtio: {} is a Linux", system->name)};
    return {Bus::sata, fmt::format("SATA: nothing is known of the drivers of {}", system->name)};
  }

 private:
  // The best of the buses of which the system is known to have the drivers, or may have them; of those alone that give
  // the disk the name that it looks for.
  std::optional<BusChoice> known(const probe::System& system, Verdict verdict, bool by_name) const {
    const auto& named = system.named_buses;
    for (const KnownBus& each : known_buses)
      for (const probe::DriverEvidence& driver : system.drivers) {
        const bool is_named = named.empty() || std::ranges::find(named, each.bus) != named.end();
        if (driver.bus == each.bus && driver.verdict == verdict && (is_named || !by_name) &&
            is_possible(each.bus, survey_.disk, firmware_))
          return BusChoice{each.bus, fmt::format("{}: {}", each.shown, driver.because)};
      }
    return std::nullopt;
  }

  const probe::Survey& survey_;
  Firmware firmware_;
};

// The first of the cards that its system surely drives. Where there is none, the one that goes with the bus, unless
// that is one without a driver and another may have one.
void choose_nic(Hardware& hardware, const probe::System* system) {
  const auto rule = nic_of(hardware);
  const probe::NicEvidence *known = nullptr, *possible = nullptr, *usual = nullptr;
  if (system != nullptr)
    for (const probe::NicEvidence& nic : system->nics) {
      if (nic.verdict == Verdict::yes && known == nullptr) known = &nic;
      if (nic.verdict == Verdict::unknown && possible == nullptr) possible = &nic;
      if (nic.model == rule) usual = &nic;
    }
  if (known == nullptr && usual != nullptr && usual->verdict == Verdict::no) known = possible;
  if (known != nullptr) {
    hardware.nic = known->model;
    hardware.because.push_back(fmt::format("{}: {}", word(known->model), known->because));
  } else if (rule == Nic::e1000e) {
    hardware.because.emplace_back("e1000e: what has no virtio driver for its disk may have none for the network");
  }
}

std::uint64_t choose_memory(const HostResources& host) {
  return std::max(least_memory, base::round_down(std::min(usual_memory, host.memory_bytes / 2), 64 * MiB));
}

}  // namespace

Nic nic_of(const Hardware& hardware) {
  return hardware.nic.value_or(hardware.bus == Bus::sata ? Nic::e1000e : Nic::virtio);
}

HostResources host_resources(const sys::Host& host) {
  return {sys::memory(host).available_bytes, std::max(1u, sys::processors(host))};
}

Advice advise(const probe::Survey& survey, const HostResources& host) {
  Advice advice;
  const auto firmware = choose_firmware(survey.disk, survey.contents.boot);
  const auto bus = Buses(survey, firmware.firmware).choose();
  advice.hardware.firmware = firmware.firmware;
  advice.hardware.bus = bus.bus;
  advice.hardware.memory_bytes = choose_memory(host);
  advice.hardware.cpus = std::clamp(host.cpus, 1u, usual_cpus);
  advice.hardware.because = {firmware.because, bus.because,
                             fmt::format("{} of memory: half of what is free, between {} and {}",
                                         base::format_bytes(advice.hardware.memory_bytes),
                                         base::format_bytes(least_memory), base::format_bytes(usual_memory)),
                             fmt::format("{} of {} processors", advice.hardware.cpus, host.cpus)};
  const auto* system = survey.contents.own_system();
  choose_nic(advice.hardware, system);
  if (system && system->family == probe::SystemFamily::windows) {
    advice.hardware.clock = Clock::localtime;
    advice.hardware.hyperv = true;
    advice.hardware.because.emplace_back("clock in local time, and the interfaces of Hyper-V: it is a Windows");
  }
  advice.findings = firmware_findings(survey.disk, survey.contents.boot, firmware.firmware);
  return advice;
}

}  // namespace hrvm::machine
