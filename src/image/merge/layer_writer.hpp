// LayerWriter: adds clusters to a qcow2 image in an order that survives a crash at any instant.
//
// What add_* and put_table are given becomes visible in the image with publish: first data, new L2 tables and refcounts
// are durable, then the entries that lead to them are written. An entry is never changed but from "nothing stored" to
// what the image already shows there, so entries may reach the disk in any order.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "image/merge/data_mover.hpp"
#include "image/qcow2/header.hpp"
#include "image/qcow2/l2_table.hpp"
#include "image/qcow2/refcounts.hpp"
#include "image/qcow2/writable_file.hpp"

namespace hrvm::image {

class LayerWriter {
 public:
  // `file` and `out` are the same file and must outlive this.
  LayerWriter(block::BlockDevice& file, const ImageHeader& header, WritableFile& out);

  std::uint64_t allocate_cluster() { return refcounts_.allocate(); }
  // [offset, offset + length) of `from`, zeros behind its end, goes to `host_offset`: written by the time of publish.
  void copy_data(block::SharedSource& from, std::uint64_t offset, std::uint64_t length, std::uint64_t host_offset);

  // Takes the changed L2 table that lies at `offset`, its entries [first, last] being new; it is written by publish.
  void put_table(std::uint64_t offset, const L2Table& table, std::uint64_t first, std::uint64_t last);
  // The same for a table that L1 entry `l1_index` does not lead to yet: where it will lie.
  std::uint64_t add_table(std::uint64_t l1_index, const L2Table& table);

  // Whether enough has come together for publish to be worth its syncs.
  bool is_full() const;
  // Makes all of it visible. The entries themselves are durable with the next publish or finish.
  void publish();
  void finish();

 private:
  struct Change {
    std::uint64_t offset;
    std::vector<std::byte> bytes;
  };

  ImageHeader header_;
  WritableFile& out_;
  Refcounts refcounts_;
  std::vector<Change> new_tables_, pointers_;
  std::uint64_t data_bytes_ = 0, table_bytes_ = 0;  // since the last publish
  DataMover data_;
};

}  // namespace hrvm::image
