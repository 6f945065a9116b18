// What every new qcow2 image has, wherever its tables end up: the checked request as a header.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "hrvm/image/create.hpp"
#include "image/qcow2/header.hpp"

namespace hrvm::image {

// Geometry, sizes and backing of the new image, with no table placed yet. Errors as create_qcow2 promises.
ImageHeader plan_header(const NewImage& image, const std::string& path);

// Refcounts of 16 bits, which is what hrvm gives its images.
inline constexpr unsigned new_refcount_order = 4;
inline std::uint64_t refcounts_per_block(const ClusterGeometry& geometry) { return geometry.cluster_bytes() / 2; }

struct RefcountSpace {
  std::uint64_t table_clusters = 0, blocks = 0;
};
// What it takes to count `clusters` clusters and the refcount table and blocks themselves.
RefcountSpace refcount_space(const ClusterGeometry& geometry, std::uint64_t clusters);

// A refcount block whose first `count` clusters are in use once, the others not at all.
std::vector<std::byte> refcount_block(std::uint64_t count);
// `count` table entries for clusters that lie side by side from `offset` on.
std::vector<std::byte> consecutive_entries(const ClusterGeometry& geometry, std::uint64_t offset, std::uint64_t count);

}  // namespace hrvm::image
