// hrvm reset MACHINE: back to the base as it is, or with --to to a snapshot. What was is kept for undo.
#include <fmt/core.h>

#include "cli/commands/commands.hpp"
#include "cli/messages.hpp"
#include "cli/steps/changing.hpp"
#include "cli/steps/running.hpp"
#include "cli/words/named_machine.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/machine/objection.hpp"

namespace hrvm::cli {
namespace {

using base::Error;
using base::ErrorKind;
using machine::Machine;

std::vector<probe::Disk> find_bases(const Context& context, const Machine& machine) {
  try {
    auto disks = machine::find_bases(context.host, machine.definition);
    for (const auto& disk : disks)
      if (auto obstacle = machine::image_obstacle(disk)) throw std::move(*obstacle);
    return disks;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::not_found) throw;
    throw machine::base_missing(machine, error.message(), error.path(), machine::Purpose::reset).error;
  }
}

// A base that is mounted for writing moves on: the new fingerprint will not hold for long.
void warn_of_use(const Context& context, const probe::Disk& base) {
  heed(objections(base, machine::Purpose::reset), true, listener(context).warn);
}

std::vector<std::uint64_t> sizes_of(const std::vector<probe::Disk>& disks) {
  std::vector<std::uint64_t> sizes;
  for (const auto& disk : disks) sizes.push_back(disk.size_bytes);
  return sizes;
}

void confirm_discard(const Context& context, const std::string& name) {
  if (context.arguments.has("--discard") && !context.dry_run())
    context.confirm(fmt::format("Discard all changes of {}, and what is held for undo?", name));
}

// Nothing is stopped for what cannot be done, or is not wanted.
bool is_stopped_first(const Context& context, const std::string& name) {
  const auto machine = open_store(context).load(name);
  if (const auto snapshot = context.arguments.value("--to")) machine::snapshot_of(machine, *snapshot);
  if (!is_to_be_stopped(context, name, "reset")) return false;
  confirm_discard(context, name);
  return true;
}

machine::Change plan(const Context& context, const LockedMachine& locked) {
  const auto& arguments = context.arguments;
  const bool discard = arguments.has("--discard");
  if (!discard) locked.store.check_files(locked.machine, locked.machine.definition.active);
  const auto drawn = draw(context.host, locked.store, locked.machine);
  if (const auto snapshot = arguments.value("--to")) {
    auto change = plan_snapshot_revert(locked.machine, *snapshot, discard, drawn);
    check_drift(context, locked.machine, change, arguments.has("--force"));
    return change;
  }
  const auto bases = find_bases(context, locked.machine);
  for (const auto& base : bases) warn_of_use(context, base);
  return plan_reset(locked.machine,
                    {.keep_nvram = arguments.has("--keep-nvram"),
                     .discard = discard,
                     .fingerprint = machine::take_fingerprint(context.host, bases),
                     .disk_bytes = sizes_of(bases)},
                    drawn);
}

std::string what_was_done(const Context& context, const Machine& machine) {
  const auto snapshot = context.arguments.value("--to");
  const auto place = snapshot ? fmt::format("its snapshot {}", *snapshot) : machine.definition.disks.front().path;
  return fmt::format("{} starts anew from {}", machine.name, place);
}

void check_options(const Arguments& arguments) {
  if (arguments.has("--to") && arguments.has("--keep-nvram"))
    throw Error(ErrorKind::usage, "--to and --keep-nvram cannot stand together: a snapshot has its own NVRAM");
  if (!arguments.has("--to") && arguments.has("--force"))
    throw Error(ErrorKind::usage, "--force is for --to: a reset takes the base as it is");
}

Outcome run_reset(const Context& context) {
  check_options(context.arguments);
  const auto name = machine_word(context.arguments.positional(0));
  const bool stops = is_stopped_first(context, name);
  const auto locked = lock_machine_to_stop(context, name, stops);
  if (!stops) confirm_discard(context, name);
  const auto change = plan(context, locked);
  return carry_out(context, locked, change,
                   {"reset", what_was_done(context, locked.machine), undo_lines(locked.machine, change)});
}

}  // namespace

const Command reset_command = {
    .name = "reset",
    .summary = "start a machine anew from its disk",
    .options = {{.name = "--to",
                 .value = "SNAP",
                 .help = "start from this snapshot instead, as snapshot revert does",
                 .completes = Completes::snapshot},
                {.name = "--keep-nvram", .help = "keep the UEFI variables"},
                {.name = "--discard", .help = "hold nothing for undo, and discard what older steps hold"},
                {.name = "--force", .help = "with --to: go on although the disk has changed since"},
                stop_option(),
                yes_option(),
                dry_run_option()},
    .positionals = {{"MACHINE", "the machine", Completes::machine}},
    .run = run_reset,
};

}  // namespace hrvm::cli
