// btrfs for tests and fuzzers: a disk whose checksums are always right, so that what is wrong behind them is reached.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>

#include "fs/btrfs/checksum.hpp"
#include "fs/btrfs/format.hpp"
#include "hrvm/block/block_device.hpp"
#include "support/few_blocks.hpp"

namespace hrvm::fs::test {

// Superblocks and nodes, which are read whole, get the checksum that they should have (crc32c).
class Resummed : public block::BlockDevice {
 public:
  explicit Resummed(block::BlockDevice& below) : below_(below) {
    if (below.size() >= 65536 + packed_block_bytes) super_ = base::load<btrfs::SuperBlock>(below.read(65536, 4096));
  }

  using BlockDevice::read;
  std::uint64_t size() const override { return below_.size(); }
  const std::string& name() const override { return below_.name(); }
  void read(std::uint64_t offset, std::span<std::byte> out) override {
    below_.read(offset, out);
    if (out.size() < sizeof(btrfs::NodeHeader)) return;
    const auto filesystem = base::load<btrfs::NodeHeader>(out).filesystem;
    if (filesystem != super_.filesystem) return;
    const auto sum = btrfs::checksum_of(btrfs::checksum_crc32c, out.subspan(btrfs::checksum_room));
    std::ranges::copy(sum, out.begin());
  }

 private:
  block::BlockDevice& below_;
  btrfs::SuperBlock super_{};
};

}  // namespace hrvm::fs::test
