#include "cli/views/diff_view.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "cli/words/file_kind.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/probe/noise.hpp"

namespace hrvm::cli {
namespace {

using base::Json;
using fs::TreeChange, fs::TreeChangeKind;
using report::Align, report::Format;

constexpr std::size_t most_folders_shown = 24;

struct KindWord {
  TreeChangeKind kind;
  const char* word;
};
constexpr std::array kinds{KindWord{TreeChangeKind::added, "added"}, KindWord{TreeChangeKind::removed, "removed"},
                           KindWord{TreeChangeKind::modified, "modified"},
                           KindWord{TreeChangeKind::renamed, "renamed"}};

const char* word_of(TreeChangeKind kind) { return std::ranges::find(kinds, kind, &KindWord::kind)->word; }

// A change that is shown, and its place in what was compared.
struct Shown {
  const VolumeChange* of;
  std::size_t index;
  bool is_noise;
};

bool is_noise(const TreeChange& change) {
  const bool is_hidden =
      change.kind == TreeChangeKind::modified && !change.differs.is_plain() && change.problem.empty();
  return is_hidden || probe::is_noise(change.path);
}

class View {
 public:
  View(const Compared& compared, const DiffWishes& wishes) : compared_(compared), wishes_(wishes) {
    for (std::size_t i = 0; i < compared.changes.size(); ++i) {
      const auto& each = compared.changes[i];
      const bool noise = wishes.knows_what && is_noise(each.change);
      if (noise && !wishes.noise)
        ++hidden_;
      else
        shown_.push_back({&each, i, noise});
    }
    if (wishes.packages) std::ranges::stable_sort(shown_, {}, [&](const Shown& each) { return rank(each); });
  }

  bool differs() const {
    const bool blocks_differ = !compared_.blocks.empty() && compared_.blocks.front().changed_bytes != 0;
    return !shown_.empty() || blocks_differ || !compared_.packages.empty() ||
           std::ranges::any_of(compared_.volumes,
                               [](const auto& each) { return each.state == "unreadable" || !each.note.empty(); });
  }

  report::Report report() const {
    report::Report report{.schema = "hrvm.diff/1", .data = data(), .human = {}, .plain = plain()};
    if (wishes_.packages) report.human.push_back(packages_table());
    if (wishes_.blocks) report.human.push_back(blocks_view());
    if (wishes_.stat) {
      if (wishes_.knows_what) report.human.push_back(folders_view());
      report.human.push_back(stat_view());
    } else if (!wishes_.blocks || !shown_.empty()) {
      report.human.push_back(files_view());
    }
    if (hidden_ > 0 && !(wishes_.blocks && compared_.volumes.empty()))
      report.human.push_back(report::TextView{fmt::format(
          "{} not shown: logs, caches, and what differs in its times alone (--noise shows them)", hidden_)});
    return report;
  }

 private:
  std::string owner(const Shown& each) const {
    return each.index < compared_.owners.size() ? compared_.owners[each.index] : std::string();
  }

  // Files of packages that stayed as they were are what somebody changed by hand; those of none come last; those that
  // came with a package's new version are as they should be.
  int rank(const Shown& each) const {
    const auto package = owner(each);
    if (package.empty()) return 1;
    return std::ranges::count(compared_.packages, package, &probe::PackageChange::name) > 0 ? 2 : 0;
  }

  // As ls and cp take it, where there are several volumes.
  std::string place(const std::string& volume, const std::string& path) const {
    return compared_.volumes.size() > 1 ? volume + ":" + path : path;
  }

  std::string mark(const Shown& each) const {
    const auto& change = each.of->change;
    const bool is_metadata_alone = change.kind == TreeChangeKind::modified && !change.differs.content &&
                                   !change.differs.target && change.problem.empty() && change.differs.is_plain();
    return std::string(1, wishes_.metadata && wishes_.knows_what && is_metadata_alone ? 'P' : char(change.kind));
  }

  static Json what_of(const fs::Differs& differs) {
    Json what = Json::array();
    const auto add = [&](bool is_so, const char* word) {
      if (is_so) what.push(word);
    };
    add(differs.content, "content"), add(differs.mode, "mode"), add(differs.owner, "owner");
    add(differs.attributes, "xattr"), add(differs.times, "times"), add(differs.links, "links");
    add(differs.target, "target");
    return what;
  }

