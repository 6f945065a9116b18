// XFS: "XFS Algorithms & Data Structures", chapters 13 (superblock and allocation group headers) and 16 (the log).
// A mount that writes nothing else still writes an unmount record, which moves the head of the log.
#include <fmt/core.h>

#include "hrvm/base/byte_size.hpp"
#include "machine/drift/disk_structure.hpp"
#include "machine/drift/marks.hpp"

namespace hrvm::machine {
namespace {

struct SuperBlock {
  base::be32 magic;
  base::be32 block_bytes;
  std::array<std::byte, 40> sizes_and_uuid;
  base::be64 log_start;  // a filesystem block number; 0: the log is on another device
  std::array<std::byte, 28> inodes_and_realtime;
  base::be32 group_blocks;
  base::be32 groups;
  std::array<std::byte, 4> bitmap_blocks;
  base::be32 log_blocks;
  std::array<std::byte, 20> versions_and_name;
  std::uint8_t block_log, sector_log, inode_log, inodes_per_block_log, group_blocks_log;
};
static_assert(offsetof(SuperBlock, log_start) == 48);
static_assert(offsetof(SuperBlock, group_blocks) == 84);
static_assert(offsetof(SuperBlock, log_blocks) == 96);
static_assert(offsetof(SuperBlock, group_blocks_log) == 124);

// Each 512-byte block of the log starts with the number of the turn it was written in; a record's first block has that
// behind a magic number.
struct LogBlock {
  base::be32 cycle_or_magic;
  base::be32 cycle;
};
constexpr std::uint32_t record_magic = 0xfeedbabe;
constexpr std::uint64_t log_block_bytes = 512;
constexpr std::uint64_t header_bytes = 16 * base::KiB;  // superblock and the headers of the first allocation group

struct Log {
  std::uint64_t start = 0, blocks = 0;
};

std::optional<Log> find_log(const SuperBlock& super, std::uint64_t device_bytes) {
  if (super.log_start == 0 || super.group_blocks_log > 31 || super.log_blocks == 0) return std::nullopt;
  const std::uint64_t group = super.log_start >> super.group_blocks_log;
  const std::uint64_t within = super.log_start & ((std::uint64_t(1) << super.group_blocks_log) - 1);
  if (group >= super.groups) return std::nullopt;
  const std::uint64_t start = (group * super.group_blocks + within) * super.block_bytes;
  const std::uint64_t bytes = std::uint64_t(super.log_blocks) * super.block_bytes;
  if (start > device_bytes || bytes > device_bytes - start) return std::nullopt;
  return Log{start, bytes / log_block_bytes};
}

std::uint32_t cycle_of(block::BlockDevice& device, const Log& log, std::uint64_t number) {
  const auto block = read_structure<LogBlock>(device, log.start + number * log_block_bytes);
  if (!block) return 0;
  return block->cycle_or_magic == record_magic ? block->cycle : block->cycle_or_magic;
}

// The first block that is still of an earlier turn than block 0, by bisection.
std::uint64_t find_head(block::BlockDevice& device, const Log& log, std::uint32_t turn) {
  std::uint64_t written = 0, older = log.blocks;
  while (older - written > 1) {
    const std::uint64_t middle = written + (older - written) / 2;
    (cycle_of(device, log, middle) == turn ? written : older) = middle;
  }
  return older;
}

}  // namespace

Look look_at_xfs(block::BlockDevice& device) {
  Look look{{{0, header_bytes}}, {}};
  const auto super = read_structure<SuperBlock>(device, 0);
  const auto log = super ? find_log(*super, device.size()) : std::nullopt;
  if (!log) return look;
  const auto turn = cycle_of(device, *log, 0);
  look.text = fmt::format("log in turn {} at block {}", turn, find_head(device, *log, turn));
  return look;
}

}  // namespace hrvm::machine
