#include "hrvm/fs/walk.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "fs/path.hpp"

namespace hrvm::fs {
namespace {

using base::Error, base::ErrorKind;

constexpr std::size_t batches_held = 4;             // by all folders on the way
constexpr std::size_t least_batch_bytes = 8 << 10;  // where they hold that many
constexpr unsigned most_holes = 8;                  // before the data of a file by which it is ordered

// A file that is ahead.
struct Ahead {
  std::string name;
  Node node;
  bool is_regular = false;
  std::size_t bytes() const { return sizeof *this + name.size(); }
};

bool is_named_before(const Ahead& a, const Ahead& b) { return a.name < b.name; }

// What one pass through a folder keeps.
class Batch {
 public:
  Batch(std::size_t most_names, std::size_t most_bytes) : most_names_(most_names), most_bytes_(most_bytes) {}

  // One file fits in any.
  bool has_room(const Ahead& file) const {
    return files_.empty() || (files_.size() < most_names_ && bytes_ + file.bytes() <= most_bytes_);
  }
  void add(Ahead file) {
    bytes_ += file.bytes();
    files_.push_back(std::move(file));
  }
  // In place of those whose names come last. False where one was left out.
  bool add_by_name(Ahead file) {
    add(std::move(file));
    std::ranges::push_heap(files_, is_named_before);
    const bool fits = files_.size() <= most_names_ && bytes_ <= most_bytes_;
    while (files_.size() > 1 && (files_.size() > most_names_ || bytes_ > most_bytes_)) {
      std::ranges::pop_heap(files_, is_named_before);
      bytes_ -= files_.back().bytes();
      files_.pop_back();
    }
    return fits;
  }
  std::vector<Ahead>& files() { return files_; }
  std::size_t bytes() const { return bytes_; }

 private:
  std::size_t most_names_, most_bytes_, bytes_ = 0;
  std::vector<Ahead> files_;
};

struct Folder {
  Stat stat;
  std::size_t path_length = 0;
  std::vector<Ahead> ahead{};       // the next one at the end
  bool is_read = false;             // nothing is left but what is ahead
  std::uint64_t taken = 0;          // entries, of those that visit() gives
  std::optional<std::string> last;  // name, where they go by names
  bool holds_folders = false;
};

class Walk {
 public:
  Walk(FileSystem& files, Node start, WalkVisitor& visitor, const WalkOptions& options)
      : files_(files), start_(start), visitor_(visitor), options_(options) {}

  bool run() {
    meet(start_);
    while (!is_stopped_ && !way_.empty()) step();
    return !is_stopped_;
  }

 private:
  WalkedFile here(const Stat& stat, std::size_t depth) const { return {path_, stat, depth}; }

  void step() {
    path_.resize(way_.back().path_length);
    if (way_.back().ahead.empty() && !way_.back().is_read) read_on();
    auto& folder = way_.back();
    if (folder.ahead.empty()) return leave();
    const auto file = std::move(folder.ahead.back());
    folder.ahead.pop_back();
    held_bytes_ -= file.bytes();
    path_ += '/';
    path_ += file.name;
    meet(file.node);
  }

  void leave() {
    const Stat stat = way_.back().stat;
    way_.pop_back();
    visitor_.leave(here(stat, way_.size()));
  }

  void meet(Node node) {
    const auto stat = try_stat(node);
    if (!stat) return;
    const auto file = here(*stat, way_.size());
    const auto step = visitor_.enter(file);
    is_stopped_ = step == WalkStep::stop;
    if (is_stopped_ || stat->kind != FileKind::directory) return;
    const bool is_other_tree = !way_.empty() && way_.back().stat.node.tree != stat->node.tree;
    const bool is_passed = step == WalkStep::skip_folder || (is_other_tree && !options_.crosses_trees);
    if (is_passed || !try_descend(*stat)) visitor_.leave(file);
  }

  std::optional<Stat> try_stat(Node node) {
    try {
      return stat(node);
    } catch (const Error& error) {
      visitor_.failed(path_, error);
      return std::nullopt;
    }
  }

  // A reader may have to be led to a file again that it met long ago (hrvm/fs/folder.hpp).
  Stat stat(Node node) {
    try {
      return files_.stat(node);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::not_found || find_again() != node) throw;
      return files_.stat(node);
    }
  }

  std::optional<Node> find_again() {
    files_.root();
    Node here = start_;
    for (const auto& name : components(path_)) {
      const auto next = files_.find(here, name);
      if (!next) return std::nullopt;
      here = *next;
    }
    return here;
  }