  Json change_json(const Shown& each) const {
    const auto& change = each.of->change;
    Json json;
    json.set("change", word_of(change.kind)).set("path", change.path);
    json.set("from", change.from.empty() ? Json() : Json(change.from));
    json.set("volume", each.of->volume.empty() ? Json() : Json(each.of->volume));
    json.set("type", change.is_subvolume ? "subvolume" : cli::word_of(change.type).word);
    json.set("size_bytes", change.size_bytes).set("mark", mark(each));
    if (!wishes_.knows_what) return json;
    const bool is_both = change.kind == TreeChangeKind::modified || change.kind == TreeChangeKind::renamed;
    json.set("old_size_bytes", change.old_size_bytes);
    json.set("what", is_both ? what_of(change.differs) : Json::array()).set("noise", each.is_noise);
    const auto package = owner(each);
    json.set("package", package.empty() ? Json() : Json(package));
    return json.set("problem", change.problem.empty() ? Json() : Json(change.problem));
  }

  Json data() const {
    Json data, list = Json::array(), volumes = Json::array(), packages = Json::array();
    for (const Shown& each : shown_) list.push(change_json(each));
    for (const auto& each : compared_.volumes)
      volumes.push(Json::object().set("volume", each.name).set("type", each.type).set("state", each.state));
    data.set("changes", wishes_.stat ? Json() : std::move(list)).set("stat", stat());
    if (wishes_.stat && wishes_.knows_what) data.set("folders", folders());
    data.set("blocks", blocks());
    if (!wishes_.knows_what) return data;
    for (const auto& each : compared_.packages) packages.push(package_json(each));
    data.set("volumes", std::move(volumes)).set("packages", wishes_.packages ? std::move(packages) : Json());
    return data.set("hidden", hidden_);
  }

  static Json package_json(const probe::PackageChange& change) {
    const auto version = [](const std::string& text) { return text.empty() ? Json() : Json(text); };
    return Json::object()
        .set("name", change.name)
        .set("arch", change.architecture)
        .set("change", std::string(probe::word(change.kind)))
        .set("from", version(change.from))
        .set("to", version(change.to));
  }

  Json blocks() const {
    Json blocks;
    if (compared_.blocks.empty()) return blocks.set("changed_bytes", nullptr).set("extents", nullptr);
    Json volumes = Json::array();
    for (const auto& each : compared_.blocks)
      if (!each.volume.empty())
        volumes.push(Json::object()
                         .set("volume", each.volume)
                         .set("changed_bytes", each.changed_bytes)
                         .set("extents", each.extents));
    const auto& whole = compared_.blocks.front();
    blocks.set("changed_bytes", whole.changed_bytes).set("extents", whole.extents);
    return blocks.set("volumes", std::move(volumes));
  }

  Json stat() const {
    Json stat = Json::array();
    for (const auto& [kind, word] : kinds) {
      std::uint64_t count = 0, bytes = 0;
      for (const Shown& each : shown_)
        if (each.of->change.kind == kind) ++count, bytes += each.of->change.size_bytes.value_or(0);
      stat.push(Json::object().set("change", word).set("count", count).set("bytes", bytes));
    }
    return stat;
  }

  // ---- by folder ----

  struct Folder {
    std::array<std::uint64_t, kinds.size()> counts{};
    std::uint64_t bytes = 0;
    std::uint64_t files() const { return counts[0] + counts[1] + counts[2] + counts[3]; }
  };
  using Folders = std::map<std::string, Folder>;

  void add(Folder& folder, const TreeChange& change) const {
    ++folder.counts[std::size_t(std::ranges::find(kinds, change.kind, &KindWord::kind) - kinds.begin())];
    folder.bytes += change.size_bytes.value_or(0);
  }

  static std::string folder_of(const std::string& place) {
    const auto slash = place.rfind('/');
    const bool is_top = slash == 0 || (slash != place.npos && place[slash - 1] == ':');
    return place.substr(0, is_top ? slash + 1 : slash);
  }

  Folders by_folder() const {
    Folders folders;
    for (const Shown& each : shown_)
      add(folders[folder_of(place(each.of->volume, each.of->change.path))], each.of->change);
    return folders;
  }

