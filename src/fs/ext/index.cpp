#include "fs/ext/index.hpp"

#include <optional>

#include "fs/ext/blocks.hpp"
#include "fs/ext/hash.hpp"

namespace hrvm::fs::ext {
namespace {

constexpr unsigned most_leaves = 64;  // that share a hash

// A block of the index, and the entry in it that was chosen. The first entry is that of all hashes below the second's.
class Step {
 public:
  Step(std::vector<std::byte> block, std::size_t entries_at)
      : block_(std::move(block)), entries_at_(entries_at), count_(base::load<IndexLimit>(block_, entries_at).count) {}

  bool is_sound() const { return count_ != 0 && count_ <= (block_.size() - entries_at_) / sizeof(IndexEntry); }
  std::uint64_t block() const { return entry(chosen_).block & index_block_mask; }
  std::uint32_t hash() const { return entry(chosen_).hash; }

  void choose(std::uint32_t hash) {
    std::size_t low = 1, high = count_;
    while (low < high) {
      const auto middle = low + (high - low) / 2;
      if (entry(middle).hash <= hash)
        low = middle + 1;
      else
        high = middle;
    }
    chosen_ = low - 1;
  }
  void choose_first() { chosen_ = 0; }
  bool choose_next() { return chosen_ + 1 < count_ && ++chosen_; }

 private:
  IndexEntry entry(std::size_t i) const { return base::load<IndexEntry>(block_, entries_at_ + i * sizeof(IndexEntry)); }

  std::vector<std::byte> block_;
  std::size_t entries_at_, count_, chosen_ = 0;
};

class Index {
 public:
  Index(Volume& volume, const File& folder) : volume_(volume), folder_(folder) {}

  // False where there is no index that can be followed.
  bool open(std::string_view name) {
    auto block = read(0);
    const auto root = base::load<IndexRoot>(block, index_root_offset);
    if (root.length != sizeof root || root.levels >= deepest_index) return false;
    const auto hash = name_hash(name, version(root), seed());
    if (!hash) return false;
    hash_ = *hash;
    levels_ = root.levels;
    path_.emplace_back(std::move(block), index_root_entries);
    if (!path_.back().is_sound()) return false;
    path_.back().choose(hash_);
    return descend(&Step::choose, hash_);
  }

  std::uint64_t leaf() const { return path_.back().block(); }

  enum class Next { leaf, none, broken };
  // The next leaf, if it begins with the hash with which the last one ended.
  Next next() {
    while (!path_.empty() && !path_.back().choose_next()) path_.pop_back();
    if (path_.empty() || (path_.back().hash() & ~1u) != hash_) return Next::none;
    return descend([](Step& step, std::uint32_t) { step.choose_first(); }, 0) ? Next::leaf : Next::broken;
  }

 private:
  template <typename Choose>
  bool descend(Choose choose, std::uint32_t hash) {
    while (path_.size() <= levels_) {
      path_.emplace_back(read(leaf()), index_node_entries);
      if (!path_.back().is_sound()) return false;
      std::invoke(choose, path_.back(), hash);
    }
    return true;
  }

  std::vector<std::byte> read(std::uint64_t block) {
    std::vector<std::byte> bytes(volume_.block_bytes());
    read_blocks(volume_, folder_, block * volume_.block_bytes(), bytes);
    return bytes;
  }

  std::uint8_t version(const IndexRoot& root) const {
    const bool is_unsigned = volume_.super().flags & flag_unsigned_hash;
    return std::uint8_t(root.hash_version + (is_unsigned && root.hash_version <= hash_tea ? unsigned_variants : 0));
  }

  std::array<std::uint32_t, 4> seed() const {
    const auto& stored = volume_.super().hash_seed;
    return {stored[0], stored[1], stored[2], stored[3]};
  }

  Volume& volume_;
  const File& folder_;
  std::uint32_t hash_ = 0;
  unsigned levels_ = 0;
  std::vector<Step> path_;  // from the root on
};

}  // namespace

bool visit_leaves(Volume& volume, const File& folder, std::string_view name,
                  const std::function<bool(std::uint64_t block)>& visit) {
  Index index(volume, folder);
  if (!index.open(name)) return false;
  for (unsigned leaves = 0; leaves < most_leaves; ++leaves) {
    if (!visit(index.leaf())) return true;
    const auto next = index.next();
    if (next != Index::Next::leaf) return next == Index::Next::none;
  }
  return false;
}

}  // namespace hrvm::fs::ext
