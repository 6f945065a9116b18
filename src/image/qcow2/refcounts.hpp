// Refcounts: takes new clusters for an image that is written to (qcow2.txt, "Host cluster management").
//
// New clusters always come from behind everything that is in the file or counted, so nothing that is there can be hit
// by a mistake in the counts. Refcount blocks are made as they are needed, and so is a larger refcount table.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "hrvm/block/block_device.hpp"
#include "image/qcow2/header.hpp"
#include "image/qcow2/writable_file.hpp"

namespace hrvm::image {

class Refcounts {
 public:
  // Reads the table. `file` and `out` are the same file, and must outlive this. Error{corrupt} when the table or a
  // block is not where it says.
  Refcounts(block::BlockDevice& file, const ImageHeader& header, WritableFile& out);

  // `count` new clusters side by side, each counted once: offset of the first. Nothing is written yet.
  std::uint64_t allocate(std::uint64_t count = 1);

  // Where the last cluster that was given ends.
  std::uint64_t end() const { return next_ << geometry_.cluster_bits; }

  // Makes all counts durable, and whatever else was written to the file before: blocks before the table that names
  // them, a new table before the header that names it.
  void commit();

 private:
  using Block = std::vector<std::byte>;

  std::uint64_t per_block() const { return (geometry_.cluster_bytes() * 8) >> order_; }
  bool is_missing(std::uint64_t block) const { return block >= table_.size() || table_[block] == 0; }
  std::uint64_t missing_blocks(std::uint64_t first_cluster, std::uint64_t count) const;
  void add_block(std::uint64_t index, std::uint64_t cluster);
  Block& block(std::uint64_t index);
  void set(std::uint64_t cluster, bool used);
  std::uint64_t count(const Block& block, std::uint64_t index) const;
  std::uint64_t first_free_cluster();
  void release(std::uint64_t offset, std::uint64_t clusters);
  void grow_table(std::uint64_t least_entries);
  void write_blocks();
  void switch_table();
  void write_new_entries();

  block::BlockDevice& file_;
  WritableFile& out_;
  ClusterGeometry geometry_;
  unsigned order_;
  std::uint64_t table_offset_, table_clusters_;
  std::vector<base::be64> table_;
  std::map<std::uint64_t, Block> blocks_;  // those touched
  std::set<std::uint64_t> dirty_;          // blocks to be written
  std::set<std::uint64_t> new_entries_;    // table entries to be written
  bool table_moved_ = false;  // the table in memory lies at new_table_offset_, the header does not say so yet
  std::uint64_t new_table_offset_ = 0;
  std::uint64_t next_ = 0;  // the next cluster to give
};

}  // namespace hrvm::image
