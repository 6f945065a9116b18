#include "image/qcow2/compressed_clusters.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "hrvm/base/error.hpp"

namespace hrvm::image {

CompressedClusters::CompressedClusters(block::BlockDevice& file, const ImageHeader& header)
    : file_(file), cluster_bytes_(header.geometry.cluster_bytes()), inflater_(header.compression) {}

void CompressedClusters::inflate(const CompressedPlace& place, std::span<std::byte> cluster) {
  const bool inside = place.offset < file_.size();
  packed_.resize(inside ? std::size_t(std::min(place.length, file_.size() - place.offset)) : 0);
  if (inside) file_.read(place.offset, packed_);
  if (inside && inflater_.inflate(packed_, cluster)) return;
  throw base::Error(base::ErrorKind::corrupt,
                    fmt::format("the compressed cluster at {:#x} of {} {}", place.offset, file_.name(),
                                inside ? "does not inflate to a cluster" : "lies behind the end of the file"))
      .on(file_.name())
      .at(place.offset);
}

void CompressedClusters::read(const CompressedPlace& place, std::uint64_t in_cluster, std::span<std::byte> out) {
  if (out.size() == cluster_bytes_) return inflate(place, out);
  if (in_memory_ != place) {
    in_memory_.reset();
    cluster_.resize(std::size_t(cluster_bytes_));
    inflate(place, cluster_);
    in_memory_ = place;
  }
  std::ranges::copy(std::span(cluster_).subspan(std::size_t(in_cluster), out.size()), out.begin());
}

}  // namespace hrvm::image
