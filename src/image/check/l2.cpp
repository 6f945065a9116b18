// What a check makes of the entries of an L2 table.
#include <cstring>

#include "image/check/walk.hpp"

namespace hrvm::image {
namespace {

bool is_all_zero(const std::byte* bytes) {
  std::uint64_t word;
  std::memcpy(&word, bytes, sizeof word);
  return word == 0;
}

}  // namespace

void CheckWalk::walk_l2(const L2Place& place, std::span<std::byte> table) {
  const std::size_t step = geometry_.l2_entry_bytes();
  std::size_t first_changed = table.size(), end_changed = 0;
  for (std::size_t at = 0; at < table.size(); at += step) {
    if (is_all_zero(&table[at]) && (step == 8 || is_all_zero(&table[at + 8]))) continue;
    Entry entry{load_l2_entry(table.subspan(at, step)), place.offset + at};
    const L2Entry before = entry;
    visit_entry(place, entry);
    if (before == entry) continue;
    store_l2_entry(entry, table.subspan(at, step));
    first_changed = std::min(first_changed, at);
    end_changed = at + step;
  }
  if (task_.out && first_changed < end_changed)
    task_.out->write(place.offset + first_changed, table.subspan(first_changed, end_changed - first_changed));
}

void CheckWalk::visit_entry(const L2Place& at, Entry& entry) {
  if (entry.is_compressed()) return visit_compressed(at, entry);
  if (entry.descriptor & qcow2::reserved_in_standard) {
    note(Trouble::reserved_bits, at.all, entry.place, entry.descriptor);
    if (task_.fix_entries) entry.descriptor &= ~qcow2::reserved_in_standard;
  }
  if (entry.host_offset() == 0) return visit_unallocated(at, entry);
  visit_standard(at, entry);
}

void CheckWalk::visit_compressed(const L2Place& at, Entry& entry) {
  if (entry.descriptor & qcow2::copied) {
    note(Trouble::compressed_flags, at.all, entry.place, entry.descriptor);
    if (task_.fix_entries) entry.descriptor &= ~qcow2::copied;
  }
  if (entry.bitmap != 0) {
    note(Trouble::subclusters, at.all, entry.place, entry.descriptor, entry.bitmap);
    if (!task_.fix_entries) return;
    entry.bitmap = 0;
  }
  const auto [offset, length] = entry.compressed_place(geometry_);
  if (is_first_) {
    log_.result().allocated_clusters += at.active;
    log_.result().compressed_clusters += at.active;
  }
  if (task_.fix_entries && is_outside(offset, length)) return make_zero(entry);
  count_region(entry.place, offset, length, at.all);
}

void CheckWalk::visit_unallocated(const L2Place& at, Entry& entry) {
  if ((entry.bitmap & qcow2::stored_subclusters) == 0) return;
  note(Trouble::subclusters, at.all, entry.place, entry.descriptor, entry.bitmap);
  // What is said to be stored in no cluster could never be read.
  if (task_.fix_entries)
    entry.bitmap = (entry.bitmap | entry.bitmap << qcow2::subclusters_per_cluster) & qcow2::zero_subclusters;
}

void CheckWalk::visit_standard(const L2Place& at, Entry& entry) {
  if (!is_sane(at, entry)) return;
  if (is_first_) log_.result().allocated_clusters += at.active;
  const auto offset = entry.host_offset();
  if (task_.fix_entries && is_outside(offset, geometry_.cluster_bytes())) return make_zero(entry);
  if (!count_region(entry.place, offset, geometry_.cluster_bytes(), at.all)) {
    // Nothing is recorded behind the end.
    if (entry.descriptor & qcow2::copied) note(Trouble::copied_flag, at.active, entry.place, entry.descriptor, 0);
    return;
  }
  if (at.active != 0) check_copied(at, entry);
}

// False where nothing is left that could be counted.
bool CheckWalk::is_sane(const L2Place& at, Entry& entry) {
  const auto offset = entry.host_offset();
  const bool contradicts = entry.bitmap >> qcow2::subclusters_per_cluster & entry.bitmap;
  const bool is_unaligned = geometry_.offset_in_cluster(offset) != 0;
  if (contradicts) note(Trouble::subclusters, at.all, entry.place, entry.descriptor, entry.bitmap);
  if (is_unaligned) note(Trouble::data_unaligned, at.all, entry.place, offset);
  if (!task_.fix_entries || !(contradicts || is_unaligned)) return true;
  make_zero(entry);
  return false;
}

void CheckWalk::check_copied(const L2Place& at, Entry& entry) {
  const auto cluster = entry.host_offset() >> geometry_.cluster_bits;
  const auto recorded = counts_.recorded(cluster);
  if (!recorded || (*recorded == 1) == bool(entry.descriptor & qcow2::copied)) return;
  log_.note(Trouble::copied_flag, at.active, entry.place, entry.descriptor, *recorded);
  if (task_.fix_copied) entry.descriptor ^= qcow2::copied;
}

// Version 2 has no zero clusters: there the entry is emptied.
void CheckWalk::make_zero(Entry& entry) const {
  entry.descriptor = header_.version < 3 || geometry_.extended_l2 ? 0 : qcow2::all_zero;
  entry.bitmap = geometry_.extended_l2 ? qcow2::zero_subclusters : 0;
}

}  // namespace hrvm::image
