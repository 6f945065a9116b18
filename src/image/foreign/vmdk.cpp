// VMDK of one sparse extent: a directory of tables of grains, by 32-bit sectors. Those of stream-optimized ones are
// packed, each behind a marker, and the directory stands where the header's copy at the end of the file says.
#define ZLIB_CONST  // its input is const
#include <zlib.h>

#include <algorithm>
#include <bit>

#include <fmt/core.h>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/block/read_structure.hpp"
#include "hrvm/image/foreign_formats.hpp"
#include "hrvm/image/vmdk_descriptor.hpp"
#include "image/foreign/block_table.hpp"
#include "image/foreign/formats.hpp"

namespace hrvm::image::foreign {
namespace {

constexpr std::uint64_t sector_bytes = 512, largest_grain_sectors = 2 * base::MiB / sector_bytes;
constexpr std::uint64_t largest_disk_sectors = 64 * base::TiB / sector_bytes;
constexpr std::uint32_t has_zeroed_grains = 1u << 2, is_packed = 1u << 16, has_markers = 1u << 17;
constexpr std::uint64_t directory_at_end = ~std::uint64_t(0);
constexpr std::uint32_t zeroed_grain = 1, newest_version = 3;

struct GrainMarker {
  base::le64 lba;
  base::le32 packed_bytes;
};
static_assert(sizeof(GrainMarker) == 12);

class VmdkTable : public BlockTable {
 public:
  VmdkTable(block::BlockDevice& file, const VmdkHeader& header) : file_(file), pages_(file), header_(header) {}

  std::optional<std::uint64_t> find(std::uint64_t number) override {
    const std::uint64_t entries = header_.entries_of_a_table;
    const auto table = entry(header_.directory_lba, number / entries);
    if (table == 0) return std::nullopt;
    const auto grain = entry(table, number % entries);
    if (grain == 0 || (grain == zeroed_grain && (header_.flags & has_zeroed_grains))) return std::nullopt;
    return grain * sector_bytes;
  }

  bool is_plain() const override { return !(header_.flags & is_packed); }

  void unpack(std::uint64_t offset, std::uint64_t number, std::span<std::byte> block) override {
    const auto marker = block::read_structure<GrainMarker>(file_, offset);
    // Deflate makes nothing much larger than it was.
    const bool is_sound = marker && marker->packed_bytes <= 2 * block.size() &&
                          marker->packed_bytes <= file_.size() - offset - sizeof(GrainMarker);
    if (!is_sound) throw corrupt(file_, fmt::format("the packed grain at {} leaves it", offset));
    packed_.resize(marker->packed_bytes);
    file_.read(offset + sizeof(GrainMarker), packed_);
    uLongf length = block.size();
    const int result = uncompress(static_cast<Bytef*>(static_cast<void*>(block.data())), &length,
                                  static_cast<const Bytef*>(static_cast<const void*>(packed_.data())), packed_.size());
    const auto left = header_.capacity_sectors * sector_bytes - number * block.size();
    if (result != Z_OK || length < std::min<std::uint64_t>(left, block.size()))
      throw corrupt(file_, fmt::format("the packed grain at {} does not inflate to a grain", offset));
    std::ranges::fill(block.subspan(length), std::byte{});
  }

 private:
  std::uint64_t entry(std::uint64_t lba, std::uint64_t index) {
    return pages_.load<base::le32>(lba * sector_bytes + index * sizeof(base::le32));
  }

  block::BlockDevice& file_;
  TablePages pages_;
  VmdkHeader header_;
  std::vector<std::byte> packed_;
};

VmdkHeader read_header(block::BlockDevice& file) {
  const auto at = [&](std::uint64_t offset) {
    const auto header = block::read_structure<VmdkHeader>(file, offset);
    if (!header || std::string_view(header->magic.data(), header->magic.size()) != vmdk_magic)
      throw corrupt(file, "it has no header of a sparse VMDK");
    return *header;
  };
  const auto header = at(0);
  if (header.directory_lba != directory_at_end) return header;
  constexpr std::uint64_t footer_to_end = 2 * sector_bytes;  // the marker of the stream's end follows it
  if (file.size() < footer_to_end) throw corrupt(file, "it ends before its footer");
  return at(file.size() - footer_to_end);
}

void check_header(const block::BlockDevice& file, const VmdkHeader& header) {
  if (header.version == 0 || header.version > newest_version)
    throw unsupported(file, fmt::format("a VMDK of version {}", std::uint32_t(header.version)));
  if (std::string_view(header.line_ends.data(), header.line_ends.size()) != "\n \r\n")
    throw corrupt(file, "its line ends were changed: it was copied as if it were a text");
  const std::uint64_t grain = header.grain_sectors, tables = header.entries_of_a_table;
  if (grain == 0 || grain > largest_grain_sectors || !std::has_single_bit(grain) || tables == 0 || tables > 512)
    throw corrupt(file, fmt::format("its grains have {} sectors, its tables {} entries", grain, tables));
  if (header.capacity_sectors == 0 || header.capacity_sectors > largest_disk_sectors)
    throw corrupt(file,
                  fmt::format("its header says that the disk has {} sectors", std::uint64_t(header.capacity_sectors)));
  if (header.directory_lba == 0 || header.directory_lba > file.size() / sector_bytes)
    throw corrupt(file, "its directory of grains leaves it");
  if ((header.flags & is_packed) && (header.compression != 1 || !(header.flags & has_markers)))
    throw unsupported(file, "a VMDK packed by an unknown method");
}

// What it says of itself: of a part of a disk, or of one that lies on another, the rest is elsewhere.
void check_descriptor(block::BlockDevice& file, const VmdkHeader& header) {
  const std::uint64_t lba = header.descriptor_lba, sectors = header.descriptor_sectors;
  if (lba == 0) throw unsupported(file, "a part of a VMDK");
  if (lba > file.size() / sector_bytes || sectors > file.size() / sector_bytes - lba)
    throw corrupt(file, "its descriptor leaves it");
  const auto length = std::min<std::uint64_t>(sectors * sector_bytes, longest_vmdk_descriptor);
  std::string text;
  for (const std::byte byte : file.read(lba * sector_bytes, std::size_t(length))) text += char(byte);
  const auto descriptor = read_vmdk_descriptor(text.substr(0, text.find('\0')));
  if (!descriptor) throw corrupt(file, "it has no descriptor");
  if (descriptor->has_parent) throw unsupported(file, "a VMDK that lies on another");
  if ((descriptor->type != "monolithicSparse" && descriptor->type != "streamOptimized") ||
      descriptor->extents.size() != 1)
    throw unsupported(file, fmt::format("a VMDK of type {}", base::printable(descriptor->type)));
}

}  // namespace

std::unique_ptr<block::BlockDevice> open_vmdk(std::unique_ptr<block::BlockDevice> file) {
  const auto header = read_header(*file);
  check_header(*file, header);
  const auto begin = block::read_structure<VmdkHeader>(*file, 0);
  check_descriptor(*file, *begin);
  auto table = std::make_unique<VmdkTable>(*file, header);
  const Shape shape{ImageFormat::vmdk, header.capacity_sectors * sector_bytes, header.grain_sectors * sector_bytes};
  return mapped_device(std::move(file), shape, std::move(table));
}

}  // namespace hrvm::image::foreign
