#include "fs/xfs/log.hpp"

#include "fs/xfs/log_replay.hpp"
#include "fs/xfs/log_ring.hpp"
#include "fs/xfs/log_transactions.hpp"
#include "hrvm/base/error.hpp"

namespace hrvm::fs::xfs {
namespace {

constexpr std::uint64_t fewest_sectors = 64;

ReplayedLog replay(const Volume& volume, LogRing& ring) {
  auto device = std::make_unique<PatchedDevice>(volume.device());
  LogReplay replay(volume, *device);
  LogTransactions first([&](const Transaction& transaction) { replay.note(transaction); });
  ring.visit([&](const Record& record) { first.add(record); });
  LogTransactions second([&](const Transaction& transaction) { replay.replay(transaction); });
  ring.visit([&](const Record& record) { second.add(record); });
  if (replay.is_unfinished()) return {JournalState::ignored, nullptr};
  return {JournalState::replayed, std::move(device)};
}

}  // namespace

ReplayedLog replay_log(block::BlockDevice& device) {
  const Volume volume(device);
  const auto& super = volume.super();
  if (super.log_start == 0) return {};
  try {
    const std::uint64_t offset = volume.offset_of(super.log_start, super.log_blocks);
    const std::uint64_t sectors = super.log_blocks * volume.block_bytes() / log_sector;
    if (sectors < fewest_sectors) return {JournalState::ignored, nullptr};
    LogRing ring(device, offset, sectors, volume.is_version_5());
    if (ring.is_clean()) return {};
    return replay(volume, ring);
  } catch (const base::Error&) {
    return {JournalState::ignored, nullptr};
  }
}

}  // namespace hrvm::fs::xfs
