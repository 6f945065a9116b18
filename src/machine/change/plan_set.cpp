#include <fmt/core.h>

#include <algorithm>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/machine/change.hpp"
#include "machine/change/change_parts.hpp"

namespace hrvm::machine {
namespace {

using base::Error;
using base::ErrorKind;

constexpr std::uint64_t least_memory = 16 * base::MiB, most_memory = 64 * base::TiB;
constexpr unsigned most_cpus = 1024;

template <typename T>
bool take(T& place, std::optional<T> value) {
  if (value) place = std::move(*value);
  return value.has_value();
}

bool set_memory(Hardware& hardware, const std::string& value) {
  const auto bytes = base::parse_bytes(value);
  if (!bytes || *bytes < least_memory || *bytes > most_memory || *bytes % base::MiB != 0) return false;
  hardware.memory_bytes = *bytes;
  return true;
}

bool set_cpus(Hardware& hardware, const std::string& value) {
  const auto cpus = base::parse_unsigned(value);
  if (!cpus || *cpus < 1 || *cpus > most_cpus) return false;
  hardware.cpus = unsigned(*cpus);
  return true;
}

bool set_cpu(Hardware& hardware, const std::string& value) {
  if (value != "auto" && !is_cpu_model(value)) return false;
  hardware.cpu = value == "auto" ? "" : value;
  return true;
}

std::optional<bool> switch_from(std::string_view word) {
  if (word != "on" && word != "off") return std::nullopt;
  return word == "on";
}

bool set_disk(Hardware& hardware, const std::string& value) {
  const bool adds = value.starts_with("+/"), takes = value.starts_with("-/");
  if (!adds && !takes) return false;
  const auto path = value.substr(1);
  const bool was_there = std::erase(hardware.disks, path) > 0;
  if (adds) hardware.disks.push_back(path);
  return adds || was_there;
}

bool set_iso(Hardware& hardware, const std::string& value) {
  hardware.iso = disc_from(value);
  return hardware.iso || value.empty();
}

struct Key {
  SettingKind kind;
  bool (*set)(Hardware& hardware, const std::string& value);  // false where it cannot have this value
};
constexpr Key keys[] = {
    {{"memory", "a size in whole MiB: 512M, 4G"}, set_memory},
    {{"cpus", "1 to 1024"}, set_cpus},
    {{"cpu", "auto, or MODEL[,+flag][,-flag]"}, set_cpu},
    {{"firmware", "bios or uefi"},
     [](Hardware& it, const std::string& value) { return take(it.firmware, firmware_from(value)); }},
    {{"secure-boot", "on, off, or blank: without keys"},
     [](Hardware& it, const std::string& value) { return take(it.secure_boot, secure_boot_from(value)); }},
    {{"machine", "q35 or pc"},
     [](Hardware& it, const std::string& value) { return take(it.machine, machine_type_from(value)); }},
    {{"bus", "virtio, sata, nvme, scsi or ide"},
     [](Hardware& it, const std::string& value) { return take(it.bus, bus_from(value)); }},
    {{"net", "isolated, nat, none or bridge=INTERFACE"},
     [](Hardware& it, const std::string& value) { return take(it.network, network_from(value)); }},
    {{"clock", "utc or localtime"},
     [](Hardware& it, const std::string& value) { return take(it.clock, clock_from(value)); }},
    {{"hyperv", "on or off"},
     [](Hardware& it, const std::string& value) { return take(it.hyperv, switch_from(value)); }},
    {{"tpm", "on or off"}, [](Hardware& it, const std::string& value) { return take(it.tpm, switch_from(value)); }},
    {{"disk", "+SOURCE for another disk that it reads, -SOURCE for one that goes"}, set_disk},
    {{"iso", "FILE[,boot] for a disc in a CD drive, nothing for none"}, set_iso},
};
constexpr std::string_view description_key = "description";

Error unknown_key(const std::string& key) {
  std::vector<std::string> names;
  for (const auto& kind : setting_kinds()) names.emplace_back(kind.key);
  const auto meant = base::did_you_mean(key, names);
  return Error(ErrorKind::usage, fmt::format("there is no setting \"{}\"", base::printable(key)))
      .hint(meant ? fmt::format("did you mean {}?", *meant) : "there are " + base::join(names, ", "));
}

void apply_setting(Definition& definition, const Setting& setting) {
  if (setting.key == description_key) {
    definition.description = setting.value;
    return;
  }
  const auto key = std::ranges::find_if(keys, [&](const Key& each) { return each.kind.key == setting.key; });
  if (key == std::end(keys)) throw unknown_key(setting.key);
  auto& hardware = definition.active.hardware;
  const auto before = hardware.secure_boot;
  if (!key->set(hardware, setting.value))
    throw Error(ErrorKind::usage, fmt::format("{} cannot be \"{}\"", setting.key, base::printable(setting.value)))
        .hint(fmt::format("{} is {}", setting.key, key->kind.values));
  // The keys are among the variables, which the next boot makes as they are to be.
  if (hardware.secure_boot != before) definition.active.nvram.reset();
  hardware.because.push_back(fmt::format("{} as set", setting.key));
}

}  // namespace

std::vector<SettingKind> setting_kinds() {
  std::vector<SettingKind> kinds;
  for (const auto& key : keys) kinds.push_back(key.kind);
  kinds.push_back({description_key, "a text"});
  return kinds;
}

Change plan_set(const Machine& machine, const std::vector<Setting>& settings) {
  std::vector<std::string> said;
  for (const auto& setting : settings) said.push_back(setting.key + "=" + setting.value);
  Change change = begin_change(machine, fmt::format("set {} {}", machine.name, base::join(said, " ")));
  auto& because = change.definition.active.hardware.because;
  for (const auto& setting : settings) {
    std::erase(because, setting.key + " as set");
    std::erase(because, setting.key + " as asked for");
    apply_setting(change.definition, setting);
  }
  return finish_change(std::move(change), machine.definition);
}

}  // namespace hrvm::machine
