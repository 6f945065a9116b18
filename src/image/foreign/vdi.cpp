// VDI: a map of 32-bit numbers of blocks, which lie one after another behind it.
#include <algorithm>

#include <fmt/core.h>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/block/read_structure.hpp"
#include "hrvm/image/foreign_formats.hpp"
#include "image/foreign/block_table.hpp"
#include "image/foreign/formats.hpp"

namespace hrvm::image::foreign {
namespace {

constexpr std::uint32_t sector_bytes = 512, block_bytes = base::MiB;
constexpr std::uint32_t discarded = 0xfffffffe;  // it and the one above it, never written, show zeros

class VdiTable : public BlockTable {
 public:
  VdiTable(block::BlockDevice& file, const VdiHeader& header)
      : pages_(file), map_(header.map_offset), data_(header.data_offset) {}

  std::optional<std::uint64_t> find(std::uint64_t number) override {
    const std::uint32_t entry = pages_.load<base::le32>(map_ + number * sizeof(base::le32));
    if (entry >= discarded) return std::nullopt;
    return data_ + std::uint64_t(entry) * block_bytes;
  }

 private:
  TablePages pages_;
  std::uint64_t map_, data_;
};

bool is_nil(const std::array<std::uint8_t, 16>& id) {
  return std::ranges::all_of(id, [](std::uint8_t byte) { return byte == 0; });
}

// QEMU reads version 1.1 alone, in sectors of 512 bytes and blocks of 1 MiB, as VirtualBox makes them.
void check(const block::BlockDevice& file, const VdiHeader& header) {
  if (header.version != vdi_version)
    throw unsupported(file, fmt::format("a VDI of version {}.{}", header.version >> 16, header.version & 0xffff));
  if (header.type == vdi_differencing || !is_nil(header.link_id) || !is_nil(header.parent_id))
    throw unsupported(file, "a VDI that lies on another");
  if (header.sector_bytes != sector_bytes || header.block_bytes != block_bytes || header.extra_bytes != 0)
    throw unsupported(file, fmt::format("a VDI with blocks of {} bytes and sectors of {}",
                                        std::uint32_t(header.block_bytes), std::uint32_t(header.sector_bytes)));
  if (header.map_offset % sector_bytes != 0 || header.data_offset % sector_bytes != 0)
    throw corrupt(file, "its map or its data do not begin with a sector");
  if (header.disk_bytes == 0 || header.disk_bytes > std::uint64_t(header.blocks) * block_bytes)
    throw corrupt(file, fmt::format("its map has {} blocks, and the disk {} bytes", std::uint32_t(header.blocks),
                                    std::uint64_t(header.disk_bytes)));
  if (header.map_offset + std::uint64_t(header.blocks) * sizeof(base::le32) > file.size())
    throw corrupt(file, "its map leaves it");
}

}  // namespace

std::unique_ptr<block::BlockDevice> open_vdi(std::unique_ptr<block::BlockDevice> file) {
  const auto header = block::read_structure<VdiHeader>(*file, 0);
  if (!header || header->magic != vdi_magic) throw corrupt(*file, "it has no VDI header");
  check(*file, *header);
  auto table = std::make_unique<VdiTable>(*file, *header);
  const Shape shape{ImageFormat::vdi, base::round_up(header->disk_bytes, sector_bytes), block_bytes};
  return mapped_device(std::move(file), shape, std::move(table));
}

}  // namespace hrvm::image::foreign
