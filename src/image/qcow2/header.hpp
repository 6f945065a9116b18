// The header of a qcow2 image: read with every field held against the format and the file's size, and written.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hrvm/block/block_device.hpp"
#include "image/qcow2/geometry.hpp"
#include "image/qcow2/inflate.hpp"

namespace hrvm::image {

inline constexpr std::size_t max_backing_path = 1023;

struct ImageHeader {
  unsigned version = 3;
  std::uint32_t header_length = sizeof(qcow2::Header);  // where the extensions begin
  ClusterGeometry geometry;
  std::uint64_t virtual_bytes = 0;
  std::uint64_t l1_offset = 0;
  std::uint32_t l1_entries = 0;
  std::uint64_t refcount_table_offset = 0;
  std::uint32_t refcount_table_clusters = 0;
  unsigned refcount_order = 4;
  std::uint32_t snapshots = 0;
  std::uint64_t snapshots_offset = 0;
  std::uint64_t incompatible_features = 0;
  std::uint64_t autoclear_features = 0;
  Compression compression = Compression::zlib;  // of those clusters that are compressed
  std::uint64_t backing_path_offset = 0;        // 0: no backing file
  std::optional<BackingReference> backing;      // its format is empty where the header does not name one
  std::uint64_t backing_format_offset = 0;      // of that extension's data; 0: there is none
};

// Error{corrupt} for what breaks the format, Error{unsupported} for what is valid but not read here, which it names.
ImageHeader read_header(block::BlockDevice& file);

// The bytes of a version 3 header with its extensions and the backing path, for the beginning of cluster 0. The table
// of feature names is left out where it does not fit. Error{unsupported} when the path does not fit either.
std::vector<std::byte> encode_header(const ImageHeader& header, const std::string& path);

// The fixed part alone.
qcow2::Header fixed_header(const ImageHeader& header);
// An extension with its data padded as the format wants it.
void append_extension(std::vector<std::byte>& bytes, std::uint32_t type, std::string_view data);

}  // namespace hrvm::image
