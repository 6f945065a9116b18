#include "hrvm/fs/tree_diff.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <set>
#include <unordered_map>
#include <utility>

#include "fs/diff/content.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/block/differences.hpp"
#include "hrvm/fs/walk.hpp"

namespace hrvm::fs {
namespace {

using base::Error, base::ErrorKind;
using block::ByteRange, block::ByteRanges;

constexpr std::size_t bytes_of_entry = 64;  // beside its name

struct NamedNode {
  std::string name;
  Node node;
  FileKind kind = FileKind::other;
};

using Id = std::pair<std::uint64_t, std::uint64_t>;
Id id_of(Node node) { return {node.tree, node.id}; }

struct HashOfId {
  std::size_t operator()(const Id& id) const { return std::size_t(id.first * 0x9e3779b97f4a7c15 ^ id.second); }
};

// A folder whose entries have to be looked at: in both states, or in one alone.
struct Ahead {
  std::optional<Node> from, to;
  std::string from_path, to_path;  // below the root, which has ""
  const std::string& path() const { return to ? to_path : from_path; }
};

// A name that one state alone has.
struct Single {
  std::string path;
  Stat stat;
  bool is_subvolume = false;
};

// A folder that both states have, by other names; a path is empty as long as it is not known.
struct MovedFolder {
  Node node;
  std::string from, to;
  bool is_entered = false;
};

std::string shown(const std::string& path) { return path.empty() ? "/" : path; }

class Comparison {
 public:
  Comparison(FileSystem& from, FileSystem& to, const TreeDiffOptions& options, const std::vector<ByteRanges>& differing,
             bool trusts_records)
      : from_(from),
        to_(to),
        options_(options),
        differing_(differing),
        content_(differing),
        follows_nodes_(options.is_same_filesystem && from.nodes_last() && to.nodes_last()),
        from_storage_(trusts_records ? from.storage() : nullptr),
        to_storage_(trusts_records ? to.storage() : nullptr) {}

  std::vector<TreeChange> run() {
    ahead_.push_back({from_.root(), to_.root(), "", ""});
    do {
      while (!ahead_.empty()) {
        const auto folder = std::move(ahead_.back());
        ahead_.pop_back();
        look_into(folder);
      }
    } while (go_into_moved());
    pair_moved();
    for (TreeChange& each : changes_) each.path = resolved(std::move(each.path));
    std::ranges::sort(changes_, {}, [](const TreeChange& each) {
      return std::tuple(std::string_view(each.path), each.kind != TreeChangeKind::removed);
    });
    return std::move(changes_);
  }

  // What was written to, and belongs neither to a file that was looked at nor to none.
  bool leaves_unexplained() {
    if (!from_storage_ || !to_storage_) return false;
    const auto left = differing_.front().without(ByteRanges(std::move(explained_)));
    return !std::ranges::all_of(
        left.all(), [&](ByteRange each) { return from_storage_->is_spare(each) && to_storage_->is_spare(each); });
  }

 private:
  // ---- what is known to be the same ----

  bool has_same_record(Node from, Node to) {
    if (!from_storage_ || !to_storage_ || id_of(from) != id_of(to)) return false;
    const auto a = from_storage_->record_of(from), b = to_storage_->record_of(to);
    return a && a == b && !differing_.front().touches(*a);
  }

  bool is_unwritten_tree(Node from, Node to) {
    if (!options_.is_same_filesystem || from.tree == 0 || from.tree != to.tree) return false;
    const auto a = from_.unwritten_mark(from.tree);
    return a && a == to_.unwritten_mark(to.tree);
  }

  void explain(StorageMap* storage, Node node) {
    if (storage)
      storage->visit_blocks(node, [&](ByteRange range) {
        if (differing_.front().touches(range)) explained_.push_back(range);
      });
  }

  // ---- folders ----

  void look_into(const Ahead& folder) {
    if (folder.path().size() > longest_compared_path) throw too_much(folder.path(), "lies too deep");
    if (folder.from && folder.to)
      look_into_both(folder);
    else if (folder.from)
      look_into_one(from_, *folder.from, folder.from_path, gone_);
    else
      look_into_one(to_, *folder.to, folder.to_path, come_);
  }

