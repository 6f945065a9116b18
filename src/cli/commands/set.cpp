// hrvm set MACHINE KEY=VALUE…: another hardware, or description, from the next boot on.
#include <fmt/core.h>

#include <algorithm>

#include "cli/commands/commands.hpp"
#include "cli/steps/automatic.hpp"
#include "cli/steps/autostart.hpp"
#include "cli/steps/changing.hpp"
#include "cli/words/hardware_options.hpp"
#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/launch/gather.hpp"
#include "hrvm/machine/fingerprint.hpp"
#include "hrvm/machine/import_sources.hpp"
#include "hrvm/machine/settings.hpp"
#include "hrvm/machine/share.hpp"
#include "hrvm/probe/disk.hpp"
#include "hrvm/sys/files.hpp"
#include "hrvm/sys/mounts.hpp"

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

// "-TAG" and "none" name no folder; that one begins with a hyphen is said with "./" before it.
std::string resolved_share(const std::string& value) {
  if (value.empty() || value == "none" || value.starts_with('-')) return value;
  return word(share_named(value.starts_with('+') ? value.substr(1) : value));
}

void resolve_paths(const Context& context, std::vector<machine::Setting>& settings) {
  for (auto& [key, value] : settings) {
    if (key == "disk" && value.size() > 1 && (value[0] == '+' || value[0] == '-'))
      value = resolved_disk(context, value);
    if (key == "iso" && !value.empty()) value = resolved_disc(context, value);
    if (key == "share") value = resolved_share(value);
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

std::string joined(const base::Json& list) {
  std::vector<std::string> parts;
  for (const auto& item : list.items()) parts.push_back(item.text().value_or(""));
  return base::join(parts, ", ");
}

std::string shown(const machine::HardwareSetting& setting, const base::Json& value) {
  if (value.is_null()) return "none";
  const auto number = value.unsigned_integer();
  if (number && setting.member.ends_with("_bytes")) return base::format_bytes(*number);
  if (const auto truth = value.boolean()) return *truth ? "on" : "off";
  if (value.is_array()) return value.items().empty() ? "none" : joined(value);
  return value.text().value_or(base::to_text(value, -1));
}

// "memory: 4 GiB -> 512 MiB", of each setting that is another afterwards.
std::vector<std::string> differences(const machine::Definition& before, const machine::Definition& after) {
  std::vector<std::string> lines;
  const auto add = [&](std::string_view key, const std::string& from, const std::string& to) {
    if (from != to) lines.push_back(fmt::format("{}: {} -> {}", key, from, to));
  };
  for (const auto& setting : machine::hardware_settings())
    add(setting.name, shown(setting, to_json(setting, before.active.hardware)),
        shown(setting, to_json(setting, after.active.hardware)));
  add(machine::autostart_key, before.autostart ? "on" : "off", after.autostart ? "on" : "off");
  add(machine::auto_snapshot_key, before.auto_snapshot ? "on" : "off", after.auto_snapshot ? "on" : "off");
  add("description", before.description.empty() ? "none" : before.description,
      after.description.empty() ? "none" : after.description);
  add("base", before.disks.front().path, after.disks.front().path);
  return lines;
}

std::optional<std::string> idle_forwards(const machine::Hardware& had, const machine::Hardware& wants) {
  if (wants.forwards.empty() || wants.network.can_forward()) return std::nullopt;
  if (wants.forwards == had.forwards && wants.network == had.network) return std::nullopt;
  return fmt::format("net={} forwards no ports: those of forward= are for net=nat and net=isolated",
                     machine::word(wants.network));
}

// Of those that are new: a disk may have been mounted since for others, which a boot tells.
void check_shares(const Context& context, const LockedMachine& locked, const machine::Definition& after) {
  const auto& had = locked.machine.definition.active.hardware.shares;
  for (const auto& share : after.active.hardware.shares)
    if (std::ranges::find(had, share) == had.end()) check_share(context.host, locked.store, after, share);
}

std::optional<std::string> missing_for_shares(const sys::Host& host) {
  if (!launch::find_virtiofsd(host))
    return "virtiofsd is not installed, by which the guest has a folder: apt install virtiofsd, or qemu-system-common "
           "on "
           "Debian 12";
  if (!host.is_root()) return "only root can boot a machine that shares a folder";
  return std::nullopt;
}

// What is newly wanted and this host has not: a boot would fail, or crawl. Another host may have it.
std::vector<std::string> lacks_of_host(const sys::Host& host, const machine::Definition& before,
                                       const machine::Definition& after) {
  const auto& had = before.active.hardware;
  const auto& wants = after.active.hardware;
  std::vector<std::string> lacks;
  if (const auto total = sys::memory(host).total_bytes;
      wants.memory_bytes != had.memory_bytes && total > 0 && wants.memory_bytes > total)
    lacks.push_back(fmt::format("{} of memory are more than the {} of this host",
                                base::format_bytes(wants.memory_bytes), base::format_bytes(total)));
  if (const auto processors = sys::processors(host);
      wants.cpus != had.cpus && processors > 0 && wants.cpus > processors)
    lacks.push_back(fmt::format("{} CPUs are more than the {} of this host", wants.cpus, processors));
  const auto& bridge = wants.network.bridge;
  if (wants.network != had.network && !bridge.empty() &&
      sys::status(host.path("/sys/class/net/" + bridge)).type == sys::FileType::missing)
    lacks.push_back(fmt::format("this host has no network interface {}", bridge));
  if (wants.shares != had.shares && !wants.shares.empty())
    if (auto missing = missing_for_shares(host)) lacks.push_back(*std::move(missing));
  if (auto idle = idle_forwards(had, wants)) lacks.push_back(*std::move(idle));
  return lacks;
}

Outcome run_set(const Context& context) {
  const auto name = machine_word(context.arguments.positional(0));
  auto settings = settings_of(context.arguments);
  resolve_paths(context, settings);
  const bool is_of_guest = !std::ranges::all_of(settings, machine::is_of_machine, &machine::Setting::key);
  const auto locked = is_of_guest ? lock_stopped_machine(context, name) : lock_machine(context, name);
  auto change = plan(context, locked, settings);
  check_shares(context, locked, change.definition);
  for (auto& lack : lacks_of_host(context.host, locked.machine.definition, change.definition))
    change.warnings.push_back(std::move(lack));
  ChangeWords words{
      "set", name + (is_of_guest ? " has it from its next boot on" : " has it now"), {"all of it:  hrvm show " + name}};
  words.details = differences(locked.machine.definition, change.definition);
  auto outcome = carry_out(context, locked, change, words);
  if (context.dry_run()) return outcome;
  if (std::ranges::count(settings, machine::autostart_key, &machine::Setting::key) > 0)
    follow_autostart(context, locked.store, locked.store.load(name));
  if (change.definition.auto_snapshot && !locked.machine.definition.auto_snapshot) tell_of_timer(context, locked.store);
  return outcome;
}

}  // namespace

const Command set_command = {
    .name = "set",
    .summary = "change a machine's hardware or description",
    .options = {dry_run_option()},
    .positionals = {{"MACHINE", "the machine", Completes::machine_stopped},
                    {"KEY=VALUE", "what to set: memory=4G bus=sata net=nat", Completes::setting,
                     Positional::Count::any}},
    .run = run_set,
};

}  // namespace hrvm::cli
