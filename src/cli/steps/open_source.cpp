#include "cli/steps/open_source.hpp"

#include <fmt/core.h>

#include "cli/messages.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/block/devices.hpp"
#include "hrvm/fs/folder.hpp"
#include "hrvm/launch/settled.hpp"
#include "hrvm/machine/change.hpp"
#include "hrvm/machine/folder_layer.hpp"
#include "hrvm/machine/objection.hpp"
#include "hrvm/machine/open_state.hpp"
#include "hrvm/probe/survey.hpp"
#include "hrvm/sys/files.hpp"

namespace hrvm::cli {
namespace {

using base::Error;
using base::ErrorKind;
using machine::Purpose;

enum class Part { state, base };

Source of_folders(std::vector<std::filesystem::path> folders) {
  auto files = fs::open_folder(folders);
  return {{}, std::move(folders), std::move(files)};
}

void tell_running(const Context& context, const machine::Machine& machine, const NamedMachine& named) {
  if (!named.snapshot && machine::run_state(machine) == machine::RunState::running)
    context.warn(
        fmt::format("{} is running: this is what its guest has written down at this moment; a snapshot of it "
                    "holds still",
                    machine.name));
}

// What a machine has of its disks: the layers of a state, or nothing on top of its base.
Source open_disks(const Context& context, const machine::Machine& machine, const machine::State& state, Part part) {
  const auto base = machine::examine_base(context.host, machine.definition, state);
  heed(objections(machine, base, Purpose::reading), context.arguments.has("--force"), listener(context).warn);
  Source source;
  for (std::size_t disk = 0; disk < machine.definition.disks.size(); ++disk) {
    const auto& of_disk = base.disks.at(disk);
    if (part == Part::state)
      source.disks.push_back(machine::open_state(context.host, machine, state, disk, of_disk));
    else if (machine.definition.disks[disk].is_empty())
      source.disks.push_back(block::memory_device({}, "an empty disk"));
    else
      source.disks.push_back(machine::open_base(context.host, of_disk));
  }
  return source;
}

Source open_machine(const Context& context, const NamedMachine& named) {
  const auto store = open_store(context);
  const auto machine =
      named.snapshot ? store.load(named.machine) : launch::load_settled(context.host, store, named.machine);
  const auto state = machine::state_of(machine, named.snapshot);
  store.check_files(machine, state);
  tell_running(context, machine, named);
  if (machine.definition.is_on_folder()) return of_folders(machine::folder_stack(machine, state));
  return open_disks(context, machine, state, Part::state);
}

// Nothing is made of what is read: who writes to the disk is told, and no more.
Source open_source(const Context& context, const std::string& name) {
  const auto disk = probe::locate_disk(context.host, name);
  if (disk.kind == probe::DiskKind::directory) return of_folders({disk.path});
  if (const auto obstacle = machine::image_obstacle(disk); obstacle && disk.container) throw *obstacle;
  heed(objections(disk, Purpose::reading), true, listener(context).warn);
  Source source;
  source.disks.push_back(probe::open_disk(context.host, disk));
  return source;
}

// A word that names no file was meant to be a machine, or a snapshot of one.
void check_machine_word(const Context& context, const std::string& word) {
  const auto named = named_machine(word);
  if (!machine::is_machine_name(named.machine)) return;
  machine::state_of(open_store(context).load(named.machine), named.snapshot);
}

}  // namespace

bool is_machine(const Context& context, const std::string& word) try {
  const auto named = named_machine(word);
  if (!machine::is_machine_name(named.machine)) return false;
  const auto store = open_store(context);
  if (!store.contains(named.machine)) return false;
  return !named.snapshot || store.load(named.machine).definition.find_snapshot(*named.snapshot) != nullptr;
} catch (const Error& error) {
  if (error.kind() == ErrorKind::usage || error.kind() == ErrorKind::not_found) return false;
  throw;
}

bool is_path(const Context& context, const std::string& word) {
  return sys::status(context.host.path(word)).type != sys::FileType::missing;
}

Source open_what(const Context& context, const std::string& what) {
  if (!is_machine(context, what) && !is_path(context, what)) check_machine_word(context, what);
  return is_machine(context, what) ? open_machine(context, named_machine(what)) : open_source(context, what);
}

Source open_base_of(const Context& context, const NamedMachine& named) {
  const auto machine = open_store(context).load(named.machine);
  const auto state = machine::state_of(machine, named.snapshot);
  if (machine.definition.is_on_folder()) return of_folders({machine::folder_stack(machine, state).back()});
  return open_disks(context, machine, state, Part::base);
}

}  // namespace hrvm::cli
