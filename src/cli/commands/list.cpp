// hrvm list: the machines there are. No base is read, and one that is damaged does not hide the others.
#include <fmt/core.h>
#include <fnmatch.h>

#include <algorithm>
#include <map>
#include <set>

#include "cli/commands/commands.hpp"
#include "cli/messages.hpp"
#include "cli/views/machine_view.hpp"
#include "cli/words/named_machine.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/launch/domain.hpp"

namespace hrvm::cli {
namespace {

using base::Json;
using report::Align;
using report::Format;

void tell(const Context& context, const base::Error& error) {
  print_error(context.host.streams.err, error, message_style(context.host, context.arguments));
}

// Null for one that was removed while the others were looked at.
Json look_at(const Context& context, launch::ActiveDomains& domains, const machine::Store& store,
             const std::string& name, bool& failed) {
  try {
    const auto machine = store.load(name);
    store.check_files(machine);
    return machine_json(context.host, domains, machine, machine.definition.active);
  } catch (const base::Error& error) {
    if (!store.contains(name)) return {};
    tell(context, error);
    failed = true;
    return unread_machine_json(name, error.kind() == base::ErrorKind::corrupt);
  }
}

// What --filter asks, by its word: where that stands in a machine's Json.
struct Filter {
  std::string_view key, path;
};
constexpr Filter filters[] = {
    {"name", "name"}, {"state", "state"}, {"system", "system"}, {"base", "base.path"}, {"snapshot", "head"}};

std::vector<std::string> filter_keys() {
  std::vector<std::string> keys;
  for (const auto& filter : filters) keys.emplace_back(filter.key);
  return keys;
}

// Where several patterns are given for a key one of them is enough; every key that is given must hold.
using Patterns = std::map<std::string, std::vector<std::string>>;  // by path

void check_state(const std::string& pattern) {
  const std::vector<std::string> states = {"running", "paused", "stopped", "damaged"};
  const auto matches = [&](const std::string& state) { return ::fnmatch(pattern.c_str(), state.c_str(), 0) == 0; };
  if (std::any_of(states.begin(), states.end(), matches)) return;
  const auto meant = base::did_you_mean(pattern, states);
  throw base::Error(base::ErrorKind::usage, fmt::format("--filter: \"{}\" is no state", base::printable(pattern)))
      .hint(meant ? fmt::format("did you mean state={}?", *meant) : "a state is one of " + base::join(states, ", "));
}

Patterns patterns_of(const Arguments& arguments) {
  Patterns patterns;
  for (const auto& word : arguments.values("--filter")) {
    const auto equals = std::min(word.find('='), word.size());
    const auto key = word.substr(0, equals);
    const auto* filter = std::find_if(std::begin(filters), std::end(filters), [&](auto& f) { return f.key == key; });
    if (filter == std::end(filters) || equals == word.size()) {
      const auto meant = base::did_you_mean(key, filter_keys());
      throw base::Error(base::ErrorKind::usage,
                        fmt::format("--filter: \"{}\" is no KEY=PATTERN", base::printable(word)))
          .hint(meant ? fmt::format("write {}=PATTERN", *meant)
                      : fmt::format("a key is one of {}", base::join(filter_keys(), ", ")));
    }
    if (key == "state") check_state(word.substr(equals + 1));
    patterns[std::string(filter->path)].push_back(word.substr(equals + 1));
  }
  return patterns;
}

bool matches(const Json& machine, const Patterns& patterns) {
  return std::all_of(patterns.begin(), patterns.end(), [&](const auto& of_key) {
    const auto value = machine.at_path(of_key.first).text().value_or("");
    return std::any_of(of_key.second.begin(), of_key.second.end(),
                       [&](const std::string& pattern) { return ::fnmatch(pattern.c_str(), value.c_str(), 0) == 0; });
  });
}

// By name they come as they are.
void sort_by(std::string_view key, Json::Array& machines) {
  if (key == "changes")
    std::stable_sort(machines.begin(), machines.end(), [](const Json& a, const Json& b) {
      return a["changes_bytes"].unsigned_integer().value_or(0) > b["changes_bytes"].unsigned_integer().value_or(0);
    });
  if (key == "created")
    std::stable_sort(machines.begin(), machines.end(), [](const Json& a, const Json& b) {
      return a["created"].text().value_or("") > b["created"].text().value_or("");
    });
}

// Which of them are copies of others is looked for where two have one UUID, and there alone.
void mark_copies(const machine::Store& store, Json::Array& machines) {
  std::set<std::string> uuids;
  const bool has_copies = std::ranges::any_of(machines, [&](const Json& machine) {
    const auto uuid = machine["uuid"].text();
    return uuid && !uuids.insert(*uuid).second;
  });
  std::map<std::string, std::string> originals;
  if (has_copies)
    for (auto& [name, original] : machine::find_copies(store)) originals[name] = original;
  for (auto& machine : machines) {
    const auto original = originals.find(machine["name"].text().value_or(""));
    machine.set("copy_of", original == originals.end() ? Json() : Json(original->second));
  }
}

report::Report report_of(Json machines, bool filtered) {
  Json data;
  data.set("machines", std::move(machines));
  report::TableView table{
      .rows = "machines",
      .columns = {{"NAME", "name"},
                  {"STATE", "state"},
                  {"PROCESS", "pid", Format::text, Align::left, 2},
                  {"SINCE", "since", Format::time, Align::left, 2},
                  {"LIBVIRT", "libvirt.uri", Format::text, Align::left, 2},
                  {"CHANGES", "changes_bytes", Format::bytes, Align::right},
                  {"SNAPSHOT", "head", Format::text, Align::left, 4},
                  {"SYSTEM", "system", Format::text, Align::left, 3},
                  {"DIRECT", "base.direct", Format::yes_no, Align::left, 1},
                  {"COPY OF", "copy_of"},
                  {"BASE", "base.path", Format::path}},
      .when_empty = filtered ? "No such machines." : "No machines. hrvm discover shows the disks that can become one.",
      .only = "throw_away",
      .below = "runs"};
  std::vector<std::string> names;
  for (const auto& machine : data["machines"].items()) names.push_back(machine["name"].text().value_or(""));
  return {.schema = "hrvm.list/1",
          .data = data,
          .human = {std::move(table)},
          .plain = machine_lines(),
          .names = std::move(names)};
}

Outcome run_list(const Context& context) {
  const auto store = open_store(context);
  const auto patterns = patterns_of(context.arguments);
  Json::Array machines;
  launch::ActiveDomains domains(context.host);
  bool failed = false;
  for (const auto& name : store.folder_names()) {
    auto json = look_at(context, domains, store, name, failed);
    if (!json.is_null()) machines.push_back(std::move(json));
  }
  mark_copies(store, machines);
  std::erase_if(machines, [&](const Json& machine) { return !matches(machine, patterns); });
  for (const auto& complaint : domains.complaints()) context.warn(complaint);
  sort_by(context.arguments.value("--sort").value_or("name"), machines);
  return {.report = report_of(std::move(machines), !patterns.empty()), .status = failed ? 1 : 0};
}

}  // namespace

const Command list_command = {
    .name = "list",
    .summary = "list the machines, whether they run, and how much they changed",
    .options = {{.name = "--sort",
                 .value = "KEY",
                 .help = "what comes first: the largest changes, the newest",
                 .choices = {"name", "changes", "created"}},
                {.name = "--filter",
                 .value = "KEY=PATTERN",
                 .help = "only those that match: state=running, name=web*; also system, base, snapshot",
                 .repeatable = true}},
    .run = run_list,
};

}  // namespace hrvm::cli