  bool try_descend(const Stat& stat) try {
    descend(stat);
    return true;
  } catch (const Error& error) {
    visitor_.failed(path_, error);
    return false;
  }

  // A folder that holds none may be met as often as it likes.
  void descend(const Stat& stat) {
    const auto id = [](const Stat& folder) { return std::pair(folder.node.tree, folder.node.id); };
    if (way_.size() > deepest_walk)
      throw Error(ErrorKind::unsupported, fmt::format("a folder lies more than {} folders deep", deepest_walk))
          .on(path_);
    if (!way_.empty() && !std::exchange(way_.back().holds_folders, true)) holders_.insert(id(way_.back().stat));
    if (holders_.contains(id(stat)))
      throw Error(ErrorKind::corrupt, fmt::format("folder {} is met a second time", stat.node.id)).on(path_);
    way_.push_back({stat, path_.size()});
  }

  void read_on() {
    const auto held = batches_held * options_.most_bytes;
    const auto left = held - std::min(held_bytes_, held);
    Batch batch(options_.most_names, std::max(least_batch_bytes, std::min(options_.most_bytes, left / 2)));
    try {
      stat(way_.back().stat.node);  // finds it again
      options_.order == WalkOrder::names ? read_by_name(batch) : read_by_place(batch);
    } catch (const Error& error) {
      way_.back().is_read = true;
      visitor_.failed(path_, error);
    }
    if (options_.order == WalkOrder::data) sort_by_data(batch.files());
    if (options_.order == WalkOrder::names) std::ranges::sort_heap(batch.files(), is_named_before);
    if (!batch.files().empty()) way_.back().last = batch.files().back().name;
    held_bytes_ += batch.bytes();
    std::ranges::reverse(batch.files());
    way_.back().ahead = std::move(batch.files());
  }

  static Ahead ahead_of(const DirectoryEntry& entry) {
    return {std::string(entry.name), entry.node, entry.kind == FileKind::regular};
  }

  void read_by_place(Batch& batch) {
    auto& folder = way_.back();
    std::uint64_t index = 0;
    bool is_full = false;
    files_.visit(folder.stat.node, [&](const DirectoryEntry& entry) {
      if (index++ < folder.taken) return true;
      auto file = ahead_of(entry);
      is_full = !batch.has_room(file);
      if (is_full) return false;
      batch.add(std::move(file));
      ++folder.taken;
      return true;
    });
    folder.is_read = !is_full;
  }

  void read_by_name(Batch& batch) {
    auto& folder = way_.back();
    bool has_all = true;
    files_.visit(folder.stat.node, [&](const DirectoryEntry& entry) {
      if (!folder.last || entry.name > *folder.last) has_all &= batch.add_by_name(ahead_of(entry));
      return true;
    });
    folder.is_read = has_all;
  }

  using Place = std::pair<std::uint32_t, std::uint64_t>;

  // Of the first of its data that lie somewhere.
  Place place_of(Node file) {
    std::uint64_t offset = 0;
    for (unsigned hole = 0; hole < most_holes; ++hole) {
      const auto extent = files_.extent_at(file, offset, std::uint64_t(-1) - offset);
      if (!extent) break;
      if (extent->stored != Stored::zeros) return {extent->device, extent->device_offset};
      offset += extent->length;
    }
    return {};
  }

  Place place_of(const Ahead& file) {
    try {
      return file.is_regular ? place_of(file.node) : Place{};
    } catch (const Error&) {
      return {};  // whoever reads it learns why
    }
  }

  void sort_by_data(std::vector<Ahead>& files) {
    std::vector<std::pair<Place, Ahead>> placed;
    placed.reserve(files.size());
    for (auto& file : files) {
      const auto place = place_of(file);
      placed.emplace_back(place, std::move(file));
    }
    std::ranges::stable_sort(placed, {},
                             [](const auto& each) { return std::pair(each.second.is_regular, each.first); });
    std::ranges::transform(placed, files.begin(), [](auto& each) { return std::move(each.second); });
  }

  FileSystem& files_;
  Node start_;
  WalkVisitor& visitor_;
  const WalkOptions options_;
  std::string path_;
  std::vector<Folder> way_;
  std::set<std::pair<std::uint64_t, std::uint64_t>> holders_;  // folders that hold folders
  std::size_t held_bytes_ = 0;
  bool is_stopped_ = false;
};

}  // namespace

void WalkVisitor::leave(const WalkedFile&) {}

void WalkVisitor::failed(std::string_view, const Error& error) { throw error; }

bool walk(FileSystem& files, Node start, WalkVisitor& visitor, const WalkOptions& options) {
  return Walk(files, start, visitor, options).run();
}

}  // namespace hrvm::fs
