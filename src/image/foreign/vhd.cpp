// VHD: fixed ones are a raw disk with a footer behind it; those that grow have a table of 32-bit sectors, at each of
// which a bitmap of the block's sectors and then the block lie.
#include <bit>
#include <span>
#include <string_view>

#include <fmt/core.h>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/block/read_structure.hpp"
#include "hrvm/image/foreign_formats.hpp"
#include "image/foreign/block_table.hpp"
#include "image/foreign/formats.hpp"

namespace hrvm::image {
namespace {

constexpr std::uint32_t sector_bytes = 512;

std::uint64_t bytes_of_cylinders(const VhdFooter& footer) {
  return std::uint64_t(footer.cylinders) * footer.heads * footer.sectors * sector_bytes;
}

bool has_cookie(const VhdFooter& footer) {
  return std::string_view(footer.cookie.data(), footer.cookie.size()) == vhd_cookie;
}

}  // namespace

std::optional<VhdFooter> find_vhd_footer(block::BlockDevice& file) {
  const auto first = block::read_structure<VhdFooter>(file, 0);
  if (!first || (has_cookie(*first) && first->type != vhd_fixed)) return first;
  const auto end = file.size() - sizeof(VhdFooter);
  auto last = block::read_structure<VhdFooter>(file, end);
  if (!last || !is_sound(*last) || (last->type == vhd_fixed && last->current_bytes != end)) return std::nullopt;
  return last;
}

bool is_sound(const VhdFooter& footer) {
  auto unsummed = footer;
  unsummed.checksum = 0;
  std::uint32_t sum = 0;
  for (const std::byte byte : std::as_bytes(std::span(&unsummed, 1))) sum += std::uint32_t(byte);
  return has_cookie(footer) && ~sum == footer.checksum;
}

// These makers' sizes QEMU believes; of all others it counts cylinders, unless there are as many as can be.
bool is_taken_whole(const VhdFooter& footer) {
  using namespace std::string_view_literals;
  const std::string_view creator(footer.creator.data(), footer.creator.size());
  for (const auto maker : {"win "sv, "qem2"sv, "d2v "sv, "tap\0"sv, "CTXS"sv, "wa\0\0"sv})
    if (creator == maker) return true;
  const bool is_full = footer.cylinders == 65535 && footer.heads == 16 && footer.sectors == 255;
  return is_full || bytes_of_cylinders(footer) == footer.current_bytes;
}

namespace foreign {
namespace {

constexpr std::uint32_t unused = 0xffffffff;

struct DynamicHeader {
  std::array<char, 8> cookie;  // "cxsparse"
  base::be64 next;
  base::be64 table_offset;
  base::be32 version, entries, block_bytes, checksum;
  std::array<std::byte, 984> rest;
};
static_assert(sizeof(DynamicHeader) == 1024);

class FixedTable : public BlockTable {
 public:
  std::optional<std::uint64_t> find(std::uint64_t) override { return 0; }
};

class DynamicTable : public BlockTable {
 public:
  DynamicTable(block::BlockDevice& file, const DynamicHeader& header)
      : pages_(file),
        table_(header.table_offset),
        bitmap_bytes_(base::round_up(header.block_bytes / sector_bytes / 8, sector_bytes)) {}

  // A sector that its bitmap leaves out shows zeros; QEMU takes what lies there, and so do we: who writes a block for
  // the first time fills it with zeros.
  std::optional<std::uint64_t> find(std::uint64_t number) override {
    const std::uint32_t entry = pages_.load<base::be32>(table_ + number * sizeof(base::be32));
    if (entry == unused) return std::nullopt;
    return std::uint64_t(entry) * sector_bytes + bitmap_bytes_;
  }

 private:
  TablePages pages_;
  std::uint64_t table_, bitmap_bytes_;
};

void check_size(const block::BlockDevice& file, const VhdFooter& footer) {
  if (footer.current_bytes == 0 || footer.current_bytes % sector_bytes != 0)
    throw corrupt(file, fmt::format("its footer says that the disk has {} bytes", std::uint64_t(footer.current_bytes)));
  if (!is_taken_whole(footer))
    throw unsupported(file, fmt::format("a VHD of {} bytes, of which QEMU would show {}",
                                        std::uint64_t(footer.current_bytes), bytes_of_cylinders(footer)));
}

std::unique_ptr<block::BlockDevice> open_fixed(std::unique_ptr<block::BlockDevice> file, const VhdFooter& footer) {
  check_size(*file, footer);
  return mapped_device(std::move(file), {ImageFormat::vpc, footer.current_bytes, footer.current_bytes},
                       std::make_unique<FixedTable>());
}

std::unique_ptr<block::BlockDevice> open_dynamic(std::unique_ptr<block::BlockDevice> file, const VhdFooter& footer) {
  check_size(*file, footer);
  const auto header = block::read_structure<DynamicHeader>(*file, footer.header_offset);
  if (!header || std::string_view(header->cookie.data(), header->cookie.size()) != "cxsparse")
    throw corrupt(*file, "its footer leads to no header");
  const std::uint64_t block_bytes = header->block_bytes, entries = header->entries, table = header->table_offset;
  if (block_bytes < sector_bytes || !std::has_single_bit(block_bytes))
    throw corrupt(*file, fmt::format("its blocks have {} bytes", block_bytes));
  if (footer.current_bytes > entries * block_bytes)
    throw corrupt(*file, fmt::format("its table has {} blocks, and the disk {} bytes", entries,
                                     std::uint64_t(footer.current_bytes)));
  if (table % sector_bytes != 0 || table > file->size() || entries * sizeof(base::be32) > file->size() - table)
    throw corrupt(*file, "its table leaves it");
  auto blocks = std::make_unique<DynamicTable>(*file, *header);
  return mapped_device(std::move(file), {ImageFormat::vpc, footer.current_bytes, block_bytes}, std::move(blocks));
}

}  // namespace

std::unique_ptr<block::BlockDevice> open_vhd(std::unique_ptr<block::BlockDevice> file) {
  const auto footer = find_vhd_footer(*file);
  if (!footer || !is_sound(*footer)) throw corrupt(*file, "it has no sound footer of a VHD");
  switch (footer->type) {
    case vhd_fixed:
      return open_fixed(std::move(file), *footer);
    case vhd_dynamic:
      return open_dynamic(std::move(file), *footer);
    default:
      throw unsupported(*file, "a VHD that lies on another");
  }
}

}  // namespace foreign
}  // namespace hrvm::image
