// What a check makes of persistent dirty bitmaps: qcow2.txt, "Bitmaps extension" and "Bitmap directory".
#include <algorithm>

#include "hrvm/base/byte_size.hpp"
#include "image/check/walk.hpp"

namespace hrvm::image {
namespace {

using base::be16;
using base::be32;
using base::be64;

constexpr std::uint32_t extension_bitmaps = 0x23852875;
constexpr std::uint64_t bitmaps_are_valid = 1;  // autoclear feature bit
constexpr std::uint64_t table_entry_reserved = 0xff000000000001fe;
// QEMU's limits, all of them.
constexpr std::uint64_t most_directory_bytes = 64u << 20, most_table_entries = 8u << 20;
constexpr std::uint64_t most_bitmap_bytes = 512u << 20;
constexpr std::uint32_t most_bitmaps = 65535, most_name = 1023;
constexpr unsigned least_granularity_bits = 9, most_granularity_bits = 31;
constexpr std::uint8_t dirty_tracking = 1;
constexpr std::uint32_t reserved_flags = 0xfffffffc;
constexpr std::uint64_t all_ones = 1;  // in a table entry that leads nowhere

struct BitmapsExtension {
  be32 bitmaps, reserved;
  be64 directory_size, directory_offset;
};
static_assert(sizeof(BitmapsExtension) == 24);

struct BitmapEntry {
  be64 table_offset;
  be32 table_size;  // entries
  be32 flags;
  std::uint8_t type, granularity_bits;
  be16 name_size;
  be32 extra_size;
};
static_assert(sizeof(BitmapEntry) == 24);

std::optional<BitmapsExtension> find_extension(block::BlockDevice& file, const ImageHeader& header) {
  const auto end = std::min(file.size(), header.geometry.cluster_bytes());
  std::uint64_t offset = header.header_length;
  while (offset + sizeof(qcow2::HeaderExtension) <= end) {
    const auto extension = base::load<qcow2::HeaderExtension>(file.read(offset, sizeof(qcow2::HeaderExtension)));
    offset += sizeof extension;
    if (extension.type == qcow2::extension_end || extension.length > end - offset) return std::nullopt;
    if (extension.type == extension_bitmaps && extension.length >= sizeof(BitmapsExtension))
      return base::load<BitmapsExtension>(file.read(offset, sizeof(BitmapsExtension)));
    offset += base::round_up(extension.length, 8);
  }
  return std::nullopt;
}

bool is_readable(const BitmapsExtension& extension, const ClusterGeometry& geometry) {
  return extension.reserved == 0 && extension.bitmaps != 0 && extension.bitmaps <= most_bitmaps &&
         extension.directory_size != 0 && extension.directory_size <= most_directory_bytes &&
         geometry.offset_in_cluster(extension.directory_offset) == 0;
}

bool is_readable(const BitmapEntry& entry, const ClusterGeometry& geometry) {
  return entry.type == dirty_tracking && (entry.flags & reserved_flags) == 0 && entry.extra_size == 0 &&
         entry.granularity_bits >= least_granularity_bits && entry.granularity_bits <= most_granularity_bits &&
         entry.name_size != 0 && entry.name_size <= most_name && entry.table_offset != 0 &&
         geometry.offset_in_cluster(entry.table_offset) == 0 && entry.table_size != 0 &&
         entry.table_size <= most_table_entries && entry.table_size * geometry.cluster_bytes() <= most_bitmap_bytes;
}

bool is_sane_table_entry(std::uint64_t entry, const ClusterGeometry& geometry) {
  const auto offset = entry & qcow2::offset_mask;
  return (entry & table_entry_reserved) == 0 && geometry.offset_in_cluster(offset) == 0 &&
         (offset == 0 || !(entry & all_ones));
}

}  // namespace

// What QEMU does not read is reported as a whole: it does not open such an image either, or gives its check up.
void CheckWalk::walk_bitmaps() {
  if (header_.version < 3 || !(header_.autoclear_features & bitmaps_are_valid)) return;
  const auto found = find_extension(file_, header_);
  if (!found) return;
  const std::uint64_t begin = found->directory_offset, bytes = found->directory_size;
  if (!is_readable(*found, geometry_) || begin > file_.size() || bytes > file_.size() - begin)
    return note(Trouble::bitmap, 1, begin);
  count_region(begin, begin, bytes);
  std::vector<std::byte> directory(bytes);
  if (!try_read(begin, directory)) return note(Trouble::unreadable, 1, begin, 0, bytes);
  std::uint64_t at = 0;
  for (std::uint32_t i = 0; i < found->bitmaps; ++i) {
    if (bytes - std::min(at, bytes) < sizeof(BitmapEntry)) return note(Trouble::bitmap, 1, begin + at);
    const auto entry = base::load<BitmapEntry>(directory, at);
    if (!is_readable(entry, geometry_)) return note(Trouble::bitmap, 1, begin + at);
    walk_bitmap_table(entry.table_offset, entry.table_size);
    at = base::round_up(at + sizeof entry + entry.name_size, 8);
  }
  if (at < bytes) note(Trouble::bitmap, 1, begin + at);
}

void CheckWalk::walk_bitmap_table(std::uint64_t offset, std::uint64_t entries) {
  const auto bytes = entries * sizeof(be64);
  if (!count_region(offset, offset, bytes) || !may_read_table(offset, bytes)) return;
  const auto table = read_entries(offset, entries);
  for (std::uint64_t i = 0; i < entries; ++i) {
    const auto place = offset + i * sizeof(be64);
    const auto cluster = table[i] & qcow2::offset_mask;
    if (!is_sane_table_entry(table[i], geometry_))
      note(Trouble::reserved_bits, 1, place, table[i]);
    else if (cluster != 0)
      count_region(place, cluster, geometry_.cluster_bytes());
  }
}

}  // namespace hrvm::image
