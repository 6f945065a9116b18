// NTFS: the first records of the master file table ($MFT, $LogFile, $Volume with its dirty flag) and the restart pages
// of $LogFile, which each mount writes.
#include <fmt/core.h>

#include <algorithm>
#include <iterator>

#include "fs/crc32c.hpp"
#include "fs/look_at.hpp"
#include "fs/ntfs/format.hpp"
#include "hrvm/base/byte_size.hpp"
#include "hrvm/block/read_structure.hpp"

namespace hrvm::fs {
namespace {

constexpr std::uint64_t watched_records = 16, restart_bytes = 8 * base::KiB;
constexpr std::size_t most_attributes = 32;

std::uint64_t record_bytes(const ntfs::BootSector& boot, std::uint64_t cluster_bytes) {
  const std::uint64_t bytes =
      boot.record_size < 0 ? 1ull << std::min(-boot.record_size, 16) : std::uint64_t(boot.record_size) * cluster_bytes;
  return std::clamp<std::uint64_t>(bytes, 512, 64 * base::KiB);
}

// The cluster at which the first run starts: a byte with both lengths, the run's length, its start, little-endian.
std::optional<std::uint64_t> first_run_cluster(block::BlockDevice& device, std::uint64_t runs) {
  const auto lengths = block::read_structure<std::uint8_t>(device, runs);
  if (!lengths) return std::nullopt;
  const unsigned length_bytes = *lengths & 15, start_bytes = *lengths >> 4;
  if (length_bytes > 8 || start_bytes == 0 || start_bytes > 8) return std::nullopt;
  std::uint64_t cluster = 0;
  for (unsigned i = 0; i < start_bytes; ++i) {
    const auto byte = block::read_structure<std::uint8_t>(device, runs + 1 + length_bytes + i);
    if (!byte) return std::nullopt;
    cluster |= std::uint64_t(*byte) << (8 * i);
  }
  return cluster;
}

std::optional<std::uint64_t> data_cluster(block::BlockDevice& device, std::uint64_t record) {
  const auto header = block::read_structure<ntfs::RecordHeader>(device, record);
  std::uint64_t at = record + (header ? std::uint64_t(header->first_attribute) : 0);
  for (std::size_t i = 0; i < most_attributes; ++i) {
    const auto attribute = block::read_structure<ntfs::NonResidentAttribute>(device, at);
    if (!attribute || attribute->header.type == ntfs::attribute_end || attribute->header.length == 0) break;
    if (attribute->header.type == ntfs::attribute_data && attribute->header.non_resident)
      return first_run_cluster(device, at + attribute->runs_offset);
    at += attribute->header.length;
  }
  return std::nullopt;
}

// Where the table's first records and the log's restart pages lie, by this size of clusters.
std::vector<block::Region> moving_regions(block::BlockDevice& device, const ntfs::BootSector& boot,
                                          std::uint64_t cluster_bytes) {
  if (cluster_bytes == 0 || boot.table_cluster > device.size() / cluster_bytes) return {};
  const std::uint64_t table = boot.table_cluster * cluster_bytes, record = record_bytes(boot, cluster_bytes);
  std::vector<block::Region> regions{{table, watched_records * record}};
  const auto log = data_cluster(device, table + ntfs::log_file_record * record);
  if (log && *log <= device.size() / cluster_bytes) regions.push_back({*log * cluster_bytes, restart_bytes});
  return regions;
}

std::uint32_t sum_of(block::BlockDevice& device, const std::vector<block::Region>& regions) {
  std::uint32_t crc = ~0u;
  for (const auto& [offset, length] : regions) {
    const auto start = std::min(offset, device.size());
    crc = crc32c(crc, device.read(start, std::size_t(std::min(length, device.size() - start))));
  }
  return ~crc;
}

}  // namespace

block::Look look_at_ntfs(block::BlockDevice& device) {
  block::Look look{{{0, 8 * base::KiB}}, {}};
  const auto boot = block::read_structure<ntfs::BootSector>(device, 0);
  if (!boot) return look;
  // Clusters above 64 KiB say their size in another way, which an earlier release took for a number of sectors. What it
  // took its mark over stays; what lies where it should have looked is told before that (machine/fingerprint.hpp).
  const unsigned sectors = boot->sectors_per_cluster;
  std::ranges::copy(moving_regions(device, *boot, std::uint64_t(boot->sector_bytes) * sectors),
                    std::back_inserter(look.regions));
  if (sectors >= ntfs::least_power_of_sectors) {
    const auto cluster_bytes = std::uint64_t(boot->sector_bytes) << (256 - sectors);
    look.text = fmt::format("table {:08x}", sum_of(device, moving_regions(device, *boot, cluster_bytes)));
  }
  return look;
}

}  // namespace hrvm::fs
