// qcow2: the header cluster, which names backing file and internal snapshots, the L1 table and the refcount table move
// with what is allocated. QEMU's docs/interop/qcow2.txt, section "Header".
#include "hrvm/image/mark.hpp"
#include "hrvm/base/byte_size.hpp"
#include "hrvm/block/read_structure.hpp"
#include "hrvm/image/qcow2_format.hpp"

namespace hrvm::image {

static constexpr unsigned least_cluster_bits = 9, most_cluster_bits = 21;

block::Look look_at_qcow2(block::BlockDevice& device) {
  block::Look look{{{0, 64 * base::KiB}}, {}};
  const auto header = block::read_structure<qcow2::Header>(device, 0);
  if (!header) return look;
  const std::uint32_t bits = header->cluster_bits;
  if (bits < least_cluster_bits || bits > most_cluster_bits) return look;
  look.regions.push_back({header->l1_table_offset, std::uint64_t(header->l1_size) * sizeof(base::be64)});
  look.regions.push_back({header->refcount_table_offset, std::uint64_t(header->refcount_table_clusters) << bits});
  return look;
}

}  // namespace hrvm::image
