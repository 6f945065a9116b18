#include "hrvm/machine/settings.hpp"

#include <fmt/core.h>

#include <limits>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "machine/definition/setting_forms.hpp"

namespace hrvm::machine {
namespace {

using Asked = HardwareRequest;

constexpr auto most_kept_memory = std::uint64_t(std::numeric_limits<std::int64_t>::max());

constexpr HardwareSetting settings[] = {
    {.name = "memory",
     .member = "memory_bytes",
     .field = HardwareField<std::uint64_t>{&Hardware::memory_bytes, &Asked::memory_bytes},
     .title = "Memory",
     .hint = "give it a unit: 512M, 4G",
     .limits = {16 * base::MiB, 64 * base::TiB},
     .kept_limits = {base::MiB, most_kept_memory},
     .option = {.at_import = true, .at_boot = true, .value = "SIZE", .help = "memory: 512M, 4G"}},
    {.name = "cpus",
     .member = "cpus",
     .field = HardwareField<unsigned>{&Hardware::cpus, &Asked::cpus},
     .title = "CPUs",
     .limits = {1, 1024},
     .kept_limits = {1, 4096},
     .option = {.at_import = true, .at_boot = true, .value = "N", .help = "processors"}},
    {.name = "cpu",
     .member = "cpu",
     .field = HardwareField<std::string>{&Hardware::cpu, &Asked::cpu},
     .values = "auto, or MODEL[,+flag][,-flag]",
     .option = {.at_boot = true, .value = "MODEL", .help = "CPU model and flags: host,-vmx"},
     .is_shown = false,
     .came_later = true},
    {.name = "firmware",
     .member = "firmware",
     .field = HardwareField<Firmware>{&Hardware::firmware, &Asked::firmware},
     .title = "Firmware",
     .option = {.at_import = true, .at_boot = true, .value = "KIND", .help = "what boots it", .has_auto = true},
     .is_of_disk = true},
    {.name = "secure-boot",
     .member = "secure_boot",
     .field = HardwareField<SecureBoot>{&Hardware::secure_boot, &Asked::secure_boot},
     .title = "Secure Boot",
     .values = "on, off, or blank: without keys",
     .option = {.at_import = true,
                .at_boot = true,
                .value = "WHICH",
                .help = "UEFI that boots only what is signed (on), or what you enroll keys for (blank)"},
     .is_of_disk = true,
     .came_later = true},
    {.name = "machine",
     .member = "machine",
     .field = HardwareField<MachineType>{&Hardware::machine, &Asked::machine},
     .title = "Machine",
     .option = {.at_import = true, .value = "TYPE", .help = "QEMU's machine type", .has_auto = true}},
    {.name = "bus",
     .member = "bus",
     .field = HardwareField<Bus>{&Hardware::bus, &Asked::bus},
     .title = "Bus",
     .option = {.at_import = true, .at_boot = true, .value = "BUS", .help = "what the disk hangs on", .has_auto = true},
     .is_of_disk = true},
    {.name = "net",
     .member = "net",
     .field = HardwareField<Network>{&Hardware::network, &Asked::network},
     .title = "Network",
     .option = {.at_import = true, .at_boot = true, .value = "NET", .help = "what it is connected to"}},
    {.name = "nic",
     .member = "nic",
     .field = HardwareField<std::optional<Nic>>{&Hardware::nic},
     .is_shown = false,
     .can_be_set = false,
     .came_later = true},
    {.name = "forward",
     .member = "forwards",
     .field = HardwareField<std::vector<PortForward>>{&Hardware::forwards, &Asked::forwards},
     .title = "Forwards",
     .values = "HOST:GUEST[,HOST:GUEST...], TCP ports of the host and of the guest, none of the host's twice; or none",
     .came_later = true},
    {.name = "clock",
     .member = "clock",
     .field = HardwareField<Clock>{&Hardware::clock},
     .is_shown = false,
     .came_later = true},
    {.name = "hyperv",
     .member = "hyperv",
     .field = HardwareField<bool>{&Hardware::hyperv},
     .is_shown = false,
     .came_later = true},
    {.name = "tpm",
     .member = "tpm",
     .field = HardwareField<bool>{&Hardware::tpm, &Asked::tpm},
     .title = "TPM",
     .option = {.at_import = true, .at_boot = true, .help = "with a TPM 2.0, by swtpm"},
     .came_later = true},
    {.name = "disk",
     .member = "disks",
     .field = HardwareField<std::vector<std::string>>{&Hardware::disks},
     .values = "+SOURCE for another disk that it reads, -SOURCE for one that goes",
     .shown_as = "other_disks",
     .came_later = true},
    {.name = "share",
     .member = "shares",
     .field = HardwareField<std::vector<Share>>{&Hardware::shares},
     .values = "FOLDER:TAG[,rw] for a folder that the guest mounts by its tag, -TAG for one that goes, or none",
     .came_later = true},
    {.name = "iso",
     .member = "iso",
     .field = HardwareField<std::optional<Disc>>{&Hardware::iso},
     .values = "FILE[,boot] for a disc in a CD drive, nothing for none",
     .came_later = true},
};

void check_limit(const HardwareSetting& setting, std::uint64_t number) {
  if (setting.limits.most == 0 || setting.limits.hold(number)) return;
  throw base::Error(base::ErrorKind::usage, fmt::format("{} cannot be {}", setting.name, number_text(setting, number)))
      .hint(fmt::format("{} is {}", setting.name, values_of(setting)));
}

}  // namespace

std::span<const HardwareSetting> hardware_settings() { return settings; }

Hardware with_request(Hardware hardware, const HardwareRequest& request) {
  for (const auto& setting : settings)
    std::visit(
        [&](const auto& field) {
          if (field.asked && request.*field.asked) hardware.*field.kept = *(request.*field.asked);
        },
        setting.field);
  return hardware;
}

void check_limits(const Hardware& hardware) {
  for (const auto& setting : settings) {
    if (const auto* size = std::get_if<HardwareField<std::uint64_t>>(&setting.field))
      check_limit(setting, hardware.*size->kept);
    if (const auto* count = std::get_if<HardwareField<unsigned>>(&setting.field))
      check_limit(setting, hardware.*count->kept);
  }
}

}  // namespace hrvm::machine
