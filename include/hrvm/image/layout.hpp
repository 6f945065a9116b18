// What a qcow2 image is made of: how large its clusters are, how they are compressed, what backs it.
#pragma once

#include <cstdint>
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

}  // namespace hrvm::image
