// Writes new, empty qcow2 images: the layers of a machine.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hrvm::image {

struct BackingReference {
  std::string path;    // as it goes into the header: relative to the image's folder, or absolute; at most 1023 bytes
  std::string format;  // "raw" or "qcow2": recorded, so that nobody probes
};

// Extended L2 entries split a cluster into 32 subclusters: with 128 KiB clusters a 4 KiB write allocates 4 KiB, where
// the usual 64 KiB clusters take 64 KiB.
struct Geometry {
  std::uint32_t cluster_bytes = 128 * 1024;
  bool extended_l2 = true;

  static Geometry classic() { return {64 * 1024, false}; }  // read by every QEMU since 1.1
};

// How clusters are compressed, where they are.
enum class Compression {
  zlib,  // a raw deflate stream; read by every QEMU
  zstd,  // read by QEMU since 5.1
};
std::string_view word(Compression compression);

struct NewImage {
  std::uint64_t virtual_bytes = 0;  // a multiple of 512
  Geometry geometry;
  std::optional<BackingReference> backing;
};

// Writes header, refcounts and an empty L1 table into the empty file behind `fd` (version 3; check clean). Does not
// sync. `path` is for messages. Error{usage} for geometry qcow2 does not know, Error{unsupported} for sizes beyond its
// L1 limit.
void create_qcow2(int fd, const std::string& path, const NewImage& image);

}  // namespace hrvm::image
