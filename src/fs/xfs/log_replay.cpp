#include "fs/xfs/log_replay.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "fs/xfs/directory_format.hpp"
#include "fs/xfs/log_format.hpp"
#include "fs/xfs/log_inode.hpp"
#include "hrvm/base/error.hpp"

namespace hrvm::fs::xfs {
namespace {

using base::Error, base::ErrorKind;

Error damaged() { return Error(ErrorKind::corrupt, "the log has an item that cannot be"); }

template <typename T>
T header_of(const Item& item) {
  if (item[0].size() < sizeof(T)) throw damaged();
  return base::load<T>(item[0]);
}

std::uint16_t type_of(const Item& item) { return base::load<ItemHeader>(item[0]).type; }

// Promises that change only what is free, and how often a block is used, are nothing to a reader.
constexpr std::array harmless = {item_extent_free_intent,
                                 item_extent_free_done,
                                 item_reverse_map_intent,
                                 item_reverse_map_done,
                                 item_reference_intent,
                                 item_reference_done,
                                 item_quota,
                                 item_quota_off};

// Where a block of version 5 says when it was written last, and of which filesystem it is, by its magic.
struct Stamp {
  std::uint32_t magic;
  std::size_t place, uuid;
};
constexpr std::array stamps = {
    Stamp{0x41423342, 24, 32},     // AB3B: free space by block
    Stamp{0x41423343, 24, 32},     // AB3C: free space by size
    Stamp{0x49414233, 24, 32},     // IAB3: inodes
    Stamp{0x46494233, 24, 32},     // FIB3: free inodes
    Stamp{0x524d4233, 24, 32},     // RMB3: reverse map
    Stamp{0x52334643, 24, 32},     // R3FC: references
    Stamp{tree_magic_5, 32, 40},   // BMA3
    Stamp{block_magic_5, 16, 24},  // XDB3
    Stamp{data_magic_5, 16, 24},   // XDD3
    Stamp{0x58444633, 16, 24},     // XDF3: free room of a folder
    Stamp{0x58534c4d, 48, 16},     // XSLM: a link's target
    Stamp{super_magic, 240, 32},   // XFSB
};
constexpr std::array hash_magics = {node_magic_5, leaf_magic_5, only_leaf_magic_5, attribute_leaf_magic_5};
constexpr Stamp hash_stamp{0, 24, 32};
constexpr std::size_t stamped_bytes = 264;

const Stamp* stamp_of(std::span<const std::byte> block) {
  const std::uint32_t magic = base::load<base::be32>(block);
  const auto found = std::ranges::find(stamps, magic, &Stamp::magic);
  if (found != stamps.end()) return &*found;
  const std::uint16_t hash_magic = base::load<HashHeader>(block).magic;
  return std::ranges::find(hash_magics, hash_magic) != hash_magics.end() ? &hash_stamp : nullptr;
}

}  // namespace

void LogReplay::note(const Transaction& transaction) {
  for (const auto& item : transaction.items)
    if (turn_of(item) == Turn::given_up) {
      const auto header = header_of<BufferItem>(item);
      ++given_up_[{header.sector, header.sectors}];
    }
}

// The inodes' list of those that have lost their last name is no matter, and neither are quotas.
LogReplay::Turn LogReplay::turn_of(const Item& item) const {
  if (type_of(item) == item_inode_create) return Turn::buffers;
  if (type_of(item) != item_buffer) return Turn::rest;
  const std::uint16_t flags = header_of<BufferItem>(item).flags;
  if (flags & buffer_cancelled) return Turn::given_up;
  return flags & (buffer_of_inodes | buffers_of_quota) ? Turn::never : Turn::buffers;
}

void LogReplay::replay(const Transaction& transaction) {
  for (const auto turn : {Turn::buffers, Turn::rest, Turn::given_up})
    for (const auto& item : transaction.items)
      if (turn_of(item) == turn) replay(item, transaction.place);
}

void LogReplay::replay(const Item& item, std::uint64_t place) {
  switch (const auto type = type_of(item)) {
    case item_buffer:
      return turn_of(item) == Turn::given_up ? give_up(item) : replay_buffer(item, place);
    case item_inode:
      return replay_inode_item(item, place);
    case item_inode_create:
      return create_inodes(item);
    case item_map_intent:
    case item_attribute_intent:
    case item_exchange_intent:
      return promise(item);
    case item_map_done:
    case item_attribute_done:
    case item_exchange_done:
      return fulfil(item);
    default:
      if (std::ranges::find(harmless, type) == harmless.end())
        throw Error(ErrorKind::unsupported, fmt::format("the log has an item of type {:#x}", type));
  }
}

void LogReplay::promise(const Item& item) { promised_.emplace(type_of(item), header_of<IntentItem>(item).id); }

// What is done has the type that follows that of its promise.
void LogReplay::fulfil(const Item& item) {
  promised_.erase({std::uint16_t(type_of(item) - 1), header_of<IntentItem>(item).id});
}

void LogReplay::give_up(const Item& item) {
  const auto header = header_of<BufferItem>(item);
  const auto found = given_up_.find({header.sector, header.sectors});
  if (found != given_up_.end() && --found->second == 0) given_up_.erase(found);
}

bool LogReplay::is_newer(const Buffer& buffer, std::uint64_t place) {
  const std::uint64_t bytes = buffer.sectors * log_sector;
  if (!volume_.is_version_5() || bytes < stamped_bytes) return false;
  const auto block = device_.read(buffer.sector * log_sector, stamped_bytes);
  const Stamp* stamp = stamp_of(block);
  if (!stamp) return false;
  const auto& super = volume_.super();
  const bool has_own = super.incompatible & incompatible_metadata_uuid;
  const auto& uuid = has_own ? super.metadata_uuid : super.uuid;
  const bool is_ours = std::ranges::equal(uuid, std::span(block).subspan(stamp->uuid, uuid.size()));
  const std::uint64_t written = base::load<base::be64>(block, stamp->place);
  return (is_ours || stamp->magic == super_magic) && written != 0 && written != ~0ull && written >= place;
}

// A run of bits is a region, or several where it lay in pieces in memory.
void LogReplay::replay_buffer(const Item& item, std::uint64_t place) {
  const auto header = header_of<BufferItem>(item);
  const Buffer buffer{header.sector, header.sectors};
  if (buffer.sector > device_.size() / log_sector) throw damaged();
  if (given_up_.contains(buffer) || is_newer(buffer, place)) return;
  const auto map = item[0].subspan(sizeof(BufferItem));
  const std::size_t bits = std::min<std::size_t>(header.map_words, map.size() / 4) * 32;
  const auto is_set = [&](std::size_t bit) {
    return std::uint32_t(base::load<base::le32>(map, bit / 32 * 4)) >> bit % 32 & 1;
  };
  std::size_t next = 1;
  for (std::size_t bit = 0; bit < bits;) {
    if (!is_set(bit)) {
      ++bit;
      continue;
    }
    std::size_t run = 1;
    while (bit + run < bits && is_set(bit + run)) ++run;
    if (next == item.size() || item[next].size() < chunk_bytes) throw damaged();
    run = std::min(run, item[next].size() / chunk_bytes);
    if ((bit + run) * chunk_bytes > buffer.sectors * log_sector) throw damaged();
    device_.write(buffer.sector * log_sector + bit * chunk_bytes, item[next++].first(run * chunk_bytes));
    bit += run;
  }
}

void LogReplay::replay_inode_item(const Item& item, std::uint64_t place) {
  const auto header = header_of<InodeItem>(item);
  if (given_up_.contains({header.sector, header.sectors})) return;
  const std::uint64_t offset = header.sector * log_sector + header.offset;
  if (header.sector > device_.size() / log_sector || offset + volume_.super().inode_bytes > device_.size())
    throw damaged();
  auto inode = device_.read(offset, volume_.super().inode_bytes);
  replay_inode(volume_, item, place, inode);
  device_.write(offset, inode);
}

bool LogReplay::is_any_given_up(std::uint64_t sector, std::uint64_t sectors) const {
  const auto first = given_up_.lower_bound({sector, 0});
  return first != given_up_.end() && first->first.sector < sector + sectors;
}

// Of a chunk that was given up later nothing is to be seen.
void LogReplay::create_inodes(const Item& item) {
  const auto header = header_of<InodeCreateItem>(item);
  const auto& super = volume_.super();
  const std::uint64_t per_block = super.inodes_per_block;
  if (header.inode_bytes != super.inode_bytes || header.count != header.blocks * per_block || header.count > 4096)
    throw damaged();
  const std::uint64_t block = std::uint64_t(header.group) << super.group_blocks_log | header.block;
  const std::uint64_t offset = volume_.offset_of(block, header.blocks);
  const std::uint64_t sectors = header.blocks * volume_.block_bytes() / log_sector;
  if (is_any_given_up(offset / log_sector, sectors)) return;
  std::vector<std::byte> inode(super.inode_bytes);
  for (std::uint64_t i = 0; i < header.count; ++i) {
    make_inode(volume_, (block << super.inodes_per_block_log) + i, header.generation, inode);
    device_.write(offset + i * inode.size(), inode);
  }
}

}  // namespace hrvm::fs::xfs
