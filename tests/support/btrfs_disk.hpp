// btrfs for tests and fuzzers: a disk of few blocks, and one whose checksums are always right, so that what is wrong
// behind them is reached.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "fs/btrfs/checksum.hpp"
#include "fs/btrfs/format.hpp"
#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/block/block_device.hpp"

namespace hrvm::fs::test {

inline constexpr std::size_t packed_block_bytes = 4096;

// Zeros, but for some blocks.
class FewBlocks : public block::BlockDevice {
 public:
  explicit FewBlocks(std::uint64_t size) : size_(size) {}

  // Packed: a number and the block, and so on. An end that is too short for one is left out.
  FewBlocks(std::span<const std::byte> packed, std::uint64_t size) : FewBlocks(size) {
    for (; packed.size() >= 4 + packed_block_bytes; packed = packed.subspan(4 + packed_block_bytes))
      std::ranges::copy(packed.subspan(4, packed_block_bytes), block(base::load<base::le32>(packed)).begin());
  }

  std::span<std::byte> block(std::uint32_t number) { return blocks_[number]; }
  std::map<std::uint32_t, std::array<std::byte, packed_block_bytes>>& blocks() { return blocks_; }

  using BlockDevice::read;
  std::uint64_t size() const override { return size_; }
  const std::string& name() const override { return name_; }
  void read(std::uint64_t offset, std::span<std::byte> out) override {
    if (offset > size_ || out.size() > size_ - offset)
      throw base::Error(base::ErrorKind::corrupt, "beyond the end").on(name_).at(offset);
    std::ranges::fill(out, std::byte{0});
    const auto end = offset + out.size();
    for (auto it = blocks_.lower_bound(std::uint32_t(offset / packed_block_bytes)); it != blocks_.end(); ++it) {
      const std::uint64_t start = std::uint64_t(it->first) * packed_block_bytes;
      if (start >= end) break;
      const auto from = std::max(start, offset), to = std::min(end, start + packed_block_bytes);
      std::memcpy(out.data() + (from - offset), it->second.data() + (from - start), to - from);
    }
  }

 private:
  std::uint64_t size_;
  std::map<std::uint32_t, std::array<std::byte, packed_block_bytes>> blocks_;
  std::string name_ = "disk";
};

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
