// XFS: "XFS Algorithms & Data Structures", chapters 13 (superblock and allocation group headers) and 16 (the log).
// A mount that writes nothing else still writes an unmount record, which moves the head of the log.
#include <fmt/core.h>

#include "fs/look_at.hpp"
#include "fs/xfs/format.hpp"
#include "hrvm/base/byte_size.hpp"
#include "hrvm/block/read_structure.hpp"

namespace hrvm::fs {
namespace {

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

std::optional<Log> find_log(const xfs::SuperBlock& super, std::uint64_t device_bytes) {
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
  const auto block = block::read_structure<LogBlock>(device, log.start + number * log_block_bytes);
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

block::Look look_at_xfs(block::BlockDevice& device) {
  block::Look look{{{0, header_bytes}}, {}};
  const auto super = block::read_structure<xfs::SuperBlock>(device, 0);
  const auto log = super ? find_log(*super, device.size()) : std::nullopt;
  if (!log) return look;
  const auto turn = cycle_of(device, *log, 0);
  look.text = fmt::format("log in turn {} at block {}", turn, find_head(device, *log, turn));
  return look;
}

}  // namespace hrvm::fs
