#include <fmt/core.h>

#include <algorithm>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/machine/change.hpp"
#include "hrvm/machine/settings.hpp"
#include "machine/change/change_parts.hpp"

namespace hrvm::machine {
namespace {

using base::Error;
using base::ErrorKind;

constexpr std::string_view description_key = "description";
constexpr std::string_view on = "on", off = "off";

const HardwareSetting* setting_named(std::string_view name) {
  const auto settings = hardware_settings();
  const auto found = std::ranges::find(settings, name, &HardwareSetting::name);
  return found == settings.end() || !found->can_be_set ? nullptr : &*found;
}

Error unknown_key(const std::string& key) {
  std::vector<std::string> names;
  for (const auto& kind : setting_kinds()) names.emplace_back(kind.key);
  const auto meant = base::did_you_mean(key, names);
  return Error(ErrorKind::usage, fmt::format("there is no setting \"{}\"", base::printable(key)))
      .hint(meant ? fmt::format("did you mean {}?", *meant) : "there are " + base::join(names, ", "));
}

// A folder's kernel is started by itself. What such a machine cannot have can still be set back.
void check_has(const Definition& definition, const HardwareSetting& setting, std::string_view name) {
  if (!definition.is_on_folder() || !setting.is_of_disk) return;
  if (to_json(setting, definition.active.hardware) == to_json(setting, Hardware{})) return;
  throw Error(ErrorKind::usage, fmt::format("{} starts from a folder: it has no {} to set", name, setting.name))
      .hint("the kernel in the folder is started without a firmware, and its root is no disk");
}

void check_fits(const Hardware& hardware, std::string_view name) {
  if (hardware.firmware == Firmware::bios && hardware.secure_boot != SecureBoot::off)
    throw Error(ErrorKind::usage, "BIOS has no Secure Boot")
        .hint(fmt::format("hrvm set {0} firmware=uefi secure-boot={1}, or hrvm set {0} firmware=bios secure-boot=off",
                          name, word(hardware.secure_boot)));
  if (hardware.firmware == Firmware::uefi && hardware.bus == Bus::ide)
    throw Error(ErrorKind::usage, "a machine with IDE disks boots by BIOS only")
        .hint(fmt::format("hrvm set {0} firmware=uefi bus=sata, or hrvm set {0} firmware=bios bus=ide", name));
}

// Others can be set on a machine that is booted by BIOS for a try.
bool is_about_the_start(const Setting& setting) {
  return setting.key == "firmware" || setting.key == "secure-boot" || setting.key == "bus";
}

std::string hint_of_value(const HardwareSetting& setting, const std::string& value) {
  if (const auto meant = base::did_you_mean(value, choices_of(setting)))
    return fmt::format("did you mean {}={}?", setting.name, *meant);
  const auto values = fmt::format("{} is {}", setting.name, values_of(setting));
  return setting.hint.empty() ? values : fmt::format("{}; {}", values, setting.hint);
}

// How the reasons that an import gives begin, or what is in them.
struct Reason {
  std::string_view key, begins, holds = "";
};
constexpr Reason reasons[] = {{"firmware", "BIOS: "},
                              {"firmware", "UEFI: "},
                              {"bus", "virtio: "},
                              {"bus", "SATA: "},
                              {"bus", "NVMe: "},
                              {"bus", "SCSI: "},
                              {"memory", "", " of memory: "},
                              {"cpus", "", "processors"},
                              {"clock", "clock "}};

// What was said for the value that it had does not hold for another.
void drop_reasons(Hardware& hardware, std::string_view key) {
  for (const auto& reason : reasons) {
    if (reason.key != key) continue;
    const auto is_it = [&](const std::string& text) {
      return text.starts_with(reason.begins) && text.find(reason.holds) != text.npos;
    };
    // A network card may have the same words behind the bus.
    const auto found = std::find_if(hardware.because.begin(), hardware.because.end(), is_it);
    if (found != hardware.because.end()) hardware.because.erase(found);
  }
}

struct MachineSwitch {
  std::string_view key;
  bool Definition::*kept;
};
constexpr MachineSwitch machine_switches[] = {{autostart_key, &Definition::autostart},
                                              {auto_snapshot_key, &Definition::auto_snapshot}};

const MachineSwitch* switch_named(std::string_view key) {
  const auto* found = std::ranges::find(machine_switches, key, &MachineSwitch::key);
  return found == std::end(machine_switches) ? nullptr : found;
}

void set_switch(Definition& definition, const MachineSwitch& known, const std::string& value) {
  if (value != on && value != off)
    throw Error(ErrorKind::usage, fmt::format("{} cannot be \"{}\"", known.key, base::printable(value)))
        .hint(fmt::format("{} is {} or {}", known.key, on, off));
  definition.*known.kept = value == on;
}

void apply_setting(Definition& definition, const Setting& setting, std::string_view name) {
  if (setting.key == description_key) {
    definition.description = setting.value;
    return;
  }
  if (const auto* known = switch_named(setting.key)) return set_switch(definition, *known, setting.value);
  const auto* known = setting_named(setting.key);
  if (known == nullptr) throw unknown_key(setting.key);
  auto& hardware = definition.active.hardware;
  const auto before = to_json(*known, hardware);
  if (!set(*known, hardware, setting.value))
    throw Error(ErrorKind::usage, fmt::format("{} cannot be \"{}\"", setting.key, base::printable(setting.value)))
        .hint(hint_of_value(*known, setting.value));
  check_has(definition, *known, name);
  if (to_json(*known, hardware) != before) drop_reasons(hardware, setting.key);
  hardware.because.push_back(fmt::format("{} as set", setting.key));
}

}  // namespace

bool is_of_machine(std::string_view key) { return key == description_key || switch_named(key) != nullptr; }

std::vector<SettingKind> setting_kinds() {
  std::vector<SettingKind> kinds;
  for (const auto& setting : hardware_settings())
    if (setting.can_be_set) kinds.push_back({setting.name, values_of(setting), choices_of(setting)});
  for (const auto& each : machine_switches)
    kinds.push_back({each.key, "on or off", {std::string(on), std::string(off)}});
  kinds.push_back({description_key, "a text", {}});
  kinds.push_back({base_key, "where the machine's disk or image is now", {}});
  return kinds;
}

Change plan_set(const Machine& machine, const std::vector<Setting>& settings, const Drawn& drawn) {
  std::vector<std::string> said;
  for (const auto& setting : settings) said.push_back(setting.key + "=" + setting.value);
  Change change = begin_change(machine, "set " + base::join(said, " "),
                               fmt::format("set {} {}", machine.name, base::join(said, " ")), drawn);
  auto& hardware = change.definition.active.hardware;
  for (const auto& setting : settings) {
    std::erase(hardware.because, setting.key + " as set");
    std::erase(hardware.because, setting.key + " as asked for");
    apply_setting(change.definition, setting, machine.name);
  }
  if (std::ranges::any_of(settings, is_about_the_start)) check_fits(hardware, machine.name);
  // The keys are among the variables, which the next boot makes as they are to be.
  if (hardware.secure_boot != machine.definition.active.hardware.secure_boot) change.definition.active.nvram.reset();
  return finish_change(std::move(change), machine.definition);
}

}  // namespace hrvm::machine
