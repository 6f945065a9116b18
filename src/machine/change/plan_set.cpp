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

void apply_setting(Definition& definition, const Setting& setting) {
  if (setting.key == description_key) {
    definition.description = setting.value;
    return;
  }
  const auto* known = setting_named(setting.key);
  if (known == nullptr) throw unknown_key(setting.key);
  auto& hardware = definition.active.hardware;
  const auto before = hardware.secure_boot;
  if (!set(*known, hardware, setting.value))
    throw Error(ErrorKind::usage, fmt::format("{} cannot be \"{}\"", setting.key, base::printable(setting.value)))
        .hint(fmt::format("{} is {}", setting.key, values_of(*known)));
  // The keys are among the variables, which the next boot makes as they are to be.
  if (hardware.secure_boot != before) definition.active.nvram.reset();
  hardware.because.push_back(fmt::format("{} as set", setting.key));
}

}  // namespace

std::vector<SettingKind> setting_kinds() {
  std::vector<SettingKind> kinds;
  for (const auto& setting : hardware_settings())
    if (setting.can_be_set) kinds.push_back({setting.name, values_of(setting), choices_of(setting)});
  kinds.push_back({description_key, "a text", {}});
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
