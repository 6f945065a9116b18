#include <fmt/core.h>

#include <array>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/endian.hpp"
#include "hrvm/base/error.hpp"
#include "image/qcow2/header.hpp"

namespace hrvm::image {
namespace {

using base::Error;
using base::ErrorKind;

struct FeatureName {
  std::uint8_t type;  // 0 incompatible, 1 compatible, 2 autoclear
  std::uint8_t bit;
  std::string_view text;
};
// So that a QEMU which lacks one of these can tell its user which.
constexpr std::array<FeatureName, 8> feature_names = {{
    {0, 0, "dirty bit"},
    {0, 1, "corrupt bit"},
    {0, 2, "external data file"},
    {0, 3, "compression type"},
    {0, 4, "extended L2 entries"},
    {1, 0, "lazy refcounts"},
    {2, 0, "bitmaps"},
    {2, 1, "raw external data"},
}};
constexpr std::size_t feature_name_bytes = 48;

std::string feature_name_table() {
  std::string table;
  for (const auto& feature : feature_names) {
    std::string entry{char(feature.type), char(feature.bit)};
    entry += feature.text;
    entry.resize(feature_name_bytes, '\0');
    table += entry;
  }
  return table;
}

void append(std::vector<std::byte>& bytes, std::string_view text) {
  for (char c : text) bytes.push_back(std::byte(c));
}

template <typename T>
void append_struct(std::vector<std::byte>& bytes, const T& value) {
  bytes.resize(bytes.size() + sizeof value);
  base::store(bytes, bytes.size() - sizeof value, value);
}

// One byte says how clusters are compressed, unless that is by zlib, which readers of shorter headers know as well.
std::size_t header_length(const ImageHeader& header) {
  return sizeof(qcow2::Header) + (header.compression == Compression::zlib ? 0 : sizeof(base::be64));
}

std::vector<std::byte> encode(const ImageHeader& header, bool with_feature_names) {
  std::vector<std::byte> bytes;
  append_struct(bytes, fixed_header(header));
  if (header.compression != Compression::zlib) append(bytes, std::string{char(header.compression)});
  bytes.resize(header_length(header));
  // The backing format comes first: it then lies in the first sector with the header, and both can be switched at once.
  if (header.backing) append_extension(bytes, qcow2::extension_backing_format, header.backing->format);
  if (with_feature_names) append_extension(bytes, qcow2::extension_feature_names, feature_name_table());
  append_extension(bytes, qcow2::extension_end, "");
  if (!header.backing) return bytes;
  auto raw = fixed_header(header);
  raw.backing_file_offset = bytes.size();
  raw.backing_file_size = std::uint32_t(header.backing->path.size());
  base::store(bytes, 0, raw);
  append(bytes, header.backing->path);
  return bytes;
}

}  // namespace

qcow2::Header fixed_header(const ImageHeader& header) {
  qcow2::Header raw;
  raw.magic = qcow2::magic;
  raw.version = header.version;
  raw.cluster_bits = header.geometry.cluster_bits;
  raw.size = header.virtual_bytes;
  raw.l1_size = header.l1_entries;
  raw.l1_table_offset = header.l1_offset;
  raw.refcount_table_offset = header.refcount_table_offset;
  raw.refcount_table_clusters = header.refcount_table_clusters;
  if (header.geometry.extended_l2) raw.incompatible_features = qcow2::extended_l2;
  if (header.compression != Compression::zlib) {
    raw.incompatible_features = raw.incompatible_features | qcow2::compression_type;
  }
  raw.refcount_order = header.refcount_order;
  raw.header_length = std::uint32_t(header_length(header));
  return raw;
}

void append_extension(std::vector<std::byte>& bytes, std::uint32_t type, std::string_view data) {
  append_struct(bytes, qcow2::HeaderExtension{type, std::uint32_t(data.size())});
  append(bytes, data);
  bytes.resize(base::round_up(bytes.size(), 8));
}

std::vector<std::byte> encode_header(const ImageHeader& header, const std::string& path) {
  for (bool with_feature_names : {true, false}) {
    auto bytes = encode(header, with_feature_names);
    if (bytes.size() <= header.geometry.cluster_bytes()) return bytes;
  }
  throw Error(ErrorKind::unsupported,
              fmt::format("the backing file's name ({} bytes) does not fit into the header cluster of {}",
                          header.backing->path.size(), path))
      .on(path)
      .hint("use larger clusters, or a shorter path");
}

}  // namespace hrvm::image
