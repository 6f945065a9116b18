// hrvm remove MACHINE: the machine goes with all its snapshots. One whose definition is damaged can be removed, too, so
// what is done here asks its files, not its definition.
#include <fmt/core.h>

#include "cli/commands/commands.hpp"
#include "cli/messages.hpp"
#include "cli/steps/changing.hpp"
#include "cli/views/machine_view.hpp"
#include "cli/words/named_machine.hpp"
#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/launch/machine_domain.hpp"
#include "hrvm/machine/objection.hpp"

namespace hrvm::cli {
namespace {

using base::Json;
using report::Format;

// What is known of it is what a person is asked about.
struct Removal {
  std::string machine;
  sys::Path folder;
  std::optional<machine::Definition> definition;  // none: damaged
  std::optional<launch::DomainRecord> domain;     // none: libvirt was never given the machine
  std::vector<sys::Path> files;
  std::uint64_t allocated_bytes = 0;
};

std::optional<machine::Definition> readable_definition(const machine::Store& store, const std::string& name) {
  try {
    return store.load(name).definition;
  } catch (const base::Error& error) {
    if (error.kind() != base::ErrorKind::corrupt) throw;
    return std::nullopt;
  }
}

Removal plan_removal(const Context& context, const machine::Store& store, const std::string& name) {
  const auto folder = store.folder() / name;
  Removal removal{name, folder, readable_definition(store, name), launch::record_of_leaving(listener(context), folder),
                  {},   0};
  for (const auto part : {"layers", "nvram", "generations"})
    for (const auto& file : sys::list_directory(removal.folder / part))
      removal.files.push_back(removal.folder / part / file);
  for (const auto& file : removal.files) removal.allocated_bytes += sys::link_status(file).allocated_bytes;
  return removal;
}

std::string snapshots_text(const Removal& removal) {
  if (!removal.definition) return "its definition is damaged";
  const auto count = removal.definition->snapshots.size();
  if (count == 0) return "it has no snapshots";
  return count == 1 ? "with 1 snapshot" : fmt::format("with {} snapshots", count);
}

std::string question(const Removal& removal) {
  return fmt::format("Remove machine {} ({}, {})?", removal.machine, snapshots_text(removal),
                     base::format_bytes(removal.allocated_bytes));
}

std::string done_text(const Removal& removal) {
  const auto freed = base::format_bytes(removal.allocated_bytes);
  if (!removal.definition) return fmt::format("Removed {}; {} are free again", removal.machine, freed);
  return fmt::format("Removed {}; {} are free again, and {} is as it was", removal.machine, freed,
                     removal.definition->disks.front().path);
}

Json to_json(const Removal& removal) {
  Json files = Json::array();
  for (const auto& file : removal.files) files.push(file.string());
  Json data;
  data.set("machine", removal.machine).set("uuid", removal.definition ? removal.definition->uuid.text() : Json());
  data.set("folder", removal.folder.string()).set("allocated_bytes", removal.allocated_bytes);
  data.set("base", removal.definition ? Json(removal.definition->disks.front().path) : Json());
  return data.set("libvirt", domain_json(removal.domain)).set("files", files);
}

report::Report plan_report(const Removal& removal) {
  const report::FieldsView fields{.fields = {{"Would remove", "machine"},
                                             {"Folder", "folder"},
                                             {"Frees", "allocated_bytes", Format::bytes},
                                             {"Undefines in libvirt", "libvirt.domain"},
                                             {"Leaves alone", "base"}}};
  return {.schema = "hrvm.remove-plan/1",
          .data = to_json(removal),
          .human = {fields, report::TableView{.rows = "files", .columns = {{"FILE", ""}}}},
          .plain = {.rows = "files", .columns = {{"", ""}}}};
}

report::Report done_report(const Removal& removal) {
  return {.schema = "hrvm.remove/1",
          .data = to_json(removal),
          .human = {report::TextView{done_text(removal)}},
          .plain = {.columns = {{"", "machine"}, {"", "allocated_bytes"}}}};
}

Outcome run_remove(const Context& context) {
  const auto name = machine_word(context.arguments.positional(0));
  const auto store = open_store(context);
  const auto lock = store.lock(name);
  machine::check_unused(store.folder() / name, name);
  const auto removal = plan_removal(context, store, name);
  if (removal.domain) launch::check_ended(context.host, *removal.domain, name);
  if (context.dry_run()) return {.report = plan_report(removal)};
  context.confirm(question(removal));
  machine::check_unused(removal.folder, name);
  store.remove(name);
  if (removal.definition) sys::remove_all(machine::run_folder(context.host, *removal.definition));
  // Last: it takes the variables along, without which a machine that stayed would be damaged.
  if (removal.domain) launch::undefine_for_good(context.host, listener(context), *removal.domain);
  return {.report = done_report(removal)};
}

}  // namespace

const Command remove_command = {
    .name = "remove",
    .summary = "remove a machine with its snapshots; the disk is not touched",
    .options = {yes_option(), dry_run_option()},
    .positionals = {{"MACHINE", "the machine", Completes::machine}},
    .run = run_remove,
};

}  // namespace hrvm::cli
