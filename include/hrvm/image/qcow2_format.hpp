// qcow2 as it lies on disk: QEMU's docs/interop/qcow2.txt, sections "Header", "Header extensions", "Host cluster
// management", "Cluster mapping" and "Extended L2 Entries". All integers are big-endian.
#pragma once

#include <cstddef>
#include <cstdint>

#include "hrvm/base/endian.hpp"

namespace hrvm::image::qcow2 {

using base::be16;
using base::be32;
using base::be64;

inline constexpr std::uint32_t magic = 0x514649fb;  // "QFI\xfb"

// Header, version 3. A version 2 header ends before incompatible_features.
struct Header {
  be32 magic;
  be32 version;
  be64 backing_file_offset;  // bytes; 0: none
  be32 backing_file_size;    // bytes, at most 1023, no NUL
  be32 cluster_bits;         // 9 to 21; at least 14 with extended L2 entries
  be64 size;                 // virtual, bytes
  be32 crypt_method;
  be32 l1_size;          // entries
  be64 l1_table_offset;  // bytes, cluster aligned
  be64 refcount_table_offset;
  be32 refcount_table_clusters;
  be32 nb_snapshots;
  be64 snapshots_offset;
  be64 incompatible_features;
  be64 compatible_features;
  be64 autoclear_features;
  be32 refcount_order;  // width of a refcount is 1 << order bits; 4 in version 2
  be32 header_length;   // bytes
};
static_assert(sizeof(Header) == 104);
static_assert(offsetof(Header, incompatible_features) == 72);
static_assert(offsetof(Header, header_length) == 100);

// Behind it, where header_length says that it is there: one byte, 0 zlib, 1 zstd.
inline constexpr std::size_t compression_type_offset = 104;

enum IncompatibleFeature : std::uint64_t {
  dirty = 1u << 0,
  corrupt = 1u << 1,
  external_data_file = 1u << 2,
  compression_type = 1u << 3,
  extended_l2 = 1u << 4,
};

struct HeaderExtension {
  be32 type;
  be32 length;  // of the data that follows, padded to 8 bytes
};
static_assert(sizeof(HeaderExtension) == 8);

// Of an internal snapshot; extra data, id and name follow, padded to 8 bytes.
struct SnapshotHeader {
  be64 l1_table_offset;
  be32 l1_size;      // entries
  be16 id_str_size;  // bytes
  be16 name_size;
  be32 date_sec;  // since 1970
  be32 date_nsec;
  be64 vm_clock_nsec;
  be32 vm_state_size;    // bytes; the first 8 bytes of the extra data are a wider field for it
  be32 extra_data_size;  // bytes
};
static_assert(sizeof(SnapshotHeader) == 40);
static_assert(offsetof(SnapshotHeader, vm_state_size) == 32);

inline constexpr std::uint32_t extension_end = 0;
inline constexpr std::uint32_t extension_backing_format = 0xe2792aca;
inline constexpr std::uint32_t extension_feature_names = 0x6803f857;
inline constexpr std::uint32_t extension_data_file = 0x44415441;

// L1 and standard L2 entries.
inline constexpr std::uint64_t copied = 1ull << 63;  // refcount is exactly 1: may be written in place
inline constexpr std::uint64_t compressed = 1ull << 62;
inline constexpr std::uint64_t offset_mask = 0x00fffffffffffe00ull;
inline constexpr std::uint64_t all_zero = 1ull << 0;                          // not with extended L2 entries
inline constexpr std::uint64_t reserved_in_standard = 0x3f000000000001feull;  // bits that a standard entry leaves 0

// Extended L2 entries are 16 bytes: descriptor and bitmap, bit n: subcluster n allocated, bit 32 + n: reads as zeros.
inline constexpr unsigned subclusters_per_cluster = 32;
inline constexpr std::uint64_t stored_subclusters = 0x00000000ffffffffull;
inline constexpr std::uint64_t zero_subclusters = stored_subclusters << subclusters_per_cluster;

// In the descriptor of a compressed cluster the bits below `compressed` are its offset in the file and, above that, how
// many sectors follow the one that it begins in.
inline constexpr unsigned compressed_bits = 62;
inline constexpr std::uint64_t compressed_sector_bytes = 512;
}  // namespace hrvm::image::qcow2
