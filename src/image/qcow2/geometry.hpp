// What the cluster size and the kind of L2 entry mean for offsets. Shared by the reader and the writers of qcow2.
#pragma once

#include <cstdint>

#include "hrvm/image/layout.hpp"
#include "hrvm/image/qcow2_format.hpp"

namespace hrvm::image {

inline constexpr unsigned min_cluster_bits = 9, max_cluster_bits = 21, min_extended_cluster_bits = 14;
inline constexpr std::uint64_t max_l1_bytes = 32u << 20;             // QEMU's own limit
inline constexpr std::uint64_t max_refcount_table_bytes = 8u << 20;  // the same

// A unit is the least that an L2 entry can tell apart: a subcluster with extended entries, else a whole cluster.
struct ClusterGeometry {
  unsigned cluster_bits = 16;
  bool extended_l2 = false;

  std::uint64_t cluster_bytes() const { return 1ull << cluster_bits; }
  unsigned units_per_cluster() const { return extended_l2 ? qcow2::subclusters_per_cluster : 1; }
  std::uint64_t unit_bytes() const { return cluster_bytes() / units_per_cluster(); }
  unsigned l2_entry_bytes() const { return extended_l2 ? 16 : 8; }
  std::uint64_t l2_entries() const { return cluster_bytes() / l2_entry_bytes(); }
  std::uint64_t l2_coverage() const { return l2_entries() << cluster_bits; }  // guest bytes that one L2 table maps
  std::uint64_t clusters(std::uint64_t bytes) const {
    return (bytes >> cluster_bits) + (offset_in_cluster(bytes) != 0);
  }
  std::uint64_t l1_entries(std::uint64_t virtual_bytes) const {
    return virtual_bytes / l2_coverage() + (virtual_bytes % l2_coverage() != 0);
  }
  std::uint64_t offset_in_cluster(std::uint64_t offset) const { return offset & (cluster_bytes() - 1); }
};

// The geometry that `geometry` asks for; Error{usage} when qcow2 does not know it.
ClusterGeometry checked_geometry(const Geometry& geometry);

}  // namespace hrvm::image
