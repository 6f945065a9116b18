#include "fs/ext/storage_map.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <optional>

#include "fs/ext/blocks.hpp"
#include "fs/ext/inode.hpp"

namespace hrvm::fs::ext {
namespace {

using block::ByteRange, block::ByteRanges;

// Sound files have a block each once; they may be gone through more than once.
constexpr std::uint64_t most_visits_of_block = 8;
// Half a PiB, where groups are as large as they can be. Of more their tables are not looked for.
constexpr std::uint64_t most_groups = 4u << 20;

class ExtStorageMap final : public StorageMap {
 public:
  explicit ExtStorageMap(Recovered& recovered)
      : recovered_(recovered),
        volume_(*recovered.volume),
        visits_left_(most_visits_of_block * volume_.blocks_here() + volume_.inodes()) {}

  std::optional<ByteRange> record_of(Node node) override;
  void visit_blocks(Node node, const std::function<void(ByteRange)>& visitor) override;
  std::vector<ByteRange> replayed() override {
    return recovered_.overlay ? recovered_.overlay->newer() : std::vector<ByteRange>();
  }
  bool is_spare(ByteRange range) override;

 private:
  using Visitor = std::function<void(ByteRange)>;

  void visit_file(const File& file, const Visitor& visitor);
  void visit_data(const File& file, const Visitor& visitor);
  void visit(std::uint64_t volume_block, std::uint64_t blocks, const Visitor& visitor);
  void count_visit();

  const ByteRanges& own();
  void add_own_of(std::uint32_t group, std::vector<ByteRange>& found);
  void add_own_files(std::vector<ByteRange>& found);
  bool is_free(std::uint64_t block);
  void read_bitmap(std::uint32_t group);

  std::uint64_t bytes(std::uint64_t blocks) const { return blocks * volume_.block_bytes(); }
  // Only of groups whose clusters have several blocks it is more than one.
  std::uint64_t cluster_blocks() const {
    return volume_.has_read_only(read_only_bigalloc)
               ? (1024ull << (volume_.super().log_cluster_size & 31)) / volume_.block_bytes()
               : 1;
  }

