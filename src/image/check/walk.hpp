// CheckWalk: goes over all that an image's metadata leads to, counts it, and reports (or sets right) what cannot be.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "hrvm/base/endian.hpp"
#include "hrvm/block/block_device.hpp"
#include "hrvm/sys/terminal.hpp"
#include "image/check/counts.hpp"
#include "image/check/log.hpp"
#include "image/qcow2/header.hpp"
#include "image/qcow2/l2_table.hpp"
#include "image/qcow2/writable_file.hpp"

namespace hrvm::image {

// What a walk does besides counting. With nothing to write to it only reads.
struct WalkTask {
  WritableFile* out = nullptr;
  sys::ProgressCallback progress = [](std::uint64_t) {};  // gets how far it is in the file, bytes
  bool fix_entries = false;                               // those that lead nowhere, or say what cannot be
  bool fix_copied = false;                                // sets the flags by what is recorded
  bool with_refcount_structure = true;  // counts refcount table and blocks, and reads what they record
};

class CheckWalk {
 public:
  // All must outlive this. `counts` has one cluster more than the file.
  CheckWalk(block::BlockDevice& file, const ImageHeader& header, ReferenceCounts& counts, CheckLog& log,
            const WalkTask& task);

  // One pass over everything. What does not depend on counts is noted in the first one only.
  void run(bool is_first);

  // Refcount blocks that a repair cannot write to: lost, outside, or used by others as well.
  bool needs_rebuild() const { return needs_rebuild_; }
  const std::vector<base::be64>& refcount_table() const { return table_; }

 private:
  struct L2Place {
    std::uint64_t offset;
    std::uint32_t active, all;  // entries that lead here: of the active L1 table, of any
  };
  using Entries = std::vector<base::be64>;

  void note(Trouble trouble, std::uint64_t times, std::uint64_t offset, std::uint64_t a = 0, std::uint64_t b = 0);
  bool is_outside(std::uint64_t offset, std::uint64_t length) const;
  bool count_region(std::uint64_t entry_offset, std::uint64_t offset, std::uint64_t length, std::uint32_t times = 1);
  bool may_read_table(std::uint64_t offset, std::uint64_t bytes);
  bool try_read(std::uint64_t offset, std::span<std::byte> out);
  Entries read_entries(std::uint64_t offset, std::uint64_t count);
  void write_entry(std::uint64_t offset, std::uint64_t value);

  void load_recorded();
  void load_block(std::uint64_t index, std::uint64_t offset, std::span<std::byte> buffer);
  void count_blocks();
  void count_block(std::uint64_t index, std::uint64_t offset, std::uint32_t same);
  void note_bad_block(std::uint64_t index);

  void walk_snapshots(std::uint64_t table_offset, std::uint32_t snapshots);
  void walk_l1(std::uint64_t offset, std::uint64_t entries, bool active);
  void visit_l1_entry(std::uint64_t place, std::uint64_t entry, bool active);
  void merge_places();
  void walk_l2_tables();
  void walk_run(std::span<const L2Place> run);
  void walk_l2(const L2Place& place, std::span<std::byte> table);

  struct Entry : L2Entry {
    std::uint64_t place = 0;  // where in the file it lies
  };
  void visit_entry(const L2Place& at, Entry& entry);
  void visit_compressed(const L2Place& at, Entry& entry);
  void visit_unallocated(const L2Place& at, Entry& entry);
  void visit_standard(const L2Place& at, Entry& entry);
  bool is_sane(const L2Place& at, Entry& entry);
  void check_copied(const L2Place& at, Entry& entry);
  void make_zero(Entry& entry) const;

  void walk_bitmaps();
  void walk_bitmap_table(std::uint64_t offset, std::uint64_t entries);

  block::BlockDevice& file_;
  const ImageHeader& header_;
  const ClusterGeometry& geometry_;
  ReferenceCounts& counts_;
  CheckLog& log_;
  WalkTask task_;
  bool is_first_ = true, needs_rebuild_ = false;
  std::vector<base::be64> table_;
  std::vector<L2Place> places_;
  std::size_t merged_ = 0;
  std::uint64_t table_bytes_ = 0;  // of all that were walked
  std::vector<std::byte> run_buffer_;
};

}  // namespace hrvm::image
