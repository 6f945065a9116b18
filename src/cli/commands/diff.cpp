// hrvm diff A [B]: what changed from A to B, or from its base to A.
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <map>

#include "cli/commands/commands.hpp"
#include "cli/messages.hpp"
#include "cli/steps/comparing.hpp"
#include "cli/steps/content_diff.hpp"
#include "cli/steps/open_source.hpp"
#include "cli/steps/reading_files.hpp"
#include "cli/views/diff_view.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/fs/folder_diff.hpp"
#include "hrvm/machine/change.hpp"
#include "hrvm/sys/confined.hpp"
#include "hrvm/sys/terminal.hpp"

namespace hrvm::cli {
namespace {

using base::Error;
using base::ErrorKind;

struct Sides {
  Source from, to;
};

Error no_states(const machine::Machine& machine) {
  return Error(ErrorKind::unsupported,
               fmt::format("machine {} writes to {} itself, so there is nothing to compare it with", machine.name,
                           machine.definition.disks.front().path));
}

void check_states(const Context& context, const std::string& word) {
  const auto machine = open_store(context).load(named_machine(word).machine);
  if (machine.definition.is_on_folder() && machine.definition.is_direct()) throw no_states(machine);
}

Sides open_sides(const Context& context) {
  const auto& words = context.arguments.positionals();
  for (const auto& word : words)
    if (is_machine(context, word)) check_states(context, word);
  if (words.size() == 2) return {open_what(context, words[0]), open_what(context, words[1])};
  if (!is_machine(context, words[0])) {
    open_what(context, words[0]);  // says what is wrong with it, where that is so
    throw Error(ErrorKind::usage, fmt::format("{} is no machine, so it has no base to compare it with", words[0]))
        .hint("name a second disk or image");
  }
  return {open_base_of(context, named_machine(words[0])), open_what(context, words[0])};
}

// ---- folders ----

fs::TreeChange of_folder(const fs::FileChange& change) {
  struct Type {
    sys::FileType of_host;
    fs::FileKind kind;
  };
  constexpr std::array types{
      Type{sys::FileType::regular, fs::FileKind::regular}, Type{sys::FileType::directory, fs::FileKind::directory},
      Type{sys::FileType::symlink, fs::FileKind::symlink}, Type{sys::FileType::block, fs::FileKind::block_device},
      Type{sys::FileType::character, fs::FileKind::character_device}};
  const auto type = std::ranges::find(types, change.type, &Type::of_host);
  fs::TreeChange result;
  result.kind = fs::TreeChangeKind(change.kind);
  result.type = type == types.end() ? fs::FileKind::other : type->kind;
  result.path = change.path;
  result.from = change.from;
  result.size_bytes = change.size_bytes;
  result.differs.content = change.kind == fs::ChangeKind::modified;
  return result;
}

// What a guest wrote is read in a child, as a disk is.
Compared compare_folders(const Context& context, const Sides& sides) {
  sys::SharedNumber compared;
  sys::Confinement limits;
  limits.memory_bytes = 2ull << 30;
  limits.time = std::chrono::hours(24);
  limits.answer_bytes = 256u << 20;
  limits.folders = sides.from.folders;
  limits.folders.insert(limits.folders.end(), sides.to.folders.begin(), sides.to.folders.end());
  fs::FolderComparison comparison(sides.from.folders, sides.to.folders);
  const auto compare = [&] {
    return fs::to_text(comparison.changes([&](std::uint64_t bytes) { compared.set(bytes); }));
  };
  sys::Progress progress(context.host, "Comparing", 0, context.quiet);
  sys::ConfinedRun run(compare, limits);
  while (!run.wait(std::chrono::milliseconds(100))) progress.at(compared.get());
  const auto answer = run.answer();
  if (!answer.text)
    throw Error(ErrorKind::corrupt, fmt::format("what changed cannot be read: its reader {}", answer.death))
        .on(sides.to.folders.front())
        .hint("it may be made to break what reads it; please report it");
  Compared result;
  for (const auto& change : fs::changes_from_text(*answer.text)) result.changes.push_back({"", of_folder(change)});
  return result;
}

// ---- disks ----

void tell_volumes(const Context& context, const Compared& compared) {
  for (const ComparedVolume& each : compared.volumes) {
    if (each.state == "unreadable")
      context.warn(fmt::format("{} differs, and its files are not told: {}", each.name, each.problem));
    if (each.state == word_of(fs::JournalState::ignored))
      context.warn(
          fmt::format("the journal of {} was not replayed: what is told may be older than what a mount shows; shut the "
                      "guest down, or boot a snapshot of it once with --ephemeral",
                      each.name));
  }
  for (const ComparedVolume& each : compared.volumes)
    if (!each.note.empty()) context.warn(fmt::format("{}: {}", each.name, each.note));
  const auto unread =
      std::ranges::count_if(compared.changes, [](const auto& each) { return !each.change.problem.empty(); });
  if (unread > 0)
    context.warn(
        fmt::format("{} could not be looked at on one side, and what lies in folders among them is not told: "
                    "--json says why",
                    unread == 1 ? "a file" : fmt::format("{} files", unread)));
  for (const auto& why : compared.unreadable_packages) context.warn(why);
}

Compared compare(const Context& context, const Sides& sides) {
  const bool from_folder = sides.from.folder_files != nullptr, to_folder = sides.to.folder_files != nullptr;
  const auto& words = context.arguments.positionals();
  if (from_folder != to_folder)
    throw Error(ErrorKind::unsupported,
                fmt::format("{} is a folder and {} is none", words[from_folder ? 0 : 1], words[from_folder ? 1 : 0]))
        .hint("compare states of one machine, two disks, or two folders");
  ComparisonWishes wishes;
  wishes.blocks = context.arguments.has("--blocks");
  wishes.packages = context.arguments.has("--packages");
  wishes.files =
      !wishes.blocks || wishes.packages || context.arguments.has("--files") || context.arguments.has("--stat");
  if (!from_folder) return compare_sources(context, sides.from, sides.to, wishes);
  if (wishes.blocks || wishes.packages)
    throw Error(ErrorKind::usage, "of folders neither blocks nor packages are told").hint("leave the option out");
  return compare_folders(context, sides);
}

Outcome tell_content(const Context& context, const Sides& sides, const std::string& place) {
  if (context.rendering == Rendering::json)
    throw Error(ErrorKind::usage, "what differs in a file is no JSON").hint("leave --json or --content out");
  const auto& words = context.arguments.positionals();
  const auto base = fmt::format("the base of {}", words[0]);
  const auto found =
      content_diff(context, {sides.from, words.size() == 2 ? words[0] : base}, {sides.to, words.back()}, place);
  write_out(context.host.streams.out, context.host.streams.out_is_terminal ? for_terminal(found.text) : found.text);
  if (found.is_cut) context.warn("more differs than is shown: copy both files, and compare the copies: hrvm cp");
  return {.status = context.arguments.has("--exit-code") && !found.text.empty() ? 1 : 0};
}

Outcome run_diff(const Context& context) {
  const auto sides = open_sides(context);
  if (const auto place = context.arguments.value("--content")) return tell_content(context, sides, *place);
  const auto compared = compare(context, sides);
  tell_volumes(context, compared);
  const auto& arguments = context.arguments;
  DiffWishes wishes;
  wishes.stat = arguments.has("--stat") && !arguments.has("--files");
  wishes.noise = arguments.has("--noise");
  wishes.metadata = arguments.has("--meta");
  wishes.packages = arguments.has("--packages");
  wishes.blocks = arguments.has("--blocks");
  wishes.knows_what = sides.to.folder_files == nullptr;
  const auto view = diff_view(compared, wishes);
  return {.report = view.report, .status = arguments.has("--exit-code") && view.differs ? 1 : 0};
}

}  // namespace

const Command diff_command = {
    .name = "diff",
    .summary = "show which files changed between two states of a machine, or two disks",
    .options = {{.name = "--files",
                 .help = "each file that was added, removed, modified or renamed: what is shown by itself"},
                {.name = "--stat", .help = "how many files changed, by folder, and their sizes"},
                {.name = "--packages", .help = "which packages changed, and whose the files are"},
                {.name = "--content", .value = "PATH", .help = "what differs in this file, line by line"},
                {.name = "--blocks", .help = "how many bytes of the disk and of its volumes differ"},
                {.name = "--noise", .help = "also logs, caches, and files of which the times alone differ"},
                {.name = "--meta", .help = "P for what differs in owner, mode or attributes alone"},
                {.name = "--exit-code", .help = "exit status 1 when something differs"},
                force_reading_option()},
    .positionals = {{"A", "a machine, a snapshot, a disk or an image: a machine alone, what it changed of its base",
                     Completes::machine_or_snapshot},
                    {"B", "what is compared with A", Completes::machine_or_snapshot, Positional::Count::optional}},
    .run = run_diff,
};

}  // namespace hrvm::cli