  Recovered& recovered_;
  Volume& volume_;
  std::uint64_t visits_left_;
  std::optional<ByteRanges> own_;  // the filesystem's own tables, since they were asked for
  std::optional<std::uint32_t> bitmap_group_;
  std::vector<std::byte> bitmap_;  // of that group; empty: nothing is in use there
};

std::optional<ByteRange> ExtStorageMap::record_of(Node node) {
  const auto number = std::uint32_t(node.id);
  const Changes& changes = volume_.changes();
  if (!changes.inode(number).empty() || changes.pieces(number) || changes.folder(number)) return std::nullopt;
  const auto place = recovered_.place_of(volume_.inode_offset(number), volume_.inode_bytes());
  if (!place.is_whole || place.length < volume_.inode_bytes()) return std::nullopt;
  return ByteRange{place.offset, place.length};
}

void ExtStorageMap::count_visit() {
  if (visits_left_-- == 0) throw volume_.corrupt("its files lie in more blocks than it has");
}

void ExtStorageMap::visit(std::uint64_t volume_block, std::uint64_t blocks, const Visitor& visitor) {
  for (std::uint64_t offset = bytes(volume_block), left = bytes(blocks); left > 0;) {
    const auto place = recovered_.place_of(offset, left);
    visitor({place.offset, place.length});
    if (place.offset != offset) visitor({offset, place.length});  // where it is going to lie
    offset += place.length;
    left -= place.length;
  }
}

void ExtStorageMap::visit_blocks(Node node, const Visitor& visitor) {
  visit_file(volume_.file(std::uint32_t(node.id)), visitor);
}

void ExtStorageMap::visit_file(const File& file, const Visitor& visitor) {
  if (const auto block = attribute_block(volume_, file)) {
    volume_.block_offset(block);  // there is one
    visit(block, 1, visitor);
  }
  const bool has_blocks =
      file.is(mode_regular) || file.is(mode_directory) || (file.is(mode_symlink) && !is_fast_link(volume_, file));
  if (has_blocks && !file.has(flag_inline_data)) visit_data(file, visitor);
}

void ExtStorageMap::visit_data(const File& file, const Visitor& visitor) {
  visit_leading_blocks(volume_, file, [&](std::uint64_t block) {
    count_visit();
    volume_.block_offset(block);
    visit(block, 1, visitor);
  });
  const std::uint64_t blocks = (volume_.file_size(file) + volume_.block_bytes() - 1) / volume_.block_bytes();
  for (std::uint64_t block = 0; block < std::min(blocks, file_blocks_end);) {
    count_visit();
    const Run run = run_at(volume_, file, block);
    if (run.volume_block != 0) visit(run.volume_block, run.blocks, visitor);
    block += run.blocks;
  }
}

bool ExtStorageMap::is_spare(ByteRange range) {
  if (volume_.groups() > most_groups) return false;
  const auto end = (range.end() + volume_.block_bytes() - 1) / volume_.block_bytes();
  for (auto block = range.offset / volume_.block_bytes(); block < end; ++block)
    if (block < volume_.blocks() && !own().touches({bytes(block), bytes(1)}) && !is_free(block)) return false;
  return true;
}

const ByteRanges& ExtStorageMap::own() {
  if (own_) return *own_;
  std::vector<ByteRange> found{{0, bytes(volume_.super().first_data_block)}};
  for (std::uint32_t group = 0; group < volume_.groups(); ++group) add_own_of(group, found);
  add_own_files(found);
  return own_.emplace(std::move(found));
}

void ExtStorageMap::add_own_of(std::uint32_t group, std::vector<ByteRange>& found) {
  const auto descriptor = volume_.descriptor(group);
  const auto add = [&](std::uint32_t low, std::uint32_t high, std::uint64_t blocks) {
    found.push_back({bytes(low | std::uint64_t(high) << 32), bytes(blocks)});
  };
  const std::uint64_t table_bytes = std::uint64_t(volume_.super().inodes_per_group) * volume_.inode_bytes();
  add(descriptor.block_bitmap_lo, descriptor.block_bitmap_hi, 1);
  add(descriptor.inode_bitmap_lo, descriptor.inode_bitmap_hi, 1);
  add(descriptor.inode_table_lo, descriptor.inode_table_hi,
      (table_bytes + volume_.block_bytes() - 1) / volume_.block_bytes());
  // A copy of the superblock, and behind it descriptors and what is kept for more of them; where groups have their
  // descriptors apart (meta_bg), a block of them there.
  const bool is_copy = volume_.has_superblock(group);
  const auto descriptors =
      volume_.descriptor_offset(std::uint32_t(volume_.groups() - 1)) / volume_.block_bytes() - volume_.group_begin(0);
  const bool has_groups = volume_.has_incompatible(incompatible_meta_groups);
  const auto behind = has_groups ? 1 : descriptors + volume_.super().reserved_descriptor_blocks;
  if (is_copy || has_groups) found.push_back({bytes(volume_.group_begin(group)), bytes((is_copy ? 1 : 0) + behind)});
}

// Those without a name: the journal, room for more descriptors, quota, orphans. One that cannot be read has no blocks.
void ExtStorageMap::add_own_files(std::vector<ByteRange>& found) {
  const std::uint32_t first =
      volume_.super().revision == 0 ? first_inode_of_revision_0 : std::uint32_t(volume_.super().first_inode);
  std::vector<std::uint32_t> numbers{volume_.super().orphan_file_inode};
  for (std::uint32_t number = 1; number < std::min(first, first_inode_of_revision_0); ++number)
    if (number != root_inode) numbers.push_back(number);
  for (const auto number : numbers) try {
      if (number == 0) continue;
      visit_file(volume_.file(number), [&](ByteRange range) { found.push_back(range); });
    } catch (const base::Error&) {
    }
}

bool ExtStorageMap::is_free(std::uint64_t block) {
  const auto behind = block - volume_.super().first_data_block;
  const auto group = std::uint32_t(behind / volume_.super().blocks_per_group);
  if (bitmap_group_ != group) read_bitmap(group);
  const auto bit = behind % volume_.super().blocks_per_group / cluster_blocks();
  if (bitmap_.empty()) return true;
  if (bit / 8 >= bitmap_.size()) return false;
  return (std::to_integer<unsigned>(bitmap_[std::size_t(bit / 8)]) >> (bit % 8) & 1) == 0;
}

void ExtStorageMap::read_bitmap(std::uint32_t group) {
  const auto descriptor = volume_.descriptor(group);
  const bool is_unused = (descriptor.flags & group_without_bitmap) != 0;
  bitmap_ = is_unused
                ? std::vector<std::byte>()
                : volume_.read_block(descriptor.block_bitmap_lo | std::uint64_t(descriptor.block_bitmap_hi) << 32);
  bitmap_group_ = group;
}

}  // namespace

std::unique_ptr<StorageMap> storage_map(Recovered& recovered) { return std::make_unique<ExtStorageMap>(recovered); }

}  // namespace hrvm::fs::ext
