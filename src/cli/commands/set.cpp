// hrvm set MACHINE KEY=VALUE…: another hardware, or description, from the next boot on.
#include <fmt/core.h>

#include <algorithm>

#include "cli/commands/commands.hpp"
#include "cli/steps/changing.hpp"
#include "cli/words/hardware_options.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/machine/fingerprint.hpp"
#include "hrvm/machine/import_sources.hpp"
#include "hrvm/probe/disk.hpp"
#include "hrvm/sys/files.hpp"

namespace hrvm::cli {
namespace {

std::vector<machine::Setting> settings_of(const Arguments& arguments) {
  std::vector<machine::Setting> settings;
  for (std::size_t i = 1; i < arguments.positionals().size(); ++i) {
    const auto& word = arguments.positional(i);
    const auto equals = word.find('=');
    if (equals == word.npos || equals == 0)
      throw base::Error(base::ErrorKind::usage, fmt::format("\"{}\" sets nothing", base::printable(word)))
          .hint("write KEY=VALUE: memory=4G");
    settings.push_back({word.substr(0, equals), word.substr(equals + 1)});
  }
  if (settings.empty())
    throw base::Error(base::ErrorKind::usage, "nothing was given to set").hint("write KEY=VALUE: memory=4G");
  return settings;
}

// A disk is remembered by its stable name; one that is gone by the name that was given.
std::string resolved_disk(const Context& context, const std::string& value) {
  const auto source = value.substr(1);
  try {
    return value[0] + machine::kept_path(machine::locate_extra_disk(context.host, source));
  } catch (const base::Error&) {
    if (value[0] == '+') throw;
    return value[0] + sys::absolute(source).string();
  }
}

std::string resolved_disc(const Context& context, const std::string& value) {
  auto disc = disc_named(value);
  disc.path = machine::kept_path(machine::locate_extra_disk(context.host, disc.path));
  return word(disc);
}

void resolve_disks(const Context& context, std::vector<machine::Setting>& settings) {
  for (auto& [key, value] : settings) {
    if (key == "disk" && value.size() > 1 && (value[0] == '+' || value[0] == '-'))
      value = resolved_disk(context, value);
    if (key == "iso" && !value.empty()) value = resolved_disc(context, value);
  }
}

// Where the machine's first disk is now, with what the others are.
machine::Change plan_base(const Context& context, const LockedMachine& locked, const std::string& source) {
  auto& definition = locked.machine.definition;
  const auto there = probe::locate_disk(context.host, source);
  auto found = definition;
  found.disks.front() = machine::identity_of(there);
  auto disks = machine::find_bases(context.host, found);
  return plan_move_base(locked.machine, found.disks.front(), machine::take_fingerprint(context.host, disks),
                        draw(context.host, locked.store));
}

machine::Change plan(const Context& context, const LockedMachine& locked,
                     const std::vector<machine::Setting>& settings) {
  const auto base = std::ranges::find(settings, machine::base_key, &machine::Setting::key);
  if (base == settings.end()) return plan_set(locked.machine, settings, draw(context.host, locked.store));
  if (settings.size() == 1) return plan_base(context, locked, base->value);
  throw base::Error(base::ErrorKind::usage, "base= is set alone")
      .hint(fmt::format("first hrvm set {} base={}", locked.machine.name, base::shell_quote(base->value)));
}

Outcome run_set(const Context& context) {
  const auto name = machine_word(context.arguments.positional(0));
  auto settings = settings_of(context.arguments);
  resolve_disks(context, settings);
  const auto locked = lock_stopped_machine(context, name);
  return carry_out(context, locked, plan(context, locked, settings),
                   {"set", fmt::format("{} has it from its next boot on", name), {"all of it:  hrvm show " + name}});
}

}  // namespace

const Command set_command = {
    .name = "set",
    .summary = "change a machine's hardware or description",
    .options = {dry_run_option()},
    .positionals = {{"MACHINE", "the machine", Completes::machine},
                    {"KEY=VALUE", "what to set: memory=4G bus=sata net=nat", Completes::setting,
                     Positional::Count::any}},
    .run = run_set,
};

}  // namespace hrvm::cli
