#include "fs/ntfs/boot_sector.hpp"

#include <fmt/core.h>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/endian.hpp"
#include "hrvm/base/error.hpp"

namespace hrvm::fs::ntfs {
namespace {

struct BootSector {
  std::array<std::byte, 11> jump_and_name;
  base::le16 sector_bytes;
  std::uint8_t sectors_per_cluster;  // from 0xf4 on the power of two that it is, negative
  std::array<std::byte, 34> unused;
  base::le64 table_cluster, mirror_cluster;
  std::int8_t record_size;  // clusters; negative: the power of two of its bytes
  std::array<std::byte, 3> reserved;
  std::int8_t index_record_size;
};
static_assert(offsetof(BootSector, table_cluster) == 48);
static_assert(offsetof(BootSector, record_size) == 64);
static_assert(offsetof(BootSector, index_record_size) == 68);

std::uint64_t cluster_bytes(const BootSector& boot) {
  const unsigned sectors = boot.sectors_per_cluster;
  return boot.sector_bytes * (sectors >= 0xf4 ? 1ull << (256 - sectors) : sectors);
}

bool is_record(std::int8_t size, std::uint64_t cluster) {
  if (size < -16) return false;
  const std::uint64_t bytes = size < 0 ? 1ull << -size : std::uint64_t(size) * cluster;
  return std::has_single_bit(bytes) && bytes >= 512 && bytes <= 64 * base::KiB;
}

}  // namespace

void check_boot_sector(block::BlockDevice& device) {
  const auto broken = [&](std::string_view what) {
    return base::Error(base::ErrorKind::corrupt,
                       fmt::format("cannot open the NTFS filesystem on {}: {}", device.name(), what))
        .on(device.name());
  };
  if (device.size() < 512) throw broken("it is shorter than a boot sector");
  const auto boot = base::load<BootSector>(device.read(0, 512));
  const std::uint16_t sector = boot.sector_bytes;
  const auto cluster = cluster_bytes(boot);
  if (!std::has_single_bit(sector) || sector < 256 || sector > 4096) throw broken("its sectors have no sensible size");
  if (!std::has_single_bit(cluster) || cluster > 2 * base::MiB) throw broken("its clusters have no sensible size");
  if (!is_record(boot.record_size, cluster) || !is_record(boot.index_record_size, cluster))
    throw broken("its records have no sensible size");
}

}  // namespace hrvm::fs::ntfs