  void look_into_both(const Ahead& folder) {
    if (has_same_record(*folder.from, *folder.to)) return look_into_same(folder);
    const auto from_stat = from_.stat(*folder.from), to_stat = to_.stat(*folder.to);
    explain(from_storage_, *folder.from);
    explain(to_storage_, *folder.to);
    const auto before = gone_.size() + come_.size();
    merge(folder, entries_of(from_, *folder.from, folder.from_path), entries_of(to_, *folder.to, folder.to_path));
    const bool has_same_entries = gone_.size() + come_.size() == before;
    auto differs = differences_of(from_stat, to_stat);
    differs.links = false;  // of a folder they count the folders in it
    differs.times &= has_same_entries;
    add_modified(folder.to_path, from_stat, to_stat, differs, "");
  }

  // Its record is the same, and so are its entries: one side tells them.
  void look_into_same(const Ahead& folder) {
    const auto first = ahead_.size();
    to_.visit(*folder.to, [&](const DirectoryEntry& entry) {
      meet_both(folder, {std::string(entry.name), entry.node, entry.kind}, entry.node);
      return true;
    });
    note_folder(seen_from_, *folder.from, folder.from_path, first);
    note_folder(seen_to_, *folder.to, folder.to_path, first);
  }

  std::vector<NamedNode> entries_of(FileSystem& files, Node folder, const std::string& path) {
    std::vector<NamedNode> entries;
    std::size_t bytes = 0;
    files.visit(folder, [&](const DirectoryEntry& entry) {
      bytes += entry.name.size() + bytes_of_entry;
      if (bytes > most_changed_folder_bytes) throw too_much(path, "holds too many files");
      entries.push_back({std::string(entry.name), entry.node, entry.kind});
      return true;
    });
    std::ranges::sort(entries, {}, &NamedNode::name);
    return entries;
  }

  void merge(const Ahead& folder, const std::vector<NamedNode>& from, const std::vector<NamedNode>& to) {
    const auto first = ahead_.size();
    for (auto a = from.begin(), b = to.begin(); a != from.end() || b != to.end();) {
      const bool is_gone = b == to.end() || (a != from.end() && a->name < b->name);
      const bool is_new = !is_gone && (a == from.end() || b->name < a->name);
      if (is_gone)
        meet_one(from_, *folder.from, folder.from_path, *a++, gone_);
      else if (is_new)
        meet_one(to_, *folder.to, folder.to_path, *b++, come_);
      else
        meet_both(folder, *b++, a++->node);
    }
    note_folder(seen_from_, *folder.from, folder.from_path, first);
    note_folder(seen_to_, *folder.to, folder.to_path, first);
  }

  void look_into_one(FileSystem& files, Node folder, const std::string& path, std::vector<Single>& singles) {
    explain(&files == &from_ ? from_storage_ : to_storage_, folder);
    const auto first = ahead_.size();
    files.visit(folder, [&](const DirectoryEntry& entry) {
      meet_one(files, folder, path, {std::string(entry.name), entry.node, entry.kind}, singles);
      return true;
    });
    note_folder(&files == &from_ ? seen_from_ : seen_to_, folder, path, first);
  }

  // One that holds folders may be met once. `first`: from where on those that lie in it are ahead.
  void note_folder(std::set<Id>& seen, Node folder, const std::string& path, std::size_t first) {
    if (ahead_.size() == first) return;
    if (!seen.insert(id_of(folder)).second)
      throw Error(ErrorKind::corrupt,
                  fmt::format("folder {} is met a second time at {}", folder.id, base::printable(shown(path))))
          .on(to_.devices().empty() ? "" : to_.devices().front()->name());
  }

  // ---- names ----

  void meet_both(const Ahead& folder, const NamedNode& entry, Node from) {
    const auto path = folder.to_path + "/" + entry.name, from_path = folder.from_path + "/" + entry.name;
    count_file();
    if (has_same_record(from, entry.node)) {
      if (entry.kind == FileKind::directory || entry.kind == FileKind::other)
        descend_if_folder(from, entry, path, from_path);
      return;
    }
    if (is_unwritten_tree(from, entry.node)) return;
    const auto a = try_stat(from_, from, path);
    const auto b = a ? try_stat(to_, entry.node, path) : std::nullopt;
    if (!a || !b) return;  // that it cannot be looked at is told
    if (is_same_file(*a, *b)) return compare_file({from_path, *a}, {path, *b});
    add_single(from_, {from_path, *a, from.tree != folder.from->tree}, gone_);
    add_single(to_, {path, *b, entry.node.tree != folder.to->tree}, come_);
  }