  // Those with the longest paths go up into the folder above, until so many are left as one can look at.
  static Folders gathered(Folders folders) {
    const auto depth = [](const std::string& path) { return std::ranges::count(path, '/'); };
    while (folders.size() > most_folders_shown) {
      long level = 0;
      for (const auto& [path, folder] : folders) level = std::max(level, depth(path));
      if (level <= 1) break;
      Folders up;
      for (const auto& [path, folder] : folders) {
        auto& into = up[depth(path) == level ? folder_of(path) : path];
        for (std::size_t i = 0; i < folder.counts.size(); ++i) into.counts[i] += folder.counts[i];
        into.bytes += folder.bytes;
      }
      folders = std::move(up);
    }
    return folders;
  }

  static Json folders_json(const Folders& folders) {
    Json rows = Json::array();
    for (const auto& [path, folder] : folders) {
      Json row;
      row.set("path", path);
      for (std::size_t i = 0; i < kinds.size(); ++i) row.set(kinds[i].word, folder.counts[i]);
      rows.push(row.set("bytes", folder.bytes));
    }
    return rows;
  }

  Json folders() const { return folders_json(by_folder()); }

  // ---- for people ----

  report::TableView files_view() const {
    Json rows = Json::array();
    for (const Shown& each : shown_) {
      const auto& change = each.of->change;
      const auto here = place(each.of->volume, change.path);
      Json row;
      row.set("mark", mark(each)).set("type", change.is_subvolume ? "subvolume" : cli::word_of(change.type).word);
      row.set("size_bytes", change.size_bytes);
      row.set("path", change.from.empty() ? here : place(each.of->volume, change.from) + " -> " + here);
      const auto package = owner(each);
      rows.push(row.set("package", package.empty() ? Json() : Json(package)));
    }
    return {.rows = "changes",
            .columns = {{"", "mark"},
                        {"TYPE", "type"},
                        {"SIZE", "size_bytes", Format::bytes, Align::right},
                        {"PACKAGE", "package"},
                        {"PATH", "path", Format::path}},
            .when_empty = hidden_ > 0 || differs() ? "" : "Nothing changed.",
            .drawn = std::move(rows)};
  }

  report::TableView stat_view() const {
    return {.rows = "stat",
            .columns = {{"CHANGE", "change"},
                        {"FILES", "count", Format::text, Align::right},
                        {"SIZE", "bytes", Format::bytes, Align::right}}};
  }

  report::TableView folders_view() const {
    return {.rows = "folders",
            .columns = {{"+", "added", Format::text, Align::right},
                        {"-", "removed", Format::text, Align::right},
                        {"M", "modified", Format::text, Align::right},
                        {"R", "renamed", Format::text, Align::right},
                        {"SIZE", "bytes", Format::bytes, Align::right},
                        {"FOLDER", "path", Format::path}},
            .drawn = folders_json(gathered(by_folder()))};
  }

  report::TableView blocks_view() const {
    Json rows = Json::array();
    for (const auto& each : compared_.blocks)
      rows.push(Json::object()
                    .set("volume", each.volume.empty() ? "the whole disk" : each.volume)
                    .set("changed_bytes", each.changed_bytes)
                    .set("extents", each.extents));
    return {.rows = "blocks",
            .columns = {{"VOLUME", "volume"},
                        {"CHANGED", "changed_bytes", Format::bytes, Align::right},
                        {"EXTENTS", "extents", Format::text, Align::right}},
            .drawn = std::move(rows)};
  }

  report::TableView plain() const {
    if (wishes_.stat) return {.rows = "stat", .columns = {{"", "change"}, {"", "count"}, {"", "bytes"}}};
    report::TableView view{.rows = "changes",
                           .columns = {{"", "mark"}, {"", "type"}, {"", "path"}, {"", "from"}, {"", "size_bytes"}}};
    if (wishes_.knows_what) view.columns.push_back({"", "volume"});
    return view;
  }

  const Compared& compared_;
  const DiffWishes& wishes_;
  std::vector<Shown> shown_;
  std::size_t hidden_ = 0;
};

}  // namespace

report::TableView packages_table(std::string title) {
  return {.title = std::move(title),
          .rows = "packages",
          .columns = {{"CHANGE", "change"},
                      {"PACKAGE", "name"},
                      {"ARCH", "arch", Format::text, Align::left, 1},
                      {"FROM", "from"},
                      {"TO", "to"}},
          .when_empty = "No package changed."};
}

DiffView diff_view(const Compared& compared, const DiffWishes& wishes) {
  const View view(compared, wishes);
  return {view.report(), view.differs()};
}

}  // namespace hrvm::cli
