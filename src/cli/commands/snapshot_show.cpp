// hrvm snapshot show MACHINE@SNAP…: all that is known of snapshots. What the machine is in one, `show` tells.
#include <fmt/core.h>

#include "cli/commands/commands.hpp"
#include "cli/steps/changing.hpp"
#include "cli/steps/several.hpp"
#include "cli/views/machine_view.hpp"
#include "cli/words/named_machine.hpp"
#include "hrvm/machine/change.hpp"

namespace hrvm::cli {
namespace {

using base::Json;
using report::Format;

// What else lies on it than snapshots.
Json states_on(const machine::Definition& definition, const std::string& snapshot) {
  std::vector<std::string> states;
  if (definition.named(definition.active.head) == snapshot) states.emplace_back("the current state");
  for (const auto* step : definition.held_steps())
    if (definition.named(step->held->head) == snapshot)
      states.push_back(fmt::format("what step {} holds for undo", step->number));
  return states;
}

Json files_of(const machine::Machine& machine, const machine::Snapshot& snapshot) {
  std::vector<std::string> files;
  for (std::size_t disk = 0; disk < machine.definition.disks.size(); ++disk)
    files.push_back(machine.layer_path(snapshot.layer, disk).string());
  if (snapshot.nvram) files.push_back(machine.nvram_path(*snapshot.nvram).string());
  if (snapshot.memory) files.push_back(machine.memory_path(snapshot.memory->id).string());
  return files;
}

Json shown_json(const machine::Store& store, const std::string& word) {
  const auto [name, wanted] = snapshot_word(word);
  const auto machine = store.load(name);
  const auto& snapshot = machine::snapshot_of(machine, wanted);
  auto json = snapshot_json(machine, snapshot).set("children", children_json(machine.definition, wanted));
  json.set("machine", name).set("states", states_on(machine.definition, wanted));
  const auto depth = machine.definition.chain(machine::state_of(machine, wanted)).size();
  json.set("depth", depth).set("files", files_of(machine, snapshot));
  Json hardware;
  set_hardware(hardware, snapshot.hardware, machine.definition.is_on_folder());
  return json.set("hardware", std::move(hardware));
}

std::vector<report::View> views() {
  return {report::EachView{"snapshots",
                           {{"", "machine"}, {"", "name"}},
                           {report::FieldsView{.fields = {{"Description", "description"},
                                                          {"Created", "created", Format::time},
                                                          {"Made by --auto", "auto", Format::yes_no},
                                                          {"Lies on", "parent"},
                                                          {"Layers down to the base", "depth"},
                                                          {"Changes", "allocated_bytes", Format::bytes},
                                                          {"Memory of its guest", "memory_bytes", Format::bytes},
                                                          {"Snapshots on it", "children"},
                                                          {"Also on it", "states"},
                                                          {"Memory", "hardware.memory_bytes", Format::bytes},
                                                          {"CPUs", "hardware.cpus"},
                                                          {"Firmware", "hardware.firmware"},
                                                          {"Files", "files", Format::lines}}}}}};
}

Outcome run_snapshot_show(const Context& context) {
  const auto store = open_store(context);
  Json snapshots = Json::array();
  const int status = for_each(context, words_given(context.arguments),
                              [&](const std::string& word) { snapshots.push(shown_json(store, word)); });
  auto plain = snapshot_lines();
  plain.columns.insert(plain.columns.end(), {{"", "machine"}, {"", "auto"}, {"", "memory_bytes"}});
  return {.report = report::Report{.schema = "hrvm.snapshot-show/1",
                                   .data = Json::object().set("snapshots", std::move(snapshots)),
                                   .human = views(),
                                   .plain = std::move(plain)},
          .status = status};
}

}  // namespace

const Command snapshot_show_command = {
    .name = "snapshot show",
    .summary = "show all about snapshots: what lies on them, their files and hardware",
    .positionals = {{"MACHINE@SNAP", "the snapshots", Completes::snapshot, Positional::Count::some}},
    .run = run_snapshot_show,
};

}  // namespace hrvm::cli
