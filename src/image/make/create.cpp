// A new image, in clusters: header, L1 table, refcount table, refcount blocks. All of it is zeros but the beginning of
// the header, of the refcount table and of the blocks, so only these are written and the rest stays a hole.
#include "hrvm/image/create.hpp"

#include <algorithm>

#include "hrvm/sys/files.hpp"
#include "image/make/new_image.hpp"

namespace hrvm::image {
namespace {

struct Plan {
  ImageHeader header;
  std::uint64_t first_block_offset = 0;
  std::uint64_t blocks = 0;
  std::uint64_t clusters = 0;  // in use
};

Plan plan_image(const NewImage& image, const std::string& path) {
  Plan plan{plan_header(image, path)};
  const auto& geometry = plan.header.geometry;
  auto l1_clusters = geometry.clusters(plan.header.l1_entries * 8ull);
  auto space = refcount_space(geometry, 1 + l1_clusters);
  plan.header.l1_offset = l1_clusters ? geometry.cluster_bytes() : 0;
  plan.header.refcount_table_offset = (1 + l1_clusters) << geometry.cluster_bits;
  plan.header.refcount_table_clusters = std::uint32_t(space.table_clusters);
  plan.first_block_offset = plan.header.refcount_table_offset + (space.table_clusters << geometry.cluster_bits);
  plan.blocks = space.blocks;
  plan.clusters = 1 + l1_clusters + space.table_clusters + space.blocks;
  return plan;
}

}  // namespace

void create_qcow2(int fd, const std::string& path, const NewImage& image) {
  auto plan = plan_image(image, path);
  const auto& geometry = plan.header.geometry;
  sys::write_fully(fd, encode_header(plan.header, path), 0, path);
  sys::write_fully(fd, consecutive_entries(geometry, plan.first_block_offset, plan.blocks),
                   plan.header.refcount_table_offset, path);
  // All blocks but the last are full: side by side they are one run of ones.
  sys::write_fully(fd, refcount_block(plan.clusters), plan.first_block_offset, path);
}

}  // namespace hrvm::image
