#include "hrvm/fs/folder_diff.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <utility>

#include "fs/stacked.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/sys/overlay.hpp"
#include "hrvm/sys/tree.hpp"

namespace hrvm::fs {

namespace {

using base::Error, base::ErrorKind;
using sys::FileStatus, sys::FileType;

constexpr std::size_t compared_at_once = 1 << 20;

// A file as one of the stacks shows it: the layers that have it, none where it is not there.
struct Side {
  Layers layers;
  FileStatus status;

  bool is_there() const { return !layers.empty(); }
  bool is_folder() const { return status.type == FileType::directory; }
  const sys::Tree& top() const { return *layers.front(); }
};

constexpr char separator = '\0';  // no name holds one
constexpr std::size_t fields_of_change = 5;

}  // namespace

class FolderComparison::Walk {
 public:
  Walk(const Folders& from, const Folders& to) {
    // The folders that both end in are opened once, and so are the same.
    for (const auto& folder : from) from_.push_back(opened(folder));
    for (const auto& folder : to) to_.push_back(opened(folder));
  }

  std::vector<FileChange> changes(const std::function<void(std::uint64_t)>& done) {
    done_ = done;
    const auto root = [](const Layers& layers) { return Side{layers, layers.front()->status("")}; };
    compare("", root(from_), root(to_), 0);
    pair_renamed();
    return std::move(changes_);
  }

 private:
  const sys::Tree* opened(const std::filesystem::path& folder) {
    for (const auto& tree : trees_)
      if (tree.folder() == folder) return &tree;
    return &trees_.emplace_back(folder);
  }

  static Side side_of(const Side& above, const std::string& path) {
    Side side{above.is_folder() ? that_have(above.layers, path) : Layers(), {}};
    if (side.is_there()) side.status = side.top().status(path);
    return side;
  }

  void compare(const std::string& path, const Side& from, const Side& to, unsigned depth) {
    if (!from.is_there() && !to.is_there()) return;
    const bool is_same_kind = from.is_there() && to.is_there() && from.status.type == to.status.type;
    if (!is_same_kind) {
      if (from.is_there()) add(ChangeKind::removed, path, from);
      if (to.is_there()) add(ChangeKind::added, path, to);
    } else if (is_modified(path, from, to)) {
      add(ChangeKind::modified, path, to);
    }
    descend(path, from, to, depth);
  }

  void descend(const std::string& path, const Side& from, const Side& to, unsigned depth) {
    const auto names = names_that_may_differ(path, from, to);
    if (!names.empty() && depth >= deepest_folder) throw beyond(path, fmt::format("lies {} folders deep", depth));
    for (const auto& name : names) try {
        const auto below = path + "/" + name;
        compare(below, side_of(from, below), side_of(to, below), depth + 1);
      } catch (const Error& error) {
        // A guest that runs may remove what was there a moment ago.
        if (error.kind() != ErrorKind::not_found) throw;
      }
  }

  // What lies in a layer that both sides see is the same on both, but where one that only one of them sees has the
  // name.
  std::set<std::string> names_that_may_differ(const std::string& path, const Side& from, const Side& to) const {
    std::set<std::string> names;
    const auto add_those_of = [&](const Side& side, const Side& other) {
      if (!side.is_there() || !side.is_folder()) return;
      for (const auto* layer : side.layers) {
        const bool is_shared = other.is_folder() && std::ranges::count(other.layers, layer) > 0;
        if (is_shared) continue;
        for (auto& name : layer->list(path, most_entries_of_folder)) names.insert(std::move(name));
        if (names.size() >= most_entries_of_folder) throw beyond(path, "holds too many files");
      }
    };
    add_those_of(from, to);
    add_those_of(to, from);
    return names;
  }

  bool is_modified(const std::string& path, const Side& from, const Side& to) {
    const auto &a = from.status, &b = to.status;
    if (a.device == b.device && a.inode == b.inode) return false;
    if (a.mode != b.mode || a.uid != b.uid || a.gid != b.gid || a.rdev != b.rdev) return true;
    if (a.type == FileType::symlink) return from.top().read_link(path) != to.top().read_link(path);
    if (a.type == FileType::regular && a.size_bytes != b.size_bytes) return true;
    return attributes(from.top(), path) != attributes(to.top(), path) ||
           (a.type == FileType::regular && !has_same_bytes(path, from, to));
  }

