// hrvm ls [-laR] WHAT[:PATH]: what there is in a folder of a machine, a snapshot or a disk.
#include <fmt/core.h>

#include <algorithm>

#include "cli/commands/commands.hpp"
#include "cli/steps/reading_files.hpp"
#include "cli/words/file_kind.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/fs/walk.hpp"

namespace hrvm::cli {
namespace {

using base::Error;
using base::ErrorKind;
using base::Json;
using fs::FileKind;
using report::Align;
using report::Format;

constexpr std::size_t most_files = 500'000;

// "rwxr-sr-t".
std::string permissions(std::uint32_t mode) {
  struct Special {
    std::uint32_t bit;
    std::size_t at;
    char with, without;  // permission to execute
  };
  constexpr Special specials[] = {{04000, 2, 's', 'S'}, {02000, 5, 's', 'S'}, {01000, 8, 't', 'T'}};
  std::string text = "rwxrwxrwx";
  for (std::size_t i = 0; i < text.size(); ++i)
    if (!(mode >> (8 - i) & 1)) text[i] = '-';
  for (const auto& special : specials)
    if (mode & special.bit) text[special.at] = text[special.at] == 'x' ? special.with : special.without;
  return text;
}

bool is_device(FileKind kind) { return kind == FileKind::block_device || kind == FileKind::character_device; }

// ---- in the child ----

Json file_json(fs::FileSystem& files, std::string_view path, const fs::Stat& stat) {
  const auto& kind = word_of(stat.kind);
  Json json;
  json.set("path", path).set("type", kind.word).set("mode", fmt::format("{:04o}", stat.mode));
  json.set("permissions", kind.letter + permissions(stat.mode)).set("uid", stat.uid).set("gid", stat.gid);
  json.set("links", stat.links).set("size_bytes", stat.size_bytes).set("allocated_bytes", stat.allocated_bytes);
  json.set("modified", base::format_time(base::Time(std::chrono::seconds(stat.times.modified.seconds))));
  json.set("target", stat.kind == FileKind::symlink ? Json(files.read_link(stat.node)) : Json());
  return json.set("device",
                  is_device(stat.kind) ? Json(fmt::format("{}:{}", stat.device.major, stat.device.minor)) : Json());
}

class Lister : public fs::WalkVisitor {
 public:
  struct Wishes {
    bool all = false, recursive = false;
  };
  Lister(fs::FileSystem& files, std::string name, Wishes wishes, const sys::PartWriter& write)
      : files_(files), name_(std::move(name)), wishes_(wishes), write_(write) {}

  fs::WalkStep enter(const fs::WalkedFile& file) override {
    const bool is_start = file.depth == 0;
    if (is_start && file.stat.kind == FileKind::directory) return fs::WalkStep::go_on;
    const auto name = file.path.substr(file.path.rfind('/') + 1);
    if (!is_start && !wishes_.all && name.starts_with('.')) return fs::WalkStep::skip_folder;
    if (++count_ > most_files)
      throw Error(ErrorKind::unsupported, fmt::format("there are more than {} files", most_files))
          .hint("list a folder further down, or copy it: hrvm cp -r");
    send(file_json(files_, is_start ? name_ : file.path.substr(1), file.stat));
    return wishes_.recursive ? fs::WalkStep::go_on : fs::WalkStep::skip_folder;
  }
  // What cannot be read of a damaged disk costs nothing else.
  void failed(std::string_view path, const Error& error) override {
    send(Json::object().set("path", path.substr(std::min<std::size_t>(1, path.size()))).set("error", error.message()));
  }

 private:
  void send(const Json& json) { write_(base::to_text(json, -1)); }

  fs::FileSystem& files_;
  std::string name_;
  Wishes wishes_;
  const sys::PartWriter& write_;
  std::size_t count_ = 0;
};

// ---- in the parent ----

// Names stand in order of their bytes, folders of a recursive list before what lies in them.
bool comes_before(const Json& a, const Json& b) {
  const auto path_a = a["path"].text().value_or(""), path_b = b["path"].text().value_or("");
  return std::ranges::lexicographical_compare(path_a, path_b, [](char x, char y) {
    const auto rank = [](char c) { return c == '/' ? 0 : int(static_cast<unsigned char>(c)) + 1; };
    return rank(x) < rank(y);
  });
}

report::Report report_of(const Context& context, const FilePlace& place, const ReadFiles& read, Json files) {
  Json data;
  data.set("what", read.what).set("volume", read.volume).set("path", place.path).set("type", read.type);
  data.set("state", read.state).set("mounts", read.mounts).set("files", std::move(files));
  const std::vector<report::Column> names{{"", "path"}};
  const std::vector<report::Column> all{{"", "permissions"},
                                        {"", "links", Format::text, Align::right},
                                        {"", "uid", Format::text, Align::right},
                                        {"", "gid", Format::text, Align::right},
                                        {"", "size_bytes", Format::text, Align::right},
                                        {"", "modified", Format::time},
                                        {"", "path"},
                                        {"", "target"}};
  report::TableView table{.rows = "files", .columns = context.arguments.has("--long") ? all : names, .when_empty = ""};
  table.has_heading = false;
  return {.schema = "hrvm.ls/1", .data = std::move(data), .human = {table}, .plain = table};
}

Outcome run_ls(const Context& context) {
  const auto place = named_files(context, context.arguments.positional(0));
  const Lister::Wishes wishes{context.arguments.has("--all"), context.arguments.has("--recursive")};
  const auto list = [&](fs::FileSystem& files, const std::string& path, const sys::PartWriter& write) {
    Lister lister(files, place.path, wishes, write);
    walk(files, fs::find(files, path).value(), lister, {.crosses_trees = true});
  };
  Json::Array rows;
  bool failed = false;
  const auto read = read_files(context, place, list, [&](std::string_view part) {
    auto row = base::parse_json(part, "the answer");
    if (const auto error = row["error"].text()) {
      failed = true;
      context.warn(fmt::format("{}: {}", base::printable(row["path"].text().value_or("")), base::printable(*error)));
    } else {
      rows.push_back(std::move(row));
    }
  });
  std::ranges::sort(rows, comes_before);
  return {.report = report_of(context, place, read, std::move(rows)), .status = failed ? 1 : 0};
}

}  // namespace

const Command ls_command = {
    .name = "ls",
    .summary = "list files of a machine, a snapshot or a disk",
    .options = {{.name = "--long", .letter = 'l', .help = "their modes, owners, sizes and times too"},
                {.name = "--all", .letter = 'a', .help = "also those whose names begin with a dot"},
                {.name = "--recursive", .letter = 'R', .help = "and what lies in folders, all the way down"},
                force_reading_option()},
    .positionals = {{"WHAT:PATH", "a folder or file: web:/etc, web@fresh:/etc, /dev/sda:p3:/etc",
                     Completes::machine_or_snapshot}},
    .run = run_ls,
};

}  // namespace hrvm::cli