  void descend_if_folder(Node from, const NamedNode& entry, const std::string& path, const std::string& from_path) {
    const bool is_folder = entry.kind == FileKind::directory || to_.stat(entry.node).kind == FileKind::directory;
    if (is_folder) ahead_.push_back({from, entry.node, from_path, path});
  }

  void meet_one(FileSystem& files, Node folder, const std::string& above, const NamedNode& entry,
                std::vector<Single>& singles) {
    const auto path = above + "/" + entry.name;
    count_file();
    if (const auto stat = try_stat(files, entry.node, path))
      add_single(files, {path, *stat, stat->node.tree != folder.tree}, singles);
  }

  void count_file() { options_.compared_files(++files_met_); }

  // A file that cannot be looked at is told, and the rest goes on.
  std::optional<Stat> try_stat(FileSystem& files, Node node, const std::string& path) {
    try {
      return files.stat(node);
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::io) throw;
      add({.kind = TreeChangeKind::modified, .path = path, .problem = error.message()});
      return std::nullopt;
    }
  }

  bool is_same_file(const Stat& a, const Stat& b) const {
    if (a.kind != b.kind) return false;
    if (!follows_nodes_) return true;
    return id_of(a.node) == id_of(b.node) && a.node.generation == b.node.generation &&
           a.times.created == b.times.created;
  }

  // Whether the other state has the file at all, be it under another name.
  bool is_in(FileSystem& files, const Stat& stat) const {
    if (!follows_nodes_) return false;
    try {
      return is_same_file(files.stat({stat.node.tree, stat.node.id, 0}), stat);
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::io) throw;
      return false;
    }
  }

  // A folder that was moved is gone through when both of its places are known. What came or went with a subvolume is
  // not told.
  void add_single(FileSystem& files, Single single, std::vector<Single>& singles) {
    const bool is_gone = &files == &from_;
    if (singles.size() >= most_tree_changes) throw too_much(single.path, "is one change too many");
    explain(is_gone ? from_storage_ : to_storage_, single.stat.node);
    if (single.stat.kind == FileKind::directory) {
      if (is_in(is_gone ? to_ : from_, single.stat))
        add_moved_folder(is_gone, single);
      else if (!single.is_subvolume)
        ahead_.push_back(is_gone ? Ahead{single.stat.node, std::nullopt, single.path, ""}
                                 : Ahead{std::nullopt, single.stat.node, "", single.path});
    }
    singles.push_back(std::move(single));
  }

  void add_moved_folder(bool is_gone, const Single& folder) {
    const auto id = id_of(folder.stat.node);
    auto& moved = moved_folders_[id];
    (is_gone ? moved.from : moved.to) = folder.path;
    moved.node = folder.stat.node;
    if (!moved.from.empty() && !moved.to.empty()) ready_.push_back(id);
  }

  // Of those whose places were found since. A folder that was moved into what lay in it before hides where it was: it
  // is gone into by its new place, and the old one is known later. False where there are none.
  bool go_into_moved() {
    for (const Id& id : std::exchange(ready_, {})) go_into(id, moved_folders_.at(id));
    if (ahead_.empty())
      for (auto& [id, moved] : moved_folders_)
        if (!moved.to.empty()) go_into(id, moved);
    if (ahead_.empty()) go_into_lost();
    return !ahead_.empty();
  }

  // Those that the later state has as well, with no name that leads to them.
  void go_into_lost() {
    for (auto& [id, moved] : moved_folders_)
      if (!std::exchange(moved.is_entered, true)) ahead_.push_back({moved.node, std::nullopt, moved.from, ""});
  }

  void go_into(Id id, MovedFolder& moved) {
    if (std::exchange(moved.is_entered, true)) return;
    const Node from{id.first, id.second, 0};
    ahead_.push_back({from, moved.node, moved.from.empty() ? stand_in(id) : moved.from, moved.to});
  }

  // In place of a path that is not known yet: no path begins like this.
  static std::string stand_in(Id id) { return fmt::format("{}{}:{}", '\0', id.first, id.second); }

