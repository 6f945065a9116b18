// hrvm diff A [B]: what changed from A to B, or from its base to A.
#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "cli/commands/commands.hpp"
#include "cli/words/named_machine.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/fs/folder_diff.hpp"
#include "hrvm/machine/change.hpp"
#include "hrvm/machine/folder_layer.hpp"
#include "hrvm/sys/confined.hpp"
#include "hrvm/sys/terminal.hpp"

namespace hrvm::cli {
namespace {

using base::Error;
using base::ErrorKind;
using base::Json;
using fs::ChangeKind;
using fs::FileChange;
using report::Format;
using sys::FileType;

struct KindWord {
  ChangeKind kind;
  const char* word;
};
constexpr std::array kinds{KindWord{ChangeKind::added, "added"}, KindWord{ChangeKind::removed, "removed"},
                           KindWord{ChangeKind::modified, "modified"}, KindWord{ChangeKind::renamed, "renamed"}};

struct TypeWord {
  FileType type;
  const char* word;
};
constexpr std::array types{TypeWord{FileType::regular, "file"}, TypeWord{FileType::directory, "dir"},
                           TypeWord{FileType::symlink, "symlink"}, TypeWord{FileType::block, "block"},
                           TypeWord{FileType::character, "char"}};

// Each a stack of folders, the topmost first.
struct Sides {
  fs::Folders from, to;
};

Error no_folder(const machine::Machine& machine) {
  return Error(ErrorKind::unsupported,
               fmt::format("machine {} lies on a disk, and diff tells the files of machines on a folder", machine.name))
      .hint(fmt::format("export what is to be compared, and mount the images read-only: hrvm export {} FILE",
                        machine.name));
}

Error no_states(const machine::Machine& machine) {
  return Error(ErrorKind::unsupported,
               fmt::format("machine {} writes to {} itself, so there is nothing to compare it with", machine.name,
                           machine.definition.disks.front().path));
}

fs::Folders stack_of(const Context& context, const machine::Store& store, const NamedMachine& named) {
  const auto machine = store.load(named.machine);
  if (!machine.definition.is_on_folder()) throw no_folder(machine);
  if (machine.definition.is_direct()) throw no_states(machine);
  const auto state = machine::state_of(machine, named.snapshot);
  store.check_files(machine, state);
  if (!named.snapshot && machine::run_state(machine) == machine::RunState::running)
    context.note(fmt::format("machine {} is running: this is what it has written at this moment", machine.name));
  return machine::folder_stack(machine, state);
}

Sides sides_of(const Context& context) {
  const auto& words = context.arguments.positionals();
  const auto store = open_store(context);
  auto first = stack_of(context, store, named_machine(words[0]));
  if (words.size() == 1) return {{first.back()}, std::move(first)};
  return {std::move(first), stack_of(context, store, named_machine(words[1]))};
}

// What a guest wrote is read in a child, as a disk is.
std::vector<FileChange> compare(const Context& context, const Sides& sides) {
  sys::SharedNumber compared;
  sys::Confinement limits;
  limits.memory_bytes = 2ull << 30;
  limits.time = std::chrono::hours(24);
  limits.answer_bytes = 256u << 20;
  limits.folders = sides.from;
  limits.folders.insert(limits.folders.end(), sides.to.begin(), sides.to.end());
  fs::FolderComparison comparison(sides.from, sides.to);
  const auto compare = [&] {
    return fs::to_text(comparison.changes([&](std::uint64_t bytes) { compared.set(bytes); }));
  };
  sys::Progress progress(context.host, "Comparing", 0, context.quiet);
  sys::ConfinedRun run(compare, limits);
  while (!run.wait(std::chrono::milliseconds(100))) progress.at(compared.get());
  const auto answer = run.answer();
  if (answer.text) return fs::changes_from_text(*answer.text);
  throw Error(ErrorKind::corrupt, fmt::format("what changed cannot be read: its reader {}", answer.death))
      .on(sides.to.front())
      .hint("it may be made to break what reads it; please report it");
}

template <typename Words, typename Value>
Json word_of(const Words& words, Value Words::value_type::*member, Value value) {
  const auto found = std::ranges::find(words, value, member);
  return found == words.end() ? Json("other") : Json(found->word);
}

Json change_json(const FileChange& change) {
  Json json;
  json.set("change", word_of(kinds, &KindWord::kind, change.kind)).set("path", change.path);
  json.set("from", change.from.empty() ? Json() : Json(change.from)).set("volume", nullptr);
  json.set("type", word_of(types, &TypeWord::type, change.type)).set("size_bytes", change.size_bytes);
  return json.set("mark", std::string(1, char(change.kind)));
}

Json stat_json(const std::vector<FileChange>& changes) {
  Json stat = Json::array();
  for (const auto& [kind, word] : kinds) {
    std::uint64_t count = 0, bytes = 0;
    for (const auto& change : changes)
      if (change.kind == kind) ++count, bytes += change.size_bytes.value_or(0);
    Json row;
    stat.push(row.set("change", word).set("count", count).set("bytes", bytes));
  }
  return stat;
}

report::Report report_of(const std::vector<FileChange>& changes, bool stat_alone) {
  Json data, blocks, list = Json::array();
  if (!stat_alone)
    for (const auto& change : changes) list.push(change_json(change));
  data.set("changes", stat_alone ? Json() : std::move(list)).set("stat", stat_json(changes));
  data.set("blocks", blocks.set("changed_bytes", nullptr).set("extents", nullptr));
  const report::TableView files{.rows = "changes",
                                .columns = {{"", "mark"},
                                            {"TYPE", "type"},
                                            {"SIZE", "size_bytes", Format::bytes, report::Align::right},
                                            {"FROM", "from"},
                                            {"PATH", "path"}},
                                .when_empty = "Nothing changed."};
  const report::TableView stat{.rows = "stat",
                               .columns = {{"CHANGE", "change"},
                                           {"FILES", "count", Format::text, report::Align::right},
                                           {"SIZE", "bytes", Format::bytes, report::Align::right}}};
  if (stat_alone)
    return {.schema = "hrvm.diff/1",
            .data = data,
            .human = {stat},
            .plain = {.rows = "stat", .columns = {{"", "change"}, {"", "count"}, {"", "bytes"}}}};
  return {.schema = "hrvm.diff/1",
          .data = data,
          .human = {files},
          .plain = {.rows = "changes",
                    .columns = {{"", "mark"}, {"", "type"}, {"", "path"}, {"", "from"}, {"", "size_bytes"}}}};
}

Outcome run_diff(const Context& context) {
  const bool stat_alone = context.arguments.has("--stat") && !context.arguments.has("--files");
  return {.report = report_of(compare(context, sides_of(context)), stat_alone)};
}

}  // namespace

const Command diff_command = {
    .name = "diff",
    .summary = "show which files changed between two states of a machine on a folder",
    .options = {{.name = "--files",
                 .help = "each file that was added, removed, modified or renamed: what is shown by itself"},
                {.name = "--stat", .help = "how many files changed, and their sizes"}},
    .positionals = {{"A", "a machine or a snapshot: alone, what it changed of its base",
                     Completes::machine_or_snapshot},
                    {"B", "what is compared with A", Completes::machine_or_snapshot, Positional::Count::optional}},
    .run = run_diff,
};

}  // namespace hrvm::cli
