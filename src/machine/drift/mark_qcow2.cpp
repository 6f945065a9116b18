// qcow2: the header cluster, which names backing file and internal snapshots, the L1 table and the refcount table move
// with what is allocated. QEMU's docs/interop/qcow2.txt, section "Header".
#include "hrvm/base/byte_size.hpp"
#include "hrvm/image/qcow2_format.hpp"
#include "machine/drift/disk_structure.hpp"
#include "machine/drift/marks.hpp"

namespace hrvm::machine {

static constexpr unsigned least_cluster_bits = 9, most_cluster_bits = 21;

Look look_at_qcow2(block::BlockDevice& device) {
  Look look{{{0, 64 * base::KiB}}, {}};
  const auto header = read_structure<image::qcow2::Header>(device, 0);
  if (!header) return look;
  const std::uint32_t bits = header->cluster_bits;
  if (bits < least_cluster_bits || bits > most_cluster_bits) return look;
  look.regions.push_back({header->l1_table_offset, std::uint64_t(header->l1_size) * sizeof(base::be64)});
  look.regions.push_back({header->refcount_table_offset, std::uint64_t(header->refcount_table_clusters) << bits});
  return look;
}

}  // namespace hrvm::machine
