#include "image/merge/merge_images.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "hrvm/base/error.hpp"
#include "image/merge/backing_switch.hpp"
#include "image/merge/layer_writer.hpp"
#include "image/qcow2/cluster_map.hpp"

namespace hrvm::image {
namespace {

// What one cluster of the child gains: bit n is its unit n.
struct ClusterGain {
  std::uint32_t data = 0, zero = 0;
  bool is_empty() const { return (data | zero) == 0; }
};

// An L2 table of the child and what was changed in it.
struct TableEdit {
  std::uint64_t l1_index;
  std::uint64_t offset;  // 0: not in the file yet
  L2Table table;
  std::optional<std::uint64_t> first = std::nullopt;  // of the changed entries
  std::uint64_t last = 0;

  void set(std::uint64_t index, const L2Entry& entry) {
    table.set_entry(index, entry);
    first = first.value_or(index);
    last = index;
  }
};

class Merge {
 public:
  Merge(ParentView& parent, block::BlockDevice& child, const ImageHeader& header, WritableFile& out)
      : parent_(parent),
        header_(header),
        geometry_(header.geometry),
        name_(child.name()),
        map_(child, header),
        writer_(child, header, out) {}

  void run(const sys::ProgressCallback& progress) {
    for (std::uint64_t i = 0; i * geometry_.l2_coverage() < header_.virtual_bytes; ++i) {
      merge_table(i, progress);
      progress(std::min((i + 1) * geometry_.l2_coverage(), header_.virtual_bytes));
    }
    writer_.finish();
  }

 private:
  void merge_table(std::uint64_t l1_index, const sys::ProgressCallback& progress);
  void take_over(TableEdit& edit);
  ClusterGain plan_cluster(const L2Entry& entry, std::uint64_t offset);
  L2Entry apply(const ClusterGain& gain, const L2Entry& entry, std::uint64_t offset);
  L2Entry with_cluster(const L2Entry& entry);
  void copy_units(std::uint32_t units, std::uint64_t host_offset, std::uint64_t offset);
  void check_copied(std::uint64_t entry) const;

  ParentView& parent_;
  const ImageHeader& header_;
  const ClusterGeometry& geometry_;
  std::string name_;
  ClusterMap map_;
  LayerWriter writer_;
};

// A table or cluster that something else refers to as well must not be written in place.
void Merge::check_copied(std::uint64_t entry) const {
  if (entry & qcow2::copied) return;
  throw base::Error(base::ErrorKind::corrupt, fmt::format("{} shares clusters without having snapshots", name_))
      .on(name_)
      .hint("run: qemu-img check -r all");
}

ClusterGain Merge::plan_cluster(const L2Entry& entry, std::uint64_t offset) {
  ClusterGain gain;
  for (unsigned i = 0; i < geometry_.units_per_cluster(); ++i) {
    auto at = offset + i * geometry_.unit_bytes();
    if (at >= header_.virtual_bytes) break;
    if (entry.unit(geometry_, i) != Stored::nothing) continue;
    auto found = parent_.gain(at, std::min(geometry_.unit_bytes(), header_.virtual_bytes - at));
    if (found == Gain::data) gain.data |= 1u << i;
    if (found == Gain::zero) gain.zero |= 1u << i;
  }
  return gain;
}

L2Entry Merge::with_cluster(const L2Entry& entry) {
  if (entry.host_offset() != 0) {
    check_copied(entry.descriptor);
    return entry;
  }
  return {writer_.allocate_cluster() | qcow2::copied, entry.bitmap};
}

void Merge::copy_units(std::uint32_t units, std::uint64_t host_offset, std::uint64_t offset) {
  for (const auto& run : unit_runs(units)) {
    auto at = run.first * geometry_.unit_bytes(), length = run.count * geometry_.unit_bytes();
    writer_.copy_data(parent_.shown(offset + at, length), offset + at, length, host_offset + at);
  }
}

L2Entry Merge::apply(const ClusterGain& gain, const L2Entry& entry, std::uint64_t offset) {
  if (!geometry_.extended_l2 && gain.zero) return {qcow2::all_zero, 0};
  auto result = gain.data ? with_cluster(entry) : entry;
  copy_units(gain.data, result.host_offset(), offset);
  if (geometry_.extended_l2) {
    result.bitmap |= gain.data | std::uint64_t(gain.zero) << qcow2::subclusters_per_cluster;
  }
  return result;
}

// Hands what changed in the table so far to the writer.
void Merge::take_over(TableEdit& edit) {
  if (!edit.first) return;
  if (edit.offset == 0) {
    edit.offset = writer_.add_table(edit.l1_index, edit.table);
  } else {
    writer_.put_table(edit.offset, edit.table, *edit.first, edit.last);
  }
  edit.first.reset();
}

void Merge::merge_table(std::uint64_t l1_index, const sys::ProgressCallback& progress) {
  auto begin = l1_index * geometry_.l2_coverage();
  auto length = std::min(geometry_.l2_coverage(), header_.virtual_bytes - begin);
  if (parent_.is_empty(begin, length)) return;

  auto offset = map_.l2_offset(l1_index);
  if (offset != 0) check_copied(map_.l1_entry(l1_index));
  TableEdit edit{l1_index, offset, offset ? map_.l2_table(l1_index) : L2Table(geometry_)};
  for (std::uint64_t i = 0; i << geometry_.cluster_bits < length; ++i) {
    auto at = begin + (i << geometry_.cluster_bits);
    auto entry = edit.table.entry(i);
    auto gain = plan_cluster(entry, at);
    if (gain.is_empty()) continue;
    edit.set(i, apply(gain, entry, at));
    if (!writer_.is_full()) continue;
    take_over(edit);
    writer_.publish();
    progress(at);
  }
  take_over(edit);
}

// The refcount table may have moved meanwhile: the header is read anew.
void switch_backing(block::BlockDevice& child, WritableFile& out, const std::optional<BackingReference>& backing) {
  auto header = read_header(child);
  auto cluster = child.read(0, std::size_t(std::min(child.size(), header.geometry.cluster_bytes())));
  auto plan = plan_backing_switch(cluster, header, backing, child.name());
  apply(plan, out);
}

}  // namespace

void merge_images(ParentView& parent, block::BlockDevice& child, const ImageHeader& header, WritableFile& out,
                  const std::optional<BackingReference>& backing, const sys::ProgressCallback& progress) {
  if (header.autoclear_features != 0) {
    base::be64 none = 0;  // what these bits vouch for is not kept up here
    out.write(offsetof(qcow2::Header, autoclear_features), std::as_bytes(std::span(&none, 1)));
    out.sync();
  }
  Merge(parent, child, header, out).run(progress);
  switch_backing(child, out, backing);
}

}  // namespace hrvm::image