  std::string resolved(std::string path) const {
    for (std::size_t step = 0; path.starts_with('\0') && step < deepest_walk; ++step) {
      const auto end = std::min(path.find('/'), path.size());
      const auto parts = base::split(std::string_view(path).substr(1, end - 1), ':');
      const Id id{*base::parse_unsigned(parts.at(0)), *base::parse_unsigned(parts.at(1))};
      const auto moved = moved_folders_.find(id);
      const auto above = moved == moved_folders_.end() ? std::string() : moved->second.from;
      path = (above.empty() ? "/..." : above) + path.substr(end);
    }
    return path;
  }

  // ---- files ----

  void compare_file(const Single& from, const Single& to) {
    if (to.stat.kind == FileKind::directory) {
      ahead_.push_back({from.stat.node, to.stat.node, from.path, to.path});
      return;
    }
    explain(from_storage_, from.stat.node);
    explain(to_storage_, to.stat.node);
    std::string problem;
    const auto differs = all_differences(from.stat, to.stat, problem);
    add_modified(to.path, from.stat, to.stat, differs, problem);
  }

  // Of their records and attributes.
  Differs differences_of(const Stat& from, const Stat& to) {
    Differs differs;
    differs.mode = from.mode != to.mode || from.device != to.device;
    differs.owner = from.uid != to.uid || from.gid != to.gid;
    differs.links = from.links != to.links;
    differs.times = from.times.modified != to.times.modified || from.times.changed != to.times.changed ||
                    from.times.created != to.times.created;
    differs.attributes = from_.attributes(from.node) != to_.attributes(to.node);
    return differs;
  }

  Differs all_differences(const Stat& from, const Stat& to, std::string& problem) try {
    auto differs = differences_of(from, to);
    if (to.kind == FileKind::regular)
      differs.content = from.size_bytes != to.size_bytes || !content_.is_same({from_, from}, {to_, to}) ||
                        !has_same_streams(from, to);
    if (to.kind == FileKind::symlink) differs.target = from_.read_link(from.node) != to_.read_link(to.node);
    return differs;
  } catch (const Error& error) {
    // What is encrypted or damaged, and changed.
    if (error.kind() == ErrorKind::io) throw;
    problem = error.message();
    return {.content = true};
  }

  bool has_same_streams(const Stat& from, const Stat& to) {
    const auto a = from_.streams(from.node), b = to_.streams(to.node);
    const auto is_same = [&](const Stream& one, const Stream& other) {
      return one.name == other.name && one.size_bytes == other.size_bytes && is_same_stream(from.node, to.node, one);
    };
    return std::ranges::equal(a, b, is_same);
  }

  bool is_same_stream(Node from, Node to, const Stream& stream) {
    std::vector<std::byte> a(64 << 10), b(a.size());
    for (std::uint64_t at = 0; at < stream.size_bytes;) {
      const auto bytes = from_.read_stream(from, stream.name, at, a);
      if (to_.read_stream(to, stream.name, at, b) != bytes ||
          !std::equal(a.begin(), a.begin() + long(bytes), b.begin()))
        return false;
      if (bytes == 0) break;
      at += bytes;
    }
    return true;
  }

  // ---- changes ----

  static std::optional<std::uint64_t> size_of(const Stat& stat) {
    return stat.kind == FileKind::regular ? std::optional(stat.size_bytes) : std::nullopt;
  }

  void add(TreeChange change) {
    if (changes_.size() >= most_tree_changes) throw too_much(change.path, "is one change too many");
    changes_.push_back(std::move(change));
  }

  void add_modified(const std::string& path, const Stat& from, const Stat& to, const Differs& differs,
                    const std::string& problem) {
    if (!differs.any()) return;
    add({.kind = TreeChangeKind::modified,
         .type = to.kind,
         .path = shown(path),
         .size_bytes = size_of(to),
         .old_size_bytes = size_of(from),
         .differs = differs,
         .problem = problem});
  }

  void add_single_change(TreeChangeKind kind, const Single& single) {
    add({.kind = kind,
         .type = single.stat.kind,
         .is_subvolume = single.is_subvolume,
         .path = resolved(single.path),
         .size_bytes = size_of(single.stat)});
  }

