#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/endian.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "image/qcow2/header.hpp"

namespace hrvm::image {
namespace {

using base::Error;
using base::ErrorKind;

constexpr std::size_t version_2_length = offsetof(qcow2::Header, incompatible_features);

struct Feature {
  std::uint64_t bit;
  bool is_read;
  const char* name;
};
// A dirty image has refcounts that may lag behind, a corrupt one was found broken while it was written: both are read.
constexpr std::array incompatible = {
    Feature{qcow2::dirty, true, "dirty bit"},
    Feature{qcow2::corrupt, true, "corrupt bit"},
    Feature{qcow2::external_data_file, false, "external data file"},
    Feature{qcow2::compression_type, true, "compression type"},
    Feature{qcow2::extended_l2, true, "extended L2 entries"},
};

struct Reading {
  block::BlockDevice& file;
  qcow2::Header raw;
  ImageHeader header{};
  std::uint64_t cluster_bytes = 0;   // the first one, as far as the file goes
  std::vector<std::byte> cluster{};  // what was read of it

  // A cluster can have 2 MiB, of which a header mostly has some hundred bytes.
  void need(std::uint64_t end) {
    if (end > cluster.size()) cluster = file.read(0, std::size_t(cluster_bytes));
  }

  Error corrupt(std::string message, std::uint64_t offset) const {
    return Error(ErrorKind::corrupt, std::move(message)).on(file.name()).at(offset);
  }
  Error unsupported(const std::string& what) const {
    return Error(ErrorKind::unsupported, fmt::format("{} uses {}, which hrvm does not read", file.name(), what))
        .on(file.name())
        .hint("convert it with: qemu-img convert -O qcow2 " + base::shell_quote(file.name()) + " NEW.qcow2");
  }
};

qcow2::Header read_fixed(block::BlockDevice& file) {
  std::array<std::byte, sizeof(qcow2::Header)> bytes{};
  if (file.size() < version_2_length) {
    throw Error(ErrorKind::corrupt, fmt::format("{} is too short for a qcow2 header", file.name()))
        .on(file.name())
        .at(0);
  }
  auto there = std::min<std::uint64_t>(file.size(), bytes.size());
  file.read(0, std::span(bytes).first(there));
  return base::load<qcow2::Header>(bytes);
}

void read_version(Reading& r) {
  if (r.raw.magic != qcow2::magic) throw r.corrupt(fmt::format("{} is no qcow2 image", r.file.name()), 0);
  r.header.version = r.raw.version;
  if (r.header.version != 2 && r.header.version != 3) {
    throw r.unsupported(fmt::format("qcow2 version {}", r.header.version));
  }
  r.header.header_length = r.header.version == 2 ? std::uint32_t(version_2_length) : std::uint32_t(r.raw.header_length);
  if (r.header.version == 3 &&
      (r.header.header_length < sizeof(qcow2::Header) || r.file.size() < sizeof(qcow2::Header))) {
    throw r.corrupt("the header says that it is shorter than a header", offsetof(qcow2::Header, header_length));
  }
}

std::string with_doubled_commas(const std::string& text) {
  std::string doubled;
  for (const char c : text) doubled += c == ',' ? ",," : std::string(1, c);
  return doubled;
}

// QEMU wants the passphrase in an object of its own, and with it the image by its options.
std::string decryption(const std::string& image, std::uint32_t method) {
  constexpr std::uint32_t luks = 2;
  const auto options =
      fmt::format("driver=qcow2,encrypt.format={},encrypt.key-secret=key,file.driver=file,file.filename={}",
                  method == luks ? "luks" : "aes", with_doubled_commas(image));
  return fmt::format(
      "write its passphrase into the file PASSPHRASE, without a line's end, and convert it: qemu-img convert --object "
      "secret,id=key,file=PASSPHRASE --image-opts {} -O qcow2 NEW.qcow2",
      base::shell_quote(options));
}

void read_features(Reading& r) {
  if (r.raw.crypt_method != 0) throw r.unsupported("encryption").hint(decryption(r.file.name(), r.raw.crypt_method));
  if (r.header.version == 2) return;
  r.header.incompatible_features = r.raw.incompatible_features;
  r.header.autoclear_features = r.raw.autoclear_features;
  auto left = r.header.incompatible_features;
  for (const auto& feature : incompatible) {
    if ((left & feature.bit) && !feature.is_read) throw r.unsupported(feature.name);
    left &= ~feature.bit;
  }
  if (left != 0) throw r.unsupported(fmt::format("unknown features ({:#x})", left));
}

// A byte that later headers of version 3 have. Its feature bit is set for all but zlib, which older readers know.
void read_compression(Reading& r) {
  const bool has_byte = r.header.version == 3 && r.header.header_length > qcow2::compression_type_offset &&
                        r.cluster.size() > qcow2::compression_type_offset;
  const auto type = has_byte ? std::to_integer<unsigned>(r.cluster[qcow2::compression_type_offset]) : 0;
  if (type > unsigned(Compression::zstd)) throw r.unsupported(fmt::format("compression type {}", type));
  r.header.compression = Compression(type);
  const bool has_bit = r.header.incompatible_features & qcow2::compression_type;
  if (has_bit == (r.header.compression != Compression::zlib)) return;
  throw r.corrupt("the compression type and its feature bit contradict each other", qcow2::compression_type_offset);
}

void read_geometry(Reading& r) {
  auto& geometry = r.header.geometry;
  geometry.cluster_bits = r.raw.cluster_bits;
  geometry.extended_l2 = r.header.incompatible_features & qcow2::extended_l2;
  unsigned least = geometry.extended_l2 ? min_extended_cluster_bits : min_cluster_bits;
  if (geometry.cluster_bits < least || geometry.cluster_bits > max_cluster_bits) {
    throw r.corrupt(fmt::format("the header gives a cluster size of 2^{} bytes", geometry.cluster_bits),
                    offsetof(qcow2::Header, cluster_bits));
  }
  if (r.header.header_length > geometry.cluster_bytes()) {
    throw r.corrupt("the header is longer than a cluster", offsetof(qcow2::Header, header_length));
  }
}

// A table that begins at a cluster and lies in the file.
void check_table(const Reading& r, std::string_view what, std::uint64_t offset, std::uint64_t bytes,
                 std::size_t field) {
  if (bytes == 0) return;
  bool inside = bytes <= r.file.size() && offset <= r.file.size() - bytes;
  if (offset == 0 || r.header.geometry.offset_in_cluster(offset) != 0 || !inside) {
    throw r.corrupt(fmt::format("the {} at {:#x} does not lie in the file", what, offset), field);
  }
}

void read_tables(Reading& r) {
  auto& header = r.header;
  header.virtual_bytes = r.raw.size;
  header.l1_offset = r.raw.l1_table_offset;
  header.l1_entries = r.raw.l1_size;
  if (header.l1_entries > max_l1_bytes / 8)
    throw r.corrupt("the L1 table is too large", offsetof(qcow2::Header, l1_size));
  if (header.geometry.l1_entries(header.virtual_bytes) > header.l1_entries) {
    throw r.corrupt("the L1 table is too small for the disk", offsetof(qcow2::Header, l1_size));
  }
  check_table(r, "L1 table", header.l1_offset, header.l1_entries * 8ull, offsetof(qcow2::Header, l1_table_offset));
  header.refcount_table_offset = r.raw.refcount_table_offset;
  header.refcount_table_clusters = r.raw.refcount_table_clusters;
  header.refcount_order = header.version == 2 ? 4 : std::uint32_t(r.raw.refcount_order);
  if (header.refcount_order > 6) throw r.corrupt("refcounts are too wide", offsetof(qcow2::Header, refcount_order));
  header.snapshots = r.raw.nb_snapshots;
  header.snapshots_offset = r.raw.snapshots_offset;
}

void read_backing_path(Reading& r) {
  std::uint64_t offset = r.raw.backing_file_offset, length = r.raw.backing_file_size;
  if (offset == 0 || length == 0) return;
  if (length > max_backing_path || offset > r.cluster_bytes || length > r.cluster_bytes - offset) {
    throw r.corrupt("the backing file's name does not lie in the first cluster",
                    offsetof(qcow2::Header, backing_file_offset));
  }
  r.need(offset + length);
  std::string path(length, '\0');
  std::transform(r.cluster.begin() + std::ptrdiff_t(offset), r.cluster.begin() + std::ptrdiff_t(offset + length),
                 path.begin(), [](std::byte byte) { return char(byte); });
  if (path.find('\0') != path.npos) throw r.corrupt("the backing file's name holds a NUL", offset);
  r.header.backing_path_offset = offset;
  r.header.backing = BackingReference{std::move(path), ""};
}

void read_extension(Reading& r, std::uint32_t type, std::uint64_t offset, std::size_t length) {
  if (type != qcow2::extension_backing_format) return;
  r.header.backing_format_offset = offset;
  if (!r.header.backing) return;
  auto& format = r.header.backing->format;
  format.clear();
  for (auto byte : std::span(r.cluster).subspan(offset, length)) format += char(byte);
}

void read_extensions(Reading& r) {
  std::uint64_t end = r.header.backing_path_offset ? r.header.backing_path_offset : r.cluster_bytes;
  std::uint64_t offset = r.header.header_length;
  while (offset + sizeof(qcow2::HeaderExtension) <= end) {
    r.need(offset + sizeof(qcow2::HeaderExtension));
    auto extension = base::load<qcow2::HeaderExtension>(r.cluster, offset);
    if (extension.type == qcow2::extension_end) return;
    offset += sizeof extension;
    if (extension.length > end - offset) throw r.corrupt("a header extension does not fit", offset - sizeof extension);
    r.need(offset + extension.length);
    read_extension(r, extension.type, offset, extension.length);
    offset += base::round_up(extension.length, 8);
  }
}

}  // namespace

ImageHeader read_header(block::BlockDevice& file) {
  constexpr std::uint64_t usual_bytes = 4096;
  Reading r{file, read_fixed(file)};
  read_version(r);
  read_features(r);
  read_geometry(r);
  r.cluster_bytes = std::min(file.size(), r.header.geometry.cluster_bytes());
  r.cluster = file.read(0, std::size_t(std::min(r.cluster_bytes, usual_bytes)));
  read_compression(r);
  read_tables(r);
  read_backing_path(r);
  read_extensions(r);
  return r.header;
}

}  // namespace hrvm::image
