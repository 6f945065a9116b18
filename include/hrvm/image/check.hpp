// Checking and repairing a qcow2 image: whether every cluster of the file is counted as often as it is used.
//
// References are counted from the header, the L1 and L2 tables, the internal snapshots and their L1 tables, compressed
// clusters, bitmaps and the refcount table itself, and held against the refcounts in the file; the counts agree with
// those of `qemu-img check`. Each L2 table is read once, in order of its place in the file, however many tables lead to
// it.
//
// Memory goes by what is used of the file, never by what its header claims: a byte a cluster in pages of 64 Ki clusters
// (8 bytes in those where a cluster is used more than 15 times), and 16 bytes an L2 table. Pages take at most 256 MiB
// at a time, which is 16 TiB of 64 KiB clusters; what goes beyond is counted in another pass over the tables.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "hrvm/base/finding.hpp"
#include "hrvm/sys/terminal.hpp"

namespace hrvm::image {

struct CheckFinding {
  base::Finding finding;     // a leak is a warning: space is lost, nothing else
  std::uint64_t offset = 0;  // bytes into the file
};

struct CheckResult {
  std::uint64_t errors = 0;  // parts of the metadata that could not be read
  std::uint64_t corruptions = 0, leaks = 0;
  std::uint64_t allocated_clusters = 0, compressed_clusters = 0;  // of the disk as it is now, not of its snapshots
  std::uint64_t total_clusters = 0;                               // of the disk
  std::uint64_t image_end_bytes = 0;                              // where the last cluster in use ends
  std::vector<CheckFinding> findings;                             // the first hundred or so, corruptions before leaks
  std::uint64_t more_findings = 0;                                // those not listed

  bool is_sound() const { return errors == 0 && corruptions == 0; }
};

// Only reads, in a confined process of its own. Error{busy} when somebody writes to the image, {corrupt} or
// {unsupported} when its header cannot be used at all.
// `progress` gets bytes of the file.
CheckResult check_image(const std::filesystem::path& file, const sys::ProgressCallback& progress);

enum class Repair {
  leaks,  // gives back clusters that are counted more often than they are used
  all,  // and raises counts, builds lost refcount blocks anew, sets the flags in the tables right, lets tables and data
        // go that lie outside of the file (what they held reads as zeros), and clears the marks "dirty" and "corrupt"
};

struct RepairResult {
  CheckResult before, after;
};

// Takes QEMU's locks first: Error{busy} when anybody uses the image. What the image shows stays as it is where it could
// be read. A new refcount table is durable before the header names it; every other write puts one number right, so that
// a repair that is killed leaves the image no worse, and can be run again.
RepairResult repair_image(const std::filesystem::path& file, Repair repair, const sys::ProgressCallback& progress);

}  // namespace hrvm::image
