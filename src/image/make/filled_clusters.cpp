#include "image/make/filled_clusters.hpp"

#include "hrvm/block/copy.hpp"

namespace hrvm::image {
namespace {

std::uint32_t filled_units(std::span<const std::byte> cluster, const ClusterGeometry& geometry) {
  std::uint32_t units = 0;
  for (unsigned i = 0; i < geometry.units_per_cluster(); ++i) {
    auto unit = cluster.subspan(std::size_t(i * geometry.unit_bytes()), std::size_t(geometry.unit_bytes()));
    if (!block::is_zero(unit)) units |= 1u << i;
  }
  return units;
}

}  // namespace

std::vector<FilledCluster> read_filled_clusters(block::SharedSource& source, const block::Chunk& chunk,
                                                const ClusterGeometry& geometry, std::span<std::byte> buffer) {
  std::vector<FilledCluster> filled;
  for (const auto& run : read_chunk(source, chunk, geometry.cluster_bytes(), buffer)) {
    for (auto at = run.offset; at < run.end(); at += geometry.cluster_bytes()) {
      auto units = filled_units(buffer.subspan(std::size_t(at), std::size_t(geometry.cluster_bytes())), geometry);
      if (units != 0) filled.push_back({at, units});
    }
  }
  return filled;
}

}  // namespace hrvm::image
