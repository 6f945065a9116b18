// hrvm cp [-r] WHAT:PATH… DEST|-: files out of a machine, a snapshot or a disk, into a folder of this host or as a tar
// archive.
#include <fmt/core.h>

#include <algorithm>

#include "cli/commands/commands.hpp"
#include "cli/messages.hpp"
#include "cli/steps/reading_files.hpp"
#include "cli/words/target_file.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/fs/tree_sinks.hpp"
#include "hrvm/sys/files.hpp"
#include "hrvm/sys/terminal.hpp"

namespace hrvm::cli {
namespace {

using base::Error;
using base::ErrorKind;

struct Words {
  std::vector<FilePlace> sources;
  std::string target;  // "-": standard output
  fs::CopyWishes wishes;
  bool recursive = false;
};

Words words_of(const Context& context) {
  const auto& arguments = context.arguments;
  auto all = arguments.positionals();
  if (std::ranges::count(all, std::string()) > 0) throw Error(ErrorKind::usage, "a word is empty that names a file");
  if (all.size() < 2)
    throw Error(ErrorKind::usage, "what is copied and where to are both needed")
        .hint("hrvm cp web:/etc/fstab . copies it here; - in place of a folder writes a tar archive");
  Words words;
  words.target = all.back();
  all.pop_back();
  for (const auto& word : all) words.sources.push_back(named_files(context, word));
  words.wishes.special = arguments.has("--special");
  words.wishes.owners = context.host.is_root() && !arguments.has("--no-owner");
  words.recursive = arguments.has("--recursive");
  return words;
}

// What a copy is called: the path's last name, or that of what it is the root of.
std::string name_of(const FilePlace& place) {
  const auto path = place.path.substr(0, place.path.find_last_not_of('/') + 1);
  const auto name = path.substr(path.rfind('/') + 1);
  if (!name.empty() && name != "." && name != "..") return name;
  return sys::Path(place.what).filename().string();
}

// In the child.
void send(fs::FileSystem& files, const std::string& path, bool recursive, const sys::PartWriter& write) {
  const auto node = fs::find(files, path).value();
  if (files.stat(node).kind == fs::FileKind::directory && !recursive)
    throw Error(ErrorKind::usage, fmt::format("{} is a folder", base::printable(path))).hint("copy it with -r");
  fs::send_tree(files, node, write);
}

class Copying {
 public:
  Copying(const Context& context, const Words& words) : context_(context), words_(words) {}

  fs::CopyCount run() {
    if (words_.target == "-") return to_tar();
    const bool is_folder = sys::status(words_.target).type == sys::FileType::directory;
    if (!is_folder && words_.sources.size() > 1)
      throw Error(ErrorKind::not_found, fmt::format("{} is no folder, and several things are copied", words_.target))
          .on(words_.target)
          .hint("make it first: mkdir " + base::shell_quote(words_.target));
    const auto target = sys::absolute(words_.target);
    const auto folder = is_folder ? target : target.parent_path();
    sys::NewTree tree(folder);
    fs::CopyCount all;
    for (const auto& place : words_.sources) {
      check_is_elsewhere(folder, place);
      fs::FolderSink sink(tree, is_folder ? name_of(place) : target.filename().string(), words_.wishes, teller());
      copy(place, sink, sink.count());
      add(all, sink.count());
    }
    return all;
  }

 private:
  fs::CopyCount to_tar() {
    check_takes_bytes(context_, "a tar archive");
    fs::TarSink sink([&](std::string_view bytes) { write_out(context_.host.streams.out, bytes); }, words_.wishes,
                     teller());
    for (const auto& place : words_.sources) {
      sink.set_name(name_of(place));
      copy(place, sink, sink.count());
    }
    sink.finish();
    return sink.count();
  }

  void copy(const FilePlace& place, fs::TreeSink& sink, const fs::CopyCount& count) {
    fs::TreeReceiver receiver(sink);
    sys::Progress progress(context_.host, fmt::format("Copying {}:{}", place.what, place.path), 0, context_.quiet);
    read_files(
        context_, place,
        [&](fs::FileSystem& files, const std::string& path, const sys::PartWriter& write) {
          send(files, path, words_.recursive, write);
        },
        [&](std::string_view part) {
          receiver.take(part);
          progress.at(count.bytes);
        });
  }

  void check_is_elsewhere(const sys::Path& folder, const FilePlace& place) const {
    TargetFile target;
    target.path = folder / "copy";
    for (const auto& disk : disks_read(context_, place)) check_is_not_on(context_, target, disk);
  }

  fs::TellFailure teller() const {
    return [this](std::string_view path, std::string_view message) {
      context_.warn(fmt::format("{}: {}", path, message));
    };
  }

  static void add(fs::CopyCount& all, const fs::CopyCount& more) {
    all.files += more.files;
    all.bytes += more.bytes;
    all.left_out += more.left_out;
    all.failed += more.failed;
    all.refused_attributes.insert(more.refused_attributes.begin(), more.refused_attributes.end());
  }

  const Context& context_;
  const Words& words_;
};

void tell_losses(const Context& context, const Words& words, const fs::CopyCount& count) {
  if (count.left_out > 0)
    context.note(fmt::format("{} device file{} or the like {} left out: {}", count.left_out,
                             count.left_out == 1 ? "" : "s", count.left_out == 1 ? "was" : "were",
                             words.wishes.special ? "no such thing can be made of them" : "--special makes them"));
  if (!count.refused_attributes.empty())
    context.note(fmt::format(
        "attributes that cannot be kept here: {}",
        base::printable(base::join({count.refused_attributes.begin(), count.refused_attributes.end()}, ", "))));
}

Outcome run_cp(const Context& context) {
  const auto words = words_of(context);
  const bool to_tar = words.target == "-";
  if (to_tar && context.rendering == Rendering::json)
    throw Error(ErrorKind::usage, "a tar archive is no JSON").hint("leave --json out, or name a folder");
  const auto count = Copying(context, words).run();
  tell_losses(context, words, count);
  const int status = count.failed > 0 ? 1 : 0;
  if (to_tar) return {.status = status};
  base::Json data;
  data.set("path", sys::absolute(words.target).string()).set("files", count.files).set("bytes", count.bytes);
  data.set("left_out", count.left_out).set("failed", count.failed);
  return {.report = report::Report{.schema = "hrvm.cp/1",
                                   .data = std::move(data),
                                   .plain = {.columns = {{"", "path"}, {"", "files"}, {"", "bytes"}}}},
          .status = status};
}

}  // namespace

const Command cp_command = {
    .name = "cp",
    .summary = "copy files out of a machine, a snapshot or a disk",
    .options = {{.name = "--recursive", .letter = 'r', .help = "folders, with all that lies in them"},
                {.name = "--no-owner", .help = "all belongs to who copies"},
                {.name = "--special",
                 .help = "also devices, FIFOs and sockets, and the rights of set-user-ID programs"},
                force_reading_option()},
    .positionals = {{"WHAT:PATH", "the files, and last where they go: a folder, a new name, or - for a tar archive",
                     Completes::machine_or_snapshot, Positional::Count::some}},
    .run = run_cp,
};

}  // namespace hrvm::cli
