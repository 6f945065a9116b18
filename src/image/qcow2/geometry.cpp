#include "image/qcow2/geometry.hpp"

#include <fmt/core.h>

#include <bit>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"

namespace hrvm::image {

std::string_view word(Compression compression) { return compression == Compression::zlib ? "zlib" : "zstd"; }

ClusterGeometry checked_geometry(const Geometry& geometry) {
  unsigned least = geometry.extended_l2 ? min_extended_cluster_bits : min_cluster_bits;
  auto bits = unsigned(std::countr_zero(geometry.cluster_bytes));
  if (std::has_single_bit(geometry.cluster_bytes) && bits >= least && bits <= max_cluster_bits) {
    return {bits, geometry.extended_l2};
  }
  throw base::Error(base::ErrorKind::usage,
                    fmt::format("qcow2 has no {} clusters of {} bytes", geometry.extended_l2 ? "extended" : "plain",
                                geometry.cluster_bytes))
      .hint(fmt::format("choose a power of two from {} to {}", base::format_bytes(1ull << least),
                        base::format_bytes(1ull << max_cluster_bits)));
}

}  // namespace hrvm::image
