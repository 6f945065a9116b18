// hrvm remove MACHINE…: the machines go with all their snapshots. One whose definition is damaged can be removed, too,
// so what is done here asks its files, not its definition.
#include <fmt/core.h>

#include <algorithm>
#include <map>

#include "cli/commands/commands.hpp"
#include "cli/messages.hpp"
#include "cli/steps/autostart.hpp"
#include "cli/steps/changing.hpp"
#include "cli/steps/several.hpp"
#include "cli/views/run_view.hpp"
#include "cli/words/named_machine.hpp"
#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/launch/machine_domain.hpp"
#include "hrvm/machine/neighbours.hpp"
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
  for (const auto part : {"layers", "nvram", "memory", "generations"})
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

std::string described(const Removal& removal) {
  return fmt::format("{} ({}, {})", removal.machine, snapshots_text(removal),
                     base::format_bytes(removal.allocated_bytes));
}

std::string question(const std::vector<Removal>& removals) {
  if (removals.size() == 1) return fmt::format("Remove machine {}?", described(removals.front()));
  std::vector<std::string> parts;
  for (const auto& removal : removals) parts.push_back(described(removal));
  return fmt::format("Remove {} machines: {}?", parts.size(), base::join(parts, ", "));
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

// Of one machine its members stand where they always stood; of several, each has its place in the list.
Json to_json(const std::vector<Removal>& removals) {
  Json data = removals.size() == 1 ? to_json(removals.front()) : Json::object();
  Json list = Json::array();
  for (const auto& removal : removals) list.push(to_json(removal));
  return data.set("machines", std::move(list));
}

report::Report plan_report(const std::vector<Removal>& removals) {
  const report::FieldsView fields{.fields = {{"Would remove", "machine"},
                                             {"Folder", "folder"},
                                             {"Frees", "allocated_bytes", Format::bytes},
                                             {"Undefines in libvirt", "libvirt.domain"},
                                             {"Leaves alone", "base"}}};
  const report::TableView files{.rows = "files", .columns = {{"FILE", "", Format::path}}};
  Json data = to_json(removals);
  Json all = Json::array();
  for (const auto& removal : removals)
    for (const auto& file : removal.files) all.push(file.string());
  data.set("files", std::move(all));
  return {.schema = "hrvm.remove-plan/1",
          .data = std::move(data),
          .human = {report::EachView{.rows = "machines", .heading = {}, .views = {fields, files}}},
          .plain = {.rows = "files", .columns = {{"", ""}}}};
}

report::Report done_report(const std::vector<Removal>& removals) {
  std::vector<report::View> human;
  for (const auto& removal : removals) human.push_back(report::TextView{done_text(removal)});
  return {.schema = "hrvm.remove/1",
          .data = to_json(removals),
          .human = std::move(human),
          .plain = {.rows = "machines", .columns = {{"", "machine"}, {"", "allocated_bytes"}}}};
}

struct LockedRemoval {
  sys::Lock lock;
  Removal removal;
};

LockedRemoval look_at(const Context& context, const machine::Store& store, const std::string& name) {
  auto lock = store.lock(name);
  machine::check_unused(store.folder() / name, name);
  auto removal = plan_removal(context, store, name);
  if (removal.domain) launch::check_ended(context.host, *removal.domain, name);
  machine::check_no_base_among(store, name, removal.files);
  return {std::move(lock), std::move(removal)};
}

void carry_out(const Context& context, const machine::Store& store, const Removal& removal) {
  machine::check_unused(removal.folder, removal.machine);
  store.remove(removal.machine);
  end_autostart(context, store, removal.machine);
  if (removal.definition) sys::remove_all(machine::run_folder(context.host, *removal.definition));
  // Last: it takes the variables along, without which a machine that stayed would be damaged.
  if (removal.domain) launch::undefine_for_good(context.host, listener(context), *removal.domain);
}

// What can be removed is asked about together; what cannot is told, and stays.
Outcome run_remove(const Context& context) {
  const auto store = open_store(context);
  const auto names = words_given(context.arguments);
  std::map<std::string, LockedRemoval> found;
  int status = for_each(context, names, [&](const std::string& word) {
    found.emplace(word, look_at(context, store, machine_word(word)));
  });
  std::vector<Removal> removals;
  for (const auto& name : names)
    if (const auto one = found.find(name); one != found.end()) removals.push_back(one->second.removal);
  if (context.dry_run()) return {.report = plan_report(removals), .status = status};
  if (removals.empty()) return {.report = std::nullopt, .status = status};
  context.confirm(question(removals));
  std::vector<std::string> to_go;
  for (const auto& removal : removals) to_go.push_back(removal.machine);
  std::vector<Removal> done;
  const int removed = for_each(context, to_go, [&](const std::string& name) {
    carry_out(context, store, found.at(name).removal);
    done.push_back(found.at(name).removal);
  });
  return {.report = done_report(done), .status = std::max(status, removed)};
}

}  // namespace

const Command remove_command = {
    .name = "remove",
    .summary = "remove machines with their snapshots; the disks are not touched",
    .options = {yes_option(), dry_run_option()},
    .positionals = {{"MACHINE", "the machines", Completes::machine_stopped, Positional::Count::some}},
    .run = run_remove,
};

}  // namespace hrvm::cli
