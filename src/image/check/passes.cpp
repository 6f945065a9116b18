#include "image/check/passes.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "hrvm/base/error.hpp"
#include "image/qcow2/refcount_block.hpp"

namespace hrvm::image {
namespace {

// Clusters side by side whose counts are wrong in one way are reported as one.
class DifferenceRuns {
 public:
  DifferenceRuns(CheckLog& log, unsigned cluster_bits) : log_(log), cluster_bits_(cluster_bits) {}

  void add(const ClusterCount& next) {
    if (length_ != 0 && next.cluster == run_.cluster + length_ && next.recorded == run_.recorded &&
        next.used == run_.used) {
      ++length_;
      return;
    }
    end();
    run_ = next;
    length_ = 1;
  }
  void end() {
    const auto trouble = run_.recorded > run_.used ? Trouble::leak : Trouble::refcount_too_low;
    log_.note(trouble, length_, run_.cluster << cluster_bits_, run_.recorded, run_.used);
    length_ = 0;
  }

 private:
  CheckLog& log_;
  unsigned cluster_bits_;
  ClusterCount run_{};
  std::uint64_t length_ = 0;
};

// The most uses of a cluster that has more than a refcount can say; 0: there is none.
std::uint64_t compare(const block::BlockDevice& file, const ImageHeader& header, const ReferenceCounts& counts,
                      CheckLog& log) {
  const auto bits = header.geometry.cluster_bits;
  const auto most = most_references(header.refcount_order);
  const auto clusters = header.geometry.clusters(file.size());
  std::uint64_t most_uses = 0;
  DifferenceRuns runs(log, bits);
  counts.visit_differences([&](ClusterCount found) {
    if (found.cluster >= clusters && found.used == 0) return;
    if (found.used > most) {
      most_uses = std::max<std::uint64_t>(most_uses, found.used);
      log.note(Trouble::refcount_overflow, found.used - most, found.cluster << bits, found.used, most);
      found.used = std::uint32_t(most);
    }
    if (found.used != found.recorded) runs.add(found);
  });
  runs.end();
  auto& end = log.result().image_end_bytes;
  if (const auto last = counts.last_in_use()) end = std::max(end, (*last + 1) << bits);
  return most_uses;
}

void tell_marks(const ImageHeader& header, CheckLog& log) {
  constexpr auto place = offsetof(qcow2::Header, incompatible_features);
  if (header.incompatible_features & qcow2::dirty)
    log.warn("marked-dirty", place, "the image was not closed properly: its refcounts may lag behind");
  if (header.incompatible_features & qcow2::corrupt)
    log.warn("marked-corrupt", place, "the image is marked corrupt: QEMU does not write to it");
}

Examination passes(block::BlockDevice& file, const ImageHeader& header, const WalkTask& task,
                   const AfterPass& after_pass, std::uint64_t limit) {
  CheckLog log(file.name());
  log.result().total_clusters = header.geometry.clusters(header.virtual_bytes);
  ReferenceCounts counts(header.geometry.clusters(file.size()) + 1, limit);
  CheckWalk walk(file, header, counts, log, task);
  walk.run(true);
  std::uint64_t most_uses = 0;
  for (;;) {
    if (task.with_refcount_structure) most_uses = std::max(most_uses, compare(file, header, counts, log));
    if (after_pass) after_pass(walk, counts);
    if (!counts.has_put_off()) break;
    counts.next_pass();
    walk.run(false);
  }
  tell_marks(header, log);
  Examination found{
      {}, walk.needs_rebuild(), log.lost_sight_of(), log.has_damaged_snapshots(), log.wrong_counts(), most_uses};
  found.result = std::move(log).finish();
  return found;
}

void check_size(const block::BlockDevice& file, const ImageHeader& header) {
  if (header.geometry.clusters(file.size()) < most_checked_clusters) return;
  throw base::Error(base::ErrorKind::unsupported,
                    fmt::format("{} has more clusters than hrvm checks (2^36)", file.name()))
      .on(file.name())
      .hint("convert it to larger clusters");
}

}  // namespace

Examination run_passes(block::BlockDevice& file, const ImageHeader& header, const WalkTask& task,
                       const AfterPass& after_pass, std::uint64_t page_bytes) {
  check_size(file, header);
  try {
    return passes(file, header, task, after_pass, page_bytes);
  } catch (const CountsFull&) {
    return passes(file, header, task, after_pass, ReferenceCounts::small_page_bytes);
  }
}

}  // namespace hrvm::image
