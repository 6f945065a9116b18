// What a check makes of the refcount table and its blocks.
#include <algorithm>
#include <cstring>

#include "image/check/walk.hpp"
#include "image/qcow2/refcount_block.hpp"

namespace hrvm::image {
namespace {

constexpr std::uint64_t entry_flags = 0x1ff;  // reserved, all of them
constexpr unsigned usual_order = 4;

bool is_all_zero(std::span<const std::byte> bytes) {
  std::uint64_t word;
  std::memcpy(&word, bytes.data(), sizeof word);
  return word == 0;
}

}  // namespace

void CheckWalk::note_bad_block(std::uint64_t index) {
  needs_rebuild_ = true;
  note(Trouble::block_entry, 1, header_.refcount_table_offset + index * sizeof(base::be64), table_[index], index);
}

void CheckWalk::load_recorded() {
  const auto bytes = std::uint64_t(header_.refcount_table_clusters) << geometry_.cluster_bits;
  const bool is_there = bytes != 0 && bytes <= max_refcount_table_bytes && header_.refcount_table_offset != 0 &&
                        geometry_.offset_in_cluster(header_.refcount_table_offset) == 0 &&
                        !is_outside(header_.refcount_table_offset, bytes);
  if (!is_there) {
    needs_rebuild_ = true;
    return note(Trouble::outside, 1, offsetof(qcow2::Header, refcount_table_offset), header_.refcount_table_offset,
                bytes);
  }
  if (table_.empty()) table_ = read_entries(header_.refcount_table_offset, bytes / sizeof(base::be64));
  count_region(offsetof(qcow2::Header, refcount_table_offset), header_.refcount_table_offset, bytes);
  std::vector<std::byte> buffer(geometry_.cluster_bytes());
  for (std::uint64_t index = 0; index < table_.size(); ++index) {
    const auto entry = std::uint64_t(table_[index]);
    if (entry == 0) continue;
    const auto offset = entry & ~entry_flags;
    const bool is_block = geometry_.offset_in_cluster(offset) == 0 && offset < file_.size();
    if (!is_block || (entry & entry_flags)) note_bad_block(index);
    if (is_block && offset != 0) load_block(index, offset, buffer);
  }
}

void CheckWalk::load_block(std::uint64_t index, std::uint64_t offset, std::span<std::byte> buffer) {
  const auto per_block = (geometry_.cluster_bytes() * 8) >> header_.refcount_order;
  const auto clusters = geometry_.clusters(file_.size()) + 1;
  const auto first = index * per_block;
  if (first >= clusters) return;
  if (!try_read(offset, buffer)) return note(Trouble::unreadable, 1, offset, 0, buffer.size());
  const auto count = std::min<std::uint64_t>(per_block, clusters - first);
  const std::uint64_t per_word = 64u >> header_.refcount_order;
  for (std::uint64_t i = 0; i < count; i += per_word) {
    if (is_all_zero(buffer.subspan(i / per_word * 8, 8))) continue;
    for (auto k = i; k < std::min(i + per_word, count); ++k) {
      if (const auto recorded = refcount_at(buffer, header_.refcount_order, k))
        counts_.set_recorded(first + k, recorded);
    }
  }
}

// Each block is used by its entry in the table, and by nothing else.
void CheckWalk::count_blocks() {
  std::vector<std::uint64_t> blocks;
  for (const auto& entry : table_) {
    const bool is_block = entry != 0 && (entry & entry_flags) == 0 && geometry_.offset_in_cluster(entry) == 0;
    if (is_block && entry < file_.size()) blocks.push_back(entry >> geometry_.cluster_bits);
  }
  std::ranges::sort(blocks);
  for (std::size_t first = 0, end; first < blocks.size(); first = end) {
    for (end = first; end < blocks.size() && blocks[end] == blocks[first];) ++end;
    const auto same = std::uint32_t(end - first);
    counts_.add(blocks[first], same);
    const auto found = counts_.at(blocks[first]);
    if (!found || found->used == 1) continue;
    needs_rebuild_ = true;
    log_.note(Trouble::block_shared, found->used == same ? same - 1 : same, header_.refcount_table_offset,
              blocks[first] << geometry_.cluster_bits, found->used);
  }
}

}  // namespace hrvm::image
