// A disk of few blocks, as a file of the corpus packs it: each block's number (four bytes, little-endian) and its 4096
// bytes. All others are zeros.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <map>
#include <span>
#include <string>

#include "hrvm/base/endian.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/block/block_device.hpp"
#include "hrvm/block/copy.hpp"

namespace hrvm::fs::test {

inline constexpr std::size_t packed_block_bytes = 4096;

class FewBlocks : public block::BlockDevice {
 public:
  explicit FewBlocks(std::uint64_t size) : size_(size) {}

  // An end that is too short for a block is left out.
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

// What of an image is not zeros.
inline FewBlocks few_blocks_of(block::BlockDevice& image) {
  FewBlocks few(image.size());
  for (std::uint64_t at = 0; at < image.size();) {
    const auto extent = image.extent_at(at);
    for (auto offset = at; extent.kind == block::ExtentKind::data && offset < at + extent.length;
         offset += packed_block_bytes)
      if (const auto bytes = image.read(offset, packed_block_bytes); !block::is_zero(bytes))
        std::ranges::copy(bytes, few.block(std::uint32_t(offset / packed_block_bytes)).begin());
    at += extent.length;
  }
  return few;
}

}  // namespace hrvm::fs::test
