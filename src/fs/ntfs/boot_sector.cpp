#include "fs/ntfs/boot_sector.hpp"

#include <fmt/core.h>

#include <bit>
#include <cstdint>

#include "fs/ntfs/format.hpp"
#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"

namespace hrvm::fs::ntfs {
namespace {

std::uint64_t cluster_bytes(const BootSector& boot) {
  const unsigned sectors = boot.sectors_per_cluster;
  return boot.sector_bytes * (sectors >= least_power_of_sectors ? 1ull << (256 - sectors) : sectors);
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
