#include "probe/signature/own_structures.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

#include "hrvm/base/crc32.hpp"
#include "hrvm/base/endian.hpp"

namespace hrvm::probe {
namespace {

using base::be16, base::be32, base::be64, base::le16, base::le32, base::le64;
using Bytes = std::span<const std::byte>;

std::optional<std::uint64_t> product(std::uint64_t count, std::uint64_t bytes) {
  if (bytes != 0 && count > std::numeric_limits<std::uint64_t>::max() / bytes) return std::nullopt;
  return count * bytes;
}

std::uint32_t crc32c(Bytes bytes) { return base::crc32_register<base::CrcPolynomial::castagnoli>(~0u, bytes); }

// struct ext4_super_block, at byte 1024.
std::optional<std::uint64_t> size_of_ext(Bytes superblock) {
  constexpr std::uint32_t metadata_csum = 0x400, wide = 0x80, largest_shift = 6;
  constexpr std::size_t checksum_place = 1020;
  const auto field = [&](std::size_t at) { return std::uint32_t(base::load<le32>(superblock, at)); };
  if ((field(100) & metadata_csum) && crc32c(superblock.first(checksum_place)) != field(checksum_place))
    return std::nullopt;
  const std::uint64_t high = (field(96) & wide) ? field(336) : 0;
  if (field(24) > largest_shift) return std::nullopt;
  return product(high << 32 | field(4), 1024ull << field(24));
}

// struct xfs_dsb, at byte 0. The checksum, from version 5 on, is that of the sector without it.
std::optional<std::uint64_t> size_of_xfs(Bytes superblock) {
  constexpr unsigned version_mask = 0xf, with_checksum = 5;
  constexpr std::size_t checksum_place = 224;
  const std::size_t sector = base::load<be16>(superblock, 102);
  if (sector < 512 || sector > superblock.size()) return std::nullopt;
  if ((base::load<be16>(superblock, 100) & version_mask) == with_checksum) {
    std::vector<std::byte> covered(superblock.begin(), superblock.begin() + std::ptrdiff_t(sector));
    base::store(std::span(covered), checksum_place, le32(0));
    if (~crc32c(covered) != base::load<le32>(superblock, checksum_place)) return std::nullopt;
  }
  return product(base::load<be64>(superblock, 8), base::load<be32>(superblock, 4));
}

// struct btrfs_super_block, at byte 65536: what it says of this device. Its reader checks the sum.
std::optional<std::uint64_t> size_of_btrfs(Bytes superblock) {
  constexpr std::size_t device_item = 201, total_bytes = 8;
  return std::uint64_t(base::load<le64>(superblock, device_item + total_bytes));
}

std::optional<std::uint64_t> size_of_ntfs(Bytes sector) {
  return product(base::load<le64>(sector, 40), base::load<le16>(sector, 11));
}

std::optional<std::uint64_t> size_of_fat(Bytes sector) {
  const std::uint64_t few = base::load<le16>(sector, 19), many = base::load<le32>(sector, 32);
  return product(few != 0 ? few : many, base::load<le16>(sector, 11));
}

struct Kind {
  std::string_view type;
  std::uint64_t place;
  std::size_t bytes;
  std::optional<std::uint64_t> (*size)(Bytes);
};
constexpr std::array kinds{
    Kind{"ext2", 1024, 1024, size_of_ext},     Kind{"ext3", 1024, 1024, size_of_ext},
    Kind{"ext4", 1024, 1024, size_of_ext},     Kind{"xfs", 0, 4096, size_of_xfs},
    Kind{"btrfs", 65536, 4096, size_of_btrfs}, Kind{"ntfs", 0, 512, size_of_ntfs},
    Kind{"vfat", 0, 512, size_of_fat},
};

}  // namespace

std::optional<std::uint64_t> told_size(std::string_view type, block::BlockDevice& device) {
  const auto kind = std::ranges::find(kinds, type, &Kind::type);
  if (kind == kinds.end() || device.size() < kind->place + kind->bytes) return std::nullopt;
  return kind->size(device.read(kind->place, kind->bytes));
}

}  // namespace hrvm::probe
