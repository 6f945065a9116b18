// FlatLayout: where things lie in a qcow2 image that is written from its beginning to its end. Data come in the order
// of the guest; L2 tables follow in runs, the refcounts come last. What was interrupted has no header and is no image.
// Memory: the L1 table (32 MiB at most), 4 MiB of L2 tables; with compressed clusters also 2 bytes for each cluster.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hrvm/block/output_file.hpp"
#include "image/qcow2/header.hpp"
#include "image/qcow2/l2_table.hpp"

namespace hrvm::image {

class FlatLayout {
 public:
  // `out` must outlive this.
  FlatLayout(block::OutputFile& out, ImageHeader header);

  const ClusterGeometry& geometry() const { return header_.geometry; }

  // Takes the next cluster of the file for the guest's cluster at `guest_offset`, which comes behind all before it.
  // `units` says which of its units are stored. Where the cluster lies.
  std::uint64_t place_cluster(std::uint64_t guest_offset, std::uint32_t units);
  // The same for a compressed one of `length` bytes, which come right behind the last compressed one if they can.
  std::uint64_t place_compressed(std::uint64_t guest_offset, std::uint64_t length);
  // The same for clusters side by side, of which all units are stored and share what lies at `from`. False, and nothing
  // is taken, when the filesystem cannot.
  bool clone(std::uint64_t guest_offset, std::uint64_t length, const block::RawLocation& from);

  // Once all is placed: tables, refcounts and header. `path` is for messages.
  void finish(const std::string& path);

 private:
  struct Table {
    std::uint64_t l1_index;
    L2Table entries;
  };

  std::uint64_t take_clusters(std::uint64_t count);
  void count_stream(std::uint64_t offset, std::uint64_t length);
  void set_entry(std::uint64_t guest_offset, const L2Entry& entry);
  void write_tables();
  void write_refcounts();

  block::OutputFile& out_;
  ImageHeader header_;
  std::vector<base::be64> l1_;
  std::vector<Table> tables_;          // not written yet, the one that is being filled last
  std::vector<std::uint16_t> counts_;  // of clusters with compressed data, 0 elsewhere; as long as needed
  std::uint64_t clusters_ = 0;         // in use so far
  std::uint64_t compressed_end_ = 0;   // of the last compressed cluster, in bytes
  std::uint64_t reserved_bytes_ = 0;
};

}  // namespace hrvm::image
