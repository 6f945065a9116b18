// VHDX, [MS-VHDX] 2: two headers, two copies of a table of regions, metadata, and the table of blocks (BAT), in which
// an entry for the bitmap of sectors follows those of each chunk.
#include <bit>
#include <string_view>

#include <fmt/core.h>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/crc32.hpp"
#include "hrvm/base/guid.hpp"
#include "hrvm/block/read_structure.hpp"
#include "hrvm/image/foreign_formats.hpp"
#include "image/foreign/block_table.hpp"
#include "image/foreign/formats.hpp"

namespace hrvm::image::foreign {
namespace {

using Id = std::array<std::uint8_t, 16>;

constexpr std::uint64_t header_places[] = {64 * base::KiB, 128 * base::KiB};
constexpr std::uint64_t region_places[] = {192 * base::KiB, 256 * base::KiB};
constexpr std::size_t header_bytes = 4 * base::KiB, table_bytes = 64 * base::KiB, checksum_place = 4;
constexpr unsigned most_entries = 2047;
constexpr std::uint32_t sector_bytes = 512;

// 2.2.2
struct Header {
  std::array<char, 4> signature;  // "head"
  base::le32 checksum;
  base::le64 sequence;
  Id file_write_id, data_write_id, log_id;
  base::le16 log_version, version;
  base::le32 log_bytes;
  base::le64 log_offset;
};
static_assert(sizeof(Header) == 80);

// 2.3.1.1: begins each entry of the log.
struct LogEntry {
  std::array<char, 4> signature;  // "loge"
  base::le32 checksum, bytes, tail;
  base::le64 sequence;
  base::le32 descriptors, reserved;
  Id log_id;
};
static_assert(sizeof(LogEntry) == 48);

// 2.2.3
struct RegionTable {
  std::array<char, 4> signature;  // "regi"
  base::le32 checksum, entries, reserved;
};
struct Region {
  Id id;
  base::le64 offset;
  base::le32 bytes, required;
};
static_assert(sizeof(RegionTable) == 16 && sizeof(Region) == 32);

// 2.6.1
struct MetadataTable {
  std::array<char, 8> signature;  // "metadata"
  base::le16 reserved, entries;
  std::array<base::le32, 5> more;
};
struct MetadataItem {
  Id id;
  base::le32 offset, bytes;  // the first from the region's begin on
  base::le32 flags, more;
};
static_assert(sizeof(MetadataTable) == 32 && sizeof(MetadataItem) == 32);

struct FileParameters {
  base::le32 block_bytes, flags;
};

constexpr std::uint32_t item_is_required = 4, region_is_required = 1, has_parent = 2;
constexpr std::string_view bat_region = "2dc27766-f623-4200-9d64-115e9bfd4a08",
                           metadata_region = "8b7ca206-4790-4b9a-b8fe-575f050f886e",
                           file_parameters = "caa16737-fa36-4d43-b3b6-33f0aa44e76b",
                           virtual_disk_size = "2fa54224-cd1b-4876-b211-5dbed83bf4b8",
                           logical_sector_size = "8141bf1d-a96f-4709-ba47-f233a8faab5f",
                           physical_sector_size = "cda348c7-445d-4471-9cc9-e9885251c556",
                           disk_id = "beca12ab-b2e6-4523-93ef-c309e000c746";

std::string text(const Id& id) { return base::Guid::from_mixed_endian(std::as_bytes(std::span(id))).text(); }

// Its checksum counts as zeros.
bool is_sound(std::vector<std::byte> bytes) {
  const std::uint32_t checksum = base::load<base::le32>(bytes, checksum_place);
  base::store(std::span(bytes), checksum_place, base::le32(0));
  return ~base::crc32_register<base::CrcPolynomial::castagnoli>(~0u, bytes) == checksum;
}

std::optional<std::vector<std::byte>> read_sound(block::BlockDevice& file, std::uint64_t offset, std::size_t length,
                                                 std::string_view signature) {
  if (file.size() < offset + length) return std::nullopt;
  auto bytes = file.read(offset, length);
  for (std::size_t i = 0; i < signature.size(); ++i)
    if (char(bytes[i]) != signature[i]) return std::nullopt;
  return is_sound(bytes) ? std::optional(std::move(bytes)) : std::nullopt;
}

// Entries of an earlier log, with another id, do not count (2.3.3).
bool is_log_empty(block::BlockDevice& file, const Header& header) {
  constexpr std::uint64_t sector = 4 * base::KiB, largest_log = 64 * base::MiB;
  if (header.log_id == Id{}) return true;
  if (header.log_bytes > largest_log || header.log_offset > file.size() ||
      header.log_bytes > file.size() - header.log_offset)
    throw corrupt(file, "its log leaves it");
  for (std::uint64_t at = 0; at + sector <= header.log_bytes; at += sector) {
    const auto entry = block::read_structure<LogEntry>(file, header.log_offset + at);
    if (entry && std::string_view(entry->signature.data(), 4) == "loge" && entry->log_id == header.log_id) return false;
  }
  return true;
}

// The current one has the higher sequence number. While its log is not empty, what the file holds is not what it shows.
void check_header(block::BlockDevice& file) {
  std::optional<Header> current;
  for (const auto place : header_places)
    if (const auto bytes = read_sound(file, place, header_bytes, "head")) {
      const auto header = base::load<Header>(*bytes);
      if (!current || header.sequence > current->sequence) current = header;
    }
  if (!current) throw corrupt(file, "neither of its headers is sound");
  if (current->version != 1)
    throw unsupported(file, fmt::format("a VHDX of version {}", std::uint16_t(current->version)));
  if (!is_log_empty(file, *current))
    throw unsupported(file, "a VHDX that was not closed: its log holds what was not written into it yet");
}

struct Regions {
  std::optional<Region> bat, metadata;
};

Regions read_regions(block::BlockDevice& file) {
  for (const auto place : region_places) {
    const auto bytes = read_sound(file, place, table_bytes, "regi");
    if (!bytes) continue;
    const std::uint32_t entries = base::load<RegionTable>(*bytes).entries;
    if (entries > most_entries) throw corrupt(file, fmt::format("its table has {} regions", entries));
    Regions regions;
    for (std::uint32_t i = 0; i < entries; ++i) {
      const auto region = base::load<Region>(*bytes, sizeof(RegionTable) + i * sizeof(Region));
      const auto id = text(region.id);
      if (id == bat_region)
        regions.bat = region;
      else if (id == metadata_region)
        regions.metadata = region;
      else if (region.required & region_is_required)
        throw unsupported(file, "a VHDX with a region of an unknown kind, " + id);
    }
    for (const auto& region : {regions.bat, regions.metadata}) {
      if (!region) throw corrupt(file, "its table names no region of blocks, or none of metadata");
      if (region->offset % base::MiB != 0 || region->offset > file.size() ||
          region->bytes > file.size() - region->offset)
        throw corrupt(file, "a region leaves it");
    }
    return regions;
  }
  throw corrupt(file, "neither table of its regions is sound");
}

struct Metadata {
  std::optional<FileParameters> parameters;
  std::optional<base::le64> disk_bytes;
  std::optional<base::le32> logical_sector;
};

template <typename T>
void take(block::BlockDevice& file, const Region& region, const MetadataItem& item, std::optional<T>& value) {
  if (item.bytes < sizeof(T) || item.offset > region.bytes || sizeof(T) > region.bytes - item.offset)
    throw corrupt(file, "its metadata lead out of their region");
  value = block::read_structure<T>(file, region.offset + item.offset);
}

Metadata read_metadata(block::BlockDevice& file, const Region& region) {
  const auto table = block::read_structure<MetadataTable>(file, region.offset);
  if (!table || region.bytes < table_bytes || table->entries > most_entries ||
      std::string_view(table->signature.data(), table->signature.size()) != "metadata")
    throw corrupt(file, "its region of metadata has no table");
  Metadata found;
  for (unsigned i = 0; i < table->entries; ++i) {
    const auto item =
        block::read_structure<MetadataItem>(file, region.offset + sizeof(MetadataTable) + i * sizeof(MetadataItem));
    if (!item) throw corrupt(file, "its table of metadata leaves it");
    const auto id = text(item->id);
    if (id == file_parameters)
      take(file, region, *item, found.parameters);
    else if (id == virtual_disk_size)
      take(file, region, *item, found.disk_bytes);
    else if (id == logical_sector_size)
      take(file, region, *item, found.logical_sector);
    else if (id != physical_sector_size && id != disk_id && (item->flags & item_is_required))
      throw unsupported(file, "a VHDX with metadata of an unknown kind, " + id);
  }
  if (!found.parameters || !found.disk_bytes || !found.logical_sector)
    throw corrupt(file, "its metadata do not say how large the disk, its blocks and its sectors are");
  return found;
}

class VhdxTable : public BlockTable {
 public:
  VhdxTable(block::BlockDevice& file, std::uint64_t offset, std::uint64_t blocks_in_chunk)
      : pages_(file), offset_(offset), blocks_in_chunk_(blocks_in_chunk) {}

