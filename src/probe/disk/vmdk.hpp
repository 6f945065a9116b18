// VMDK, VMware's disk format ("Virtual Disk Format 5.0"): a text, the descriptor, names the extents that hold the data.
// It may be the only file, lie inside of a sparse extent, or stand beside the extents.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hrvm/base/endian.hpp"
#include "hrvm/block/block_device.hpp"
#include "hrvm/probe/disk.hpp"

namespace hrvm::probe {

struct SparseExtentHeader {
  std::array<char, 4> magic;  // "KDMV"
  base::le32 version, flags;
  base::le64 capacity, grain_sectors;
  base::le64 descriptor_lba, descriptor_sectors;  // 0 where the descriptor is a file of its own
  base::le32 entries_of_a_table;
  base::le64 redundant_directory_lba, directory_lba, overhead_sectors;
  std::uint8_t unclean;
  std::array<char, 4> line_ends;
  base::le16 compression;  // 1: deflate, of stream-optimized ones
};
static_assert(sizeof(SparseExtentHeader) == 79 && offsetof(SparseExtentHeader, compression) == 77);

struct VmdkExtent {
  std::string type;  // "FLAT", "VMFS", "SPARSE", …
  std::string file;
  std::uint64_t offset_sectors = 0;
};

struct VmdkDescriptor {
  bool has_parent = false;  // it holds what changed since a snapshot
  std::string parent;       // where that is named
  std::vector<VmdkExtent> extents;
};

// nullopt for a text that is none.
std::optional<VmdkDescriptor> read_vmdk_descriptor(std::string_view text);

std::optional<ForeignFile> find_vmdk(block::BlockDevice& file);
// One of several raw extents, "x-f001.vmdk", which only the descriptor beside it tells from a whole disk.
std::optional<ForeignFile> find_raw_extent(block::BlockDevice& file);

// "x.vmdk" of "x-flat.vmdk", which is a raw disk; empty for other names.
std::string descriptor_of_flat(std::string_view path);

}  // namespace hrvm::probe