  // A file of several names may have lost some and got others.
  void pair_moved() {
    std::unordered_multimap<Id, const Single*, HashOfId> by_id;
    if (follows_nodes_)
      for (const Single& each : gone_) by_id.emplace(id_of(each.stat.node), &each);
    std::set<const Single*> moved;
    for (const Single& each : come_) {
      const auto [first, last] = by_id.equal_range(id_of(each.stat.node));
      const auto origin = std::find_if(first, last, [&](const auto& gone) {
        return !moved.contains(gone.second) && is_same_file(gone.second->stat, each.stat);
      });
      if (origin == last) {
        add_single_change(TreeChangeKind::added, each);
      } else {
        moved.insert(origin->second);
        add_moved(*origin->second, each);
      }
    }
    for (const Single& each : gone_)
      if (!moved.contains(&each)) add_single_change(TreeChangeKind::removed, each);
  }

  void add_moved(const Single& from, const Single& to) {
    std::string problem;
    TreeChange change{.kind = TreeChangeKind::renamed,
                      .type = to.stat.kind,
                      .is_subvolume = to.is_subvolume,
                      .path = to.path,
                      .from = resolved(from.path),
                      .size_bytes = size_of(to.stat),
                      .old_size_bytes = size_of(from.stat),
                      .differs = all_differences(from.stat, to.stat, problem),
                      .problem = problem};
    change.differs.times = from.stat.times.modified != to.stat.times.modified;  // it is dated as changed anyway
    if (to.stat.kind == FileKind::directory) change.differs.links = change.differs.times = false;
    add(std::move(change));
  }

  Error too_much(const std::string& path, std::string_view what) const {
    return Error(ErrorKind::unsupported,
                 fmt::format("what differs is more than is told: {} {}", base::printable(shown(path)), what))
        .hint("compare states that are nearer to each other");
  }

  FileSystem &from_, &to_;
  const TreeDiffOptions& options_;
  const std::vector<ByteRanges>& differing_;
  ContentComparison content_;
  bool follows_nodes_;
  StorageMap *from_storage_, *to_storage_;
  std::vector<Ahead> ahead_;
  std::set<Id> seen_from_, seen_to_;
  std::vector<Single> gone_, come_;
  std::unordered_map<Id, MovedFolder, HashOfId> moved_folders_;
  std::vector<Id> ready_;  // of those, which are to be gone into
  std::vector<TreeChange> changes_;
  std::vector<ByteRange> explained_;
  std::uint64_t files_met_ = 0;
};

// One set for each device that both have.
std::vector<ByteRanges> differences_of(FileSystem& from, FileSystem& to, const TreeDiffOptions& options) {
  const auto one = from.devices(), other = to.devices();
  std::vector<ByteRanges> differing;
  std::uint64_t before = 0;
  for (std::size_t i = 0; i < std::min(one.size(), other.size()); ++i) {
    differing.push_back(
        block::differences(*one[i], *other[i], [&](std::uint64_t bytes) { options.compared_bytes(before + bytes); }));
    before += std::max(one[i]->size(), other[i]->size());
  }
  return differing;
}

ByteRanges with_replayed(const ByteRanges& differing, StorageMap& from, StorageMap& to) {
  std::vector<ByteRange> all(differing.all().begin(), differing.all().end());
  for (StorageMap* each : {&from, &to}) {
    const auto replayed = each->replayed();
    all.insert(all.end(), replayed.begin(), replayed.end());
  }
  return ByteRanges(std::move(all));
}

}  // namespace

std::vector<TreeChange> compare_trees(FileSystem& from, FileSystem& to, const TreeDiffOptions& options) {
  if (!options.is_same_filesystem) {
    const std::vector<ByteRanges> nothing;  // is at one place in both
    return Comparison(from, to, options, nothing, false).run();
  }
  auto differing = differences_of(from, to, options);
  const bool has_all_devices = from.devices().size() == to.devices().size() && !differing.empty();
  if (has_all_devices && std::ranges::all_of(differing, &ByteRanges::empty)) return {};
  const bool has_records = from.storage() && to.storage() && differing.size() == 1;
  if (!has_records) return Comparison(from, to, options, differing, false).run();
  differing.front() = with_replayed(differing.front(), *from.storage(), *to.storage());
  Comparison quick(from, to, options, differing, true);
  auto changes = quick.run();
  return quick.leaves_unexplained() ? Comparison(from, to, options, differing, false).run() : changes;
}

}  // namespace hrvm::fs
