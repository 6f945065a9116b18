#include "image/check/walk.hpp"

#include <algorithm>
#include <cstring>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"

namespace hrvm::image {
namespace {

using base::be64;

constexpr std::uint64_t entry_bytes = sizeof(be64);
constexpr std::uint64_t entries_at_once = 64 * 1024;
constexpr std::uint64_t run_bytes = 4u << 20, largest_gap = 64u << 10;
constexpr std::uint64_t least_table_bytes = 64u << 20;
constexpr std::uint64_t l1_reserved = 0x7f000000000001ff;

constexpr std::uint32_t most_snapshots = 65536;
constexpr std::uint64_t most_snapshot_extra = 1024, version_3_snapshot_extra = 16;

}  // namespace

CheckWalk::CheckWalk(block::BlockDevice& file, const ImageHeader& header, ReferenceCounts& counts, CheckLog& log,
                     const WalkTask& task)
    : file_(file), header_(header), geometry_(header.geometry), counts_(counts), log_(log), task_(task) {}

void CheckWalk::note(Trouble trouble, std::uint64_t times, std::uint64_t offset, std::uint64_t a, std::uint64_t b) {
  if (is_first_) log_.note(trouble, times, offset, a, b);
}

// The last cluster may be there in part.
bool CheckWalk::is_outside(std::uint64_t offset, std::uint64_t length) const {
  const auto limit = file_.size() + geometry_.cluster_bytes();
  return offset >= limit || length >= limit - offset;
}

bool CheckWalk::count_region(std::uint64_t entry_offset, std::uint64_t offset, std::uint64_t length,
                             std::uint32_t times) {
  if (length == 0) return true;
  if (is_outside(offset, length)) {
    note(Trouble::outside, times, entry_offset, offset, length);
    return false;
  }
  const auto last = (offset + length - 1) >> geometry_.cluster_bits;
  for (auto cluster = offset >> geometry_.cluster_bits; cluster <= last; ++cluster) counts_.add(cluster, times);
  return true;
}

// Tables that lie in each other could be made to take years. What is sound reads no byte of the file twice.
bool CheckWalk::may_read_table(std::uint64_t offset, std::uint64_t bytes) {
  const auto limit = std::max(file_.size(), least_table_bytes);
  if (table_bytes_ / 2 > limit) return false;
  table_bytes_ += bytes;
  if (table_bytes_ / 2 <= limit) return true;
  note(Trouble::tables_overlap, 1, offset);
  return false;
}

// What lies behind the end of the file is zeros, and so is what cannot be read.
bool CheckWalk::try_read(std::uint64_t offset, std::span<std::byte> out) {
  const auto there = std::min<std::uint64_t>(out.size(), file_.size() - std::min(offset, file_.size()));
  std::ranges::fill(out.subspan(there), std::byte{0});
  if (there == 0) return true;
  try {
    file_.read(offset, out.first(there));
    return true;
  } catch (const base::Error& error) {
    if (error.kind() != base::ErrorKind::io) throw;
    std::ranges::fill(out, std::byte{0});
    return false;
  }
}

CheckWalk::Entries CheckWalk::read_entries(std::uint64_t offset, std::uint64_t count) {
  Entries entries(count);
  if (!try_read(offset, std::as_writable_bytes(std::span(entries))))
    note(Trouble::unreadable, 1, offset, 0, count * entry_bytes);
  return entries;
}

void CheckWalk::write_entry(std::uint64_t offset, std::uint64_t value) {
  const be64 entry = value;
  task_.out->write(offset, std::as_bytes(std::span(&entry, 1)));
}

void CheckWalk::run(bool is_first) {
  is_first_ = is_first;
  places_.clear();
  merged_ = 0;
  table_bytes_ = 0;
  if (task_.with_refcount_structure) load_recorded();
  count_region(0, 0, geometry_.cluster_bytes());
  walk_l1(header_.l1_offset, header_.l1_entries, true);
  walk_snapshots(header_.snapshots_offset, header_.snapshots);
  walk_bitmaps();
  merge_places();
  walk_l2_tables();
  if (task_.with_refcount_structure) count_blocks();
}

void CheckWalk::walk_snapshots(std::uint64_t table_offset, std::uint32_t snapshots) {
  auto offset = table_offset;
  for (std::uint32_t i = 0; i < snapshots; ++i) {
    offset = base::round_up(offset, 8);
    qcow2::SnapshotHeader entry;
    if (i >= most_snapshots || offset > file_.size() || file_.size() - offset < sizeof entry)
      return note(Trouble::snapshot_lost, 1, offset, i);
    try_read(offset, std::as_writable_bytes(std::span(&entry, 1)));
    const auto l1_bytes = entry.l1_size * entry_bytes;
    const bool lacks_extra = header_.version >= 3 && entry.extra_data_size < version_3_snapshot_extra;
    if (lacks_extra || entry.extra_data_size > most_snapshot_extra) note(Trouble::snapshot, 1, offset, i);
    if (geometry_.offset_in_cluster(entry.l1_table_offset) != 0 || l1_bytes > max_l1_bytes ||
        is_outside(entry.l1_table_offset, l1_bytes))
      note(Trouble::snapshot_lost, 1, offset, i);
    else
      walk_l1(entry.l1_table_offset, entry.l1_size, false);
    offset += sizeof entry + entry.extra_data_size + entry.id_str_size + entry.name_size;
  }
  const auto bytes = offset - table_offset;
  if (bytes != 0 && is_outside(table_offset, bytes)) return note(Trouble::snapshots_outside, 1, table_offset, bytes);
  count_region(offsetof(qcow2::Header, snapshots_offset), table_offset, bytes);
}

void CheckWalk::walk_l1(std::uint64_t offset, std::uint64_t entries, bool active) {
  if (!count_region(offset, offset, entries * entry_bytes)) return;
  if (!may_read_table(offset, entries * entry_bytes)) return;
  for (std::uint64_t first = 0; first < entries; first += entries_at_once) {
    const auto place = offset + first * entry_bytes;
    const auto count = std::min(entries - first, entries_at_once);
    if (place >= file_.size()) return;
    const auto extent = file_.extent_at(place);
    if (extent.kind == block::ExtentKind::zero && extent.length >= count * entry_bytes) continue;
    const auto table = read_entries(place, count);
    for (std::uint64_t i = 0; i < count; ++i)
      if (table[i] != 0) visit_l1_entry(place + i * entry_bytes, table[i], active);
  }
}

void CheckWalk::visit_l1_entry(std::uint64_t place, std::uint64_t entry, bool active) {
  auto kept = entry;
  if (entry & l1_reserved) {
    note(Trouble::reserved_bits, 1, place, entry);
    kept &= ~l1_reserved;
  }
  const auto offset = entry & qcow2::offset_mask;
  const bool is_aligned = geometry_.offset_in_cluster(offset) == 0;
  if (!is_aligned) note(Trouble::table_unaligned, 1, place, offset);
  const bool is_lost = offset == 0 || !is_aligned || is_outside(offset, geometry_.cluster_bytes());
  if (task_.fix_entries && is_lost) return write_entry(place, 0);
  if (offset == 0) return;
  const bool is_counted = count_region(place, offset, geometry_.cluster_bytes());
  const auto recorded = counts_.recorded(offset >> geometry_.cluster_bits);
  if (active && recorded && (*recorded == 1) != bool(entry & qcow2::copied)) {
    // Noted in whichever pass has the count.
    log_.note(Trouble::copied_flag, is_counted || is_first_, place, entry, *recorded);
    if (task_.fix_copied) kept ^= qcow2::copied;
  }
  if ((task_.fix_entries || task_.fix_copied) && kept != entry) write_entry(place, kept);
  if (!is_counted) return;
  places_.push_back({offset, active, 1});
  if (places_.size() > 2 * merged_ + entries_at_once) merge_places();
}

void CheckWalk::merge_places() {
  std::ranges::sort(places_, {}, &L2Place::offset);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < places_.size(); ++i) {
    if (kept != 0 && places_[kept - 1].offset == places_[i].offset) {
      places_[kept - 1].active += places_[i].active;
      places_[kept - 1].all += places_[i].all;
    } else {
      places_[kept++] = places_[i];
    }
  }
  places_.resize(kept);
  merged_ = kept;
}

