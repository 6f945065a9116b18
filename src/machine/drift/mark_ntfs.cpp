// NTFS: the first records of the master file table ($MFT, $LogFile, $Volume with its dirty flag) and the restart pages
// of $LogFile, which each mount writes.
#include <algorithm>

#include "hrvm/base/byte_size.hpp"
#include "machine/drift/disk_structure.hpp"
#include "machine/drift/marks.hpp"

namespace hrvm::machine {
namespace {

struct BootSector {
  std::array<std::byte, 11> jump_and_name;
  base::le16 sector_bytes;
  std::uint8_t sectors_per_cluster;
  std::array<std::byte, 34> unused;
  base::le64 table_cluster;
  std::array<std::byte, 8> mirror_cluster;
  std::int8_t record_size;  // clusters; negative: a power of two of bytes
};
static_assert(offsetof(BootSector, table_cluster) == 48);
static_assert(offsetof(BootSector, record_size) == 64);

struct RecordHeader {
  std::array<std::byte, 20> signature_and_sequence;
  base::le16 first_attribute;
};
struct AttributeHeader {
  base::le32 type;
  base::le32 length;
  std::uint8_t non_resident;
  std::array<std::byte, 23> name_and_range;
  base::le16 runs_offset;
};
static_assert(offsetof(AttributeHeader, runs_offset) == 32);

constexpr std::uint32_t attribute_data = 0x80, attribute_end = 0xffffffff;
constexpr std::uint64_t log_file_record = 2, watched_records = 16, restart_bytes = 8 * base::KiB;
constexpr std::size_t most_attributes = 32;

std::uint64_t record_bytes(const BootSector& boot, std::uint64_t cluster_bytes) {
  const std::uint64_t bytes =
      boot.record_size < 0 ? 1ull << std::min(-boot.record_size, 16) : std::uint64_t(boot.record_size) * cluster_bytes;
  return std::clamp<std::uint64_t>(bytes, 512, 64 * base::KiB);
}

// The cluster at which the first run starts: a byte with both lengths, the run's length, its start, little-endian.
std::optional<std::uint64_t> first_run_cluster(block::BlockDevice& device, std::uint64_t runs) {
  const auto lengths = read_structure<std::uint8_t>(device, runs);
  if (!lengths) return std::nullopt;
  const unsigned length_bytes = *lengths & 15, start_bytes = *lengths >> 4;
  if (length_bytes > 8 || start_bytes == 0 || start_bytes > 8) return std::nullopt;
  std::uint64_t cluster = 0;
  for (unsigned i = 0; i < start_bytes; ++i) {
    const auto byte = read_structure<std::uint8_t>(device, runs + 1 + length_bytes + i);
    if (!byte) return std::nullopt;
    cluster |= std::uint64_t(*byte) << (8 * i);
  }
  return cluster;
}

std::optional<std::uint64_t> data_cluster(block::BlockDevice& device, std::uint64_t record) {
  const auto header = read_structure<RecordHeader>(device, record);
  std::uint64_t at = record + (header ? std::uint64_t(header->first_attribute) : 0);
  for (std::size_t i = 0; i < most_attributes; ++i) {
    const auto attribute = read_structure<AttributeHeader>(device, at);
    if (!attribute || attribute->type == attribute_end || attribute->length == 0) break;
    if (attribute->type == attribute_data && attribute->non_resident)
      return first_run_cluster(device, at + attribute->runs_offset);
    at += attribute->length;
  }
  return std::nullopt;
}

}  // namespace

Look look_at_ntfs(block::BlockDevice& device) {
  Look look{{{0, 8 * base::KiB}}, {}};
  const auto boot = read_structure<BootSector>(device, 0);
  if (!boot) return look;
  const std::uint64_t cluster_bytes = std::uint64_t(boot->sector_bytes) * boot->sectors_per_cluster;
  if (cluster_bytes == 0 || boot->table_cluster > device.size() / cluster_bytes) return look;
  const std::uint64_t table = boot->table_cluster * cluster_bytes, record = record_bytes(*boot, cluster_bytes);
  look.regions.push_back({table, watched_records * record});
  const auto log = data_cluster(device, table + log_file_record * record);
  if (log && *log <= device.size() / cluster_bytes) look.regions.push_back({*log * cluster_bytes, restart_bytes});
  return look;
}

}  // namespace hrvm::machine