  // All of them in one text.
  static std::string attributes(const sys::Tree& tree, const std::string& path) {
    std::string all;
    for (const auto& name : tree.attribute_names(path)) {
      if (is_of_overlay(name)) continue;
      const auto value = tree.attribute(path, name).value_or("");
      all += fmt::format("{} {} {}", name, value.size(), value);
    }
    return all;
  }

  bool has_same_bytes(const std::string& path, const Side& from, const Side& to) {
    for (std::uint64_t at = 0; at < from.status.size_bytes; at += compared_at_once) {
      if (from.top().read(path, at, compared_at_once) != to.top().read(path, at, compared_at_once)) return false;
      done_(compared_ += std::min<std::uint64_t>(compared_at_once, from.status.size_bytes - at));
    }
    return true;
  }

  void add(ChangeKind kind, const std::string& path, const Side& side) {
    if (changes_.size() >= most_changes) throw beyond(path, "is one change too many");
    done_(compared_);
    const bool is_file = side.status.type == FileType::regular;
    if (is_file && kind != ChangeKind::modified) note_identity(kind, side.top(), path);
    changes_.push_back({kind, side.status.type, path.empty() ? "/" : path, "",
                        is_file ? std::optional(side.status.size_bytes) : std::nullopt});
  }

  void note_identity(ChangeKind kind, const sys::Tree& tree, const std::string& path) {
    const bool is_gone = kind == ChangeKind::removed;
    const auto identity = is_gone ? tree.handle(path) : sys::origin(tree, path);
    if (identity) (is_gone ? gone_ : come_).emplace(*identity, changes_.size());
  }

  // A file of the lower folder that is moved is copied first, and the copy says of which one it is.
  void pair_renamed() {
    for (const auto& [identity, came] : come_)
      if (const auto went = gone_.find(identity); went != gone_.end() && !changes_[went->second].path.empty()) {
        changes_[came].kind = ChangeKind::renamed;
        changes_[came].from = std::exchange(changes_[went->second].path, "");
      }
    std::erase_if(changes_, [](const FileChange& change) { return change.path.empty(); });
  }

  Error beyond(const std::string& path, std::string_view what) const {
    return Error(ErrorKind::unsupported,
                 fmt::format("what differs is more than is told: {} {}", base::printable(path), what))
        .on(from_.back()->folder())
        .hint("look into the machine itself: hrvm boot");
  }

  std::function<void(std::uint64_t)> done_;
  std::deque<sys::Tree> trees_;
  Layers from_, to_;
  std::uint64_t compared_ = 0;
  std::vector<FileChange> changes_;
  std::map<std::string, std::size_t> gone_, come_;  // by what a file is, each the place of its change
};

FolderComparison::FolderComparison(const Folders& from, const Folders& to) : walk_(std::make_unique<Walk>(from, to)) {}

FolderComparison::~FolderComparison() = default;

std::vector<FileChange> FolderComparison::changes(const std::function<void(std::uint64_t)>& done) {
  return walk_->changes(done);
}

std::string to_text(const std::vector<FileChange>& changes) {
  std::string text;
  for (const auto& change : changes) {
    text += char(change.kind);
    for (const auto& field : {std::to_string(int(change.type)), change.path, change.from,
                              change.size_bytes ? std::to_string(*change.size_bytes) : std::string()})
      text += separator + field;
    text += separator;
  }
  return text;
}

std::vector<FileChange> changes_from_text(std::string_view text) {
  const auto nonsense = [] {
    return Error(ErrorKind::corrupt, "the reader of the folders gave an answer that makes no sense");
  };
  auto fields = base::split(text, separator);
  if (!fields.back().empty() || fields.size() % fields_of_change != 1) throw nonsense();
  fields.pop_back();
  std::vector<FileChange> changes;
  for (std::size_t at = 0; at < fields.size(); at += fields_of_change) {
    const auto type = base::parse_unsigned(fields[at + 1]);
    const bool is_kind = fields[at].size() == 1 && std::string_view("-+MR").find(fields[at]) != std::string_view::npos;
    if (!is_kind || !type || *type > std::uint64_t(FileType::other)) throw nonsense();
    changes.push_back({ChangeKind(fields[at].front()), FileType(*type), std::string(fields[at + 2]),
                       std::string(fields[at + 3]), base::parse_unsigned(fields[at + 4])});
  }
  return changes;
}

}  // namespace hrvm::fs