// Tables that lie near each other come in by one read.
void CheckWalk::walk_l2_tables() {
  const auto table_bytes = geometry_.cluster_bytes();
  for (std::size_t first = 0; first < places_.size();) {
    auto end = first + 1;
    while (end < places_.size() && places_[end].offset - places_[end - 1].offset <= table_bytes + largest_gap &&
           places_[end].offset + table_bytes - places_[first].offset <= run_bytes)
      ++end;
    walk_run(std::span(places_).subspan(first, end - first));
    task_.progress(places_[first].offset);
    first = end;
  }
}

void CheckWalk::walk_run(std::span<const L2Place> run) {
  const auto begin = run.front().offset;
  const auto table_bytes = geometry_.cluster_bytes();
  run_buffer_.resize(std::max<std::size_t>(run_buffer_.size(), run.back().offset + table_bytes - begin));
  const auto bytes = std::span(run_buffer_).first(run.back().offset + table_bytes - begin);
  const bool is_read = try_read(begin, bytes);
  for (const auto& place : run) {
    if (!may_read_table(place.offset, table_bytes)) return;
    const auto table = bytes.subspan(place.offset - begin, table_bytes);
    if (!is_read && !try_read(place.offset, table)) note(Trouble::unreadable, 1, place.offset, 0, table_bytes);
    walk_l2(place, table);
  }
}

}  // namespace hrvm::image
