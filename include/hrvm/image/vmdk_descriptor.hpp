// The text of a VMDK ("Virtual Disk Format 5.0"), which names the extents that hold the data. It may be the only file,
// lie inside of a sparse extent, or stand beside the extents.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hrvm/base/byte_size.hpp"

namespace hrvm::image {

inline constexpr std::string_view vmdk_descriptor_begin = "# Disk DescriptorFile";
inline constexpr std::size_t longest_vmdk_descriptor = 64 * base::KiB;

struct VmdkExtent {
  std::string type;  // "FLAT", "VMFS", "SPARSE", …
  std::string file;
  std::uint64_t sectors = 0, offset_sectors = 0;
};

struct VmdkDescriptor {
  std::string type;         // "monolithicSparse", …
  bool has_parent = false;  // it holds what changed since a snapshot
  std::string parent;       // where that is named
  std::vector<VmdkExtent> extents;
};

// nullopt for a text that is none.
std::optional<VmdkDescriptor> read_vmdk_descriptor(std::string_view text);

}  // namespace hrvm::image
