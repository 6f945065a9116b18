// ClusterMap: where an image file stores the pieces of its disk. L1 table in memory, L2 tables in a bounded cache.
#pragma once

#include <cstdint>
#include <list>
#include <unordered_map>
#include <vector>

#include "hrvm/block/block_device.hpp"
#include "image/qcow2/compressed_clusters.hpp"
#include "image/qcow2/header.hpp"
#include "image/qcow2/l2_table.hpp"

namespace hrvm::image {

struct Mapping {
  Stored stored = Stored::nothing;
  std::uint64_t host_offset = 0;  // of data: where it lies in the file; its end may lie behind the file's, as zeros
  std::uint64_t length = 0;       // bytes for which this holds, at least 1
};

class ClusterMap {
 public:
  // Reads the L1 table. `file` must outlive the map.
  ClusterMap(block::BlockDevice& file, const ImageHeader& header);

  // What is stored from `offset` (< virtual size) on: the longest run of the same kind, data also side by side in the
  // file, of at most `limit` bytes. Error{corrupt} for an entry that breaks the format.
  Mapping at(std::uint64_t offset, std::uint64_t limit);

  // Where the compressed cluster is that holds `offset`, for which at() said so.
  CompressedPlace compressed_at(std::uint64_t offset);

  // The L2 table's place in the file; 0 where there is none.
  std::uint64_t l2_offset(std::uint64_t l1_index) const;
  std::uint64_t l1_entry(std::uint64_t l1_index) const { return l1_[l1_index]; }
  const L2Table& l2_table(std::uint64_t l1_index);

 private:
  struct Cached {
    std::uint64_t l1_index;
    L2Table table;
  };
  Mapping table_run(std::uint64_t offset, std::uint64_t limit);
  Mapping unit_run(const L2Table& table, std::uint64_t offset) const;
  Stored unit(const L2Entry& entry, unsigned index, std::uint64_t guest_offset) const;
  void check_data(std::uint64_t host_offset, std::uint64_t guest_offset) const;
  L2Table read_l2(std::uint64_t l1_index) const;

  block::BlockDevice& file_;
  ImageHeader header_;
  std::vector<base::be64> l1_;
  std::list<Cached> recent_;  // the last one used comes first
  std::unordered_map<std::uint64_t, std::list<Cached>::iterator> cache_;
};

}  // namespace hrvm::image
