// CheckLog: what a check found, each kind with its words, counted in full and listed up to a bound.
#pragma once

#include <cstdint>
#include <string>

#include "hrvm/image/check.hpp"

namespace hrvm::image {

enum class Trouble {
  leak,
  refcount_too_low,
  refcount_overflow,
  copied_flag,
  outside,
  table_unaligned,
  data_unaligned,
  reserved_bits,
  compressed_flags,
  subclusters,
  block_entry,
  block_shared,
  snapshot,
  snapshot_lost,
  snapshots_outside,
  bitmap,
  tables_overlap,
  unreadable,
};

// What to type where no repair helps.
std::string way_out(const std::string& image);

class CheckLog {
 public:
  explicit CheckLog(std::string image) : image_(std::move(image)) {}

  // `times` it counts; `offset` is where in the file it lies; `a` and `b` are what the kind's words speak of.
  void note(Trouble trouble, std::uint64_t times, std::uint64_t offset, std::uint64_t a = 0, std::uint64_t b = 0);
  // A mark in the header that says something of the image and counts as nothing.
  void warn(std::string id, std::uint64_t offset, std::string message);

  CheckResult& result() { return result_; }
  // Refcounts that are too low, or in blocks that cannot be trusted: where there are none, the others tell what the
  // "copied" flags have to be.
  std::uint64_t wrong_counts() const { return wrong_counts_; }
  // The first report of what could not be followed: what it leads to was not counted, and is not free. Empty where
  // all was seen.
  const std::string& lost_sight_of() const { return lost_sight_of_; }
  // Whether snapshots have descriptions that can be put right.
  bool has_damaged_snapshots() const { return has_damaged_snapshots_; }
  // Corruptions before leaks.
  CheckResult finish() &&;

 private:
  std::string image_;
  CheckResult result_;
  std::vector<CheckFinding> warnings_;
  std::uint64_t wrong_counts_ = 0;
  std::string lost_sight_of_;
  bool has_damaged_snapshots_ = false;
};

}  // namespace hrvm::image
