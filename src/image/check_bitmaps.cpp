// What a check makes of persistent dirty bitmaps: qcow2.txt, "Bitmaps extension" and "Bitmap directory".
#include "check_walk.hpp"
#include "hrvm/base/byte_size.hpp"

namespace hrvm::image {
namespace {

using base::be16;
using base::be32;
using base::be64;

constexpr std::uint32_t extension_bitmaps = 0x23852875;
constexpr std::uint64_t bitmaps_are_valid = 1;  // autoclear feature bit
constexpr std::uint64_t table_entry_reserved = 0xff000000000001fe;
constexpr std::uint64_t most_directory_bytes = 64u << 20, most_table_entries = 8u << 20;

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

}  // namespace

void CheckWalk::walk_bitmaps() {
  if (header_.version < 3 || !(header_.autoclear_features & bitmaps_are_valid)) return;
  const auto found = find_extension(file_, header_);
  if (!found || found->bitmaps == 0) return;
  const std::uint64_t begin = found->directory_offset, bytes = found->directory_size;
  if (bytes > most_directory_bytes || begin > file_.size() || bytes > file_.size() - begin)
    return note(Trouble::bitmap, 1, begin);
  count_region(begin, begin, bytes);
  std::vector<std::byte> directory(bytes);
  if (!try_read(begin, directory)) return note(Trouble::unreadable, 1, begin, 0, bytes);
  std::uint64_t at = 0;
  for (std::uint32_t i = 0; i < found->bitmaps; ++i) {
    if (at + sizeof(BitmapEntry) > bytes) return note(Trouble::bitmap, 1, begin + at);
    const auto entry = base::load<BitmapEntry>(directory, at);
    if (entry.table_size > most_table_entries)
      note(Trouble::bitmap, 1, begin + at);
    else
      walk_bitmap_table(entry.table_offset, entry.table_size);
    at = base::round_up(at + sizeof entry + entry.extra_size + entry.name_size, 8);
  }
}

void CheckWalk::walk_bitmap_table(std::uint64_t offset, std::uint64_t entries) {
  const auto bytes = entries * sizeof(be64);
  if (!count_region(offset, offset, bytes) || !may_read_table(offset, bytes)) return;
  const auto table = read_entries(offset, entries);
  for (std::uint64_t i = 0; i < entries; ++i) {
    const auto place = offset + i * sizeof(be64);
    if (table[i] & table_entry_reserved) {
      note(Trouble::reserved_bits, 1, place, table[i]);
      continue;
    }
    const auto cluster = table[i] & qcow2::offset_mask;
    if (cluster != 0) count_region(place, cluster, geometry_.cluster_bytes());
  }
}

}  // namespace hrvm::image