  std::optional<std::uint64_t> find(std::uint64_t number) override {
    constexpr std::uint64_t state_bits = 7, fully_present = 6;
    const auto index = number + number / blocks_in_chunk_;
    const std::uint64_t entry = pages_.load<base::le64>(offset_ + index * sizeof(base::le64));
    if ((entry & state_bits) != fully_present) return std::nullopt;
    return base::round_down(entry, base::MiB);
  }

 private:
  TablePages pages_;
  std::uint64_t offset_, blocks_in_chunk_;
};

}  // namespace

std::unique_ptr<block::BlockDevice> open_vhdx(std::unique_ptr<block::BlockDevice> file) {
  check_header(*file);
  const auto regions = read_regions(*file);
  const auto metadata = read_metadata(*file, *regions.metadata);
  const std::uint64_t block_bytes = metadata.parameters->block_bytes, disk_bytes = *metadata.disk_bytes;
  constexpr std::uint64_t sectors_of_a_bitmap = 8 * base::MiB, largest_disk = 64 * base::TiB;
  if (metadata.parameters->flags & has_parent) throw unsupported(*file, "a VHDX that lies on another");
  if (*metadata.logical_sector != sector_bytes)
    throw unsupported(*file, fmt::format("a VHDX with sectors of {} bytes", std::uint32_t(*metadata.logical_sector)));
  if (block_bytes < base::MiB || block_bytes > 256 * base::MiB || !std::has_single_bit(block_bytes))
    throw corrupt(*file, fmt::format("its blocks have {} bytes", block_bytes));
  if (disk_bytes == 0 || disk_bytes > largest_disk || disk_bytes % sector_bytes != 0)
    throw corrupt(*file, fmt::format("its metadata say that the disk has {} bytes", disk_bytes));
  const auto blocks_in_chunk = sectors_of_a_bitmap * sector_bytes / block_bytes;
  const auto blocks = base::round_up(disk_bytes, block_bytes) / block_bytes;
  if ((blocks + (blocks - 1) / blocks_in_chunk) * sizeof(base::le64) > regions.bat->bytes)
    throw corrupt(*file, fmt::format("its table has no room for {} blocks", blocks));
  auto table = std::make_unique<VhdxTable>(*file, regions.bat->offset, blocks_in_chunk);
  return mapped_device(std::move(file), {ImageFormat::vhdx, disk_bytes, block_bytes}, std::move(table));
}

}  // namespace hrvm::image::foreign
