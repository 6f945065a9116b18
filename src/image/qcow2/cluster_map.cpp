#include "image/qcow2/cluster_map.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "hrvm/base/endian.hpp"
#include "hrvm/base/error.hpp"

namespace hrvm::image {
namespace {

using base::Error;
using base::ErrorKind;

constexpr std::uint64_t cache_bytes = 4u << 20;

std::size_t cached_tables(const ClusterGeometry& geometry) {
  return std::max<std::size_t>(2, cache_bytes / geometry.cluster_bytes());
}

std::vector<base::be64> read_l1(block::BlockDevice& file, const ImageHeader& header) {
  std::vector<base::be64> l1(header.l1_entries);
  if (!l1.empty()) file.read(header.l1_offset, std::as_writable_bytes(std::span(l1)));
  return l1;
}

bool continues(const Mapping& run, const Mapping& next) {
  if (run.stored != next.stored) return false;
  return run.stored != Stored::data || run.host_offset + run.length == next.host_offset;
}

}  // namespace

ClusterMap::ClusterMap(block::BlockDevice& file, const ImageHeader& header)
    : file_(file), header_(header), l1_(read_l1(file, header)) {}

std::uint64_t ClusterMap::l2_offset(std::uint64_t l1_index) const {
  std::uint64_t offset = l1_[l1_index] & qcow2::offset_mask;
  if (header_.geometry.offset_in_cluster(offset) != 0 || offset >= file_.size()) {
    throw Error(ErrorKind::corrupt,
                fmt::format("L1 entry {} of {} leads to {:#x}, where no table can be", l1_index, file_.name(), offset))
        .on(file_.name())
        .at(header_.l1_offset + l1_index * 8);
  }
  return offset;
}

L2Table ClusterMap::read_l2(std::uint64_t l1_index) const {
  std::uint64_t offset = l2_offset(l1_index);
  std::vector<std::byte> bytes(header_.geometry.cluster_bytes());
  file_.read(offset, std::span(bytes).first(std::size_t(std::min<std::uint64_t>(bytes.size(), file_.size() - offset))));
  return {header_.geometry, std::move(bytes)};
}

const L2Table& ClusterMap::l2_table(std::uint64_t l1_index) {
  if (auto found = cache_.find(l1_index); found != cache_.end()) {
    recent_.splice(recent_.begin(), recent_, found->second);
    return recent_.front().table;
  }
  auto table = read_l2(l1_index);
  if (recent_.size() == cached_tables(header_.geometry)) {
    cache_.erase(recent_.back().l1_index);
    recent_.pop_back();
  }
  recent_.push_front({l1_index, std::move(table)});
  cache_[l1_index] = recent_.begin();
  return recent_.front().table;
}

Stored ClusterMap::unit(const L2Entry& entry, unsigned index, std::uint64_t guest_offset) const {
  auto stored = entry.unit(header_.geometry, index);
  // A version 2 image has no zero clusters: there the bit is damage.
  if (stored && !(*stored == Stored::zero && header_.version < 3)) return *stored;
  throw Error(ErrorKind::corrupt,
              fmt::format("the L2 entry for {:#x} of {} contradicts itself", guest_offset, file_.name()))
      .on(file_.name())
      .at(l2_offset(guest_offset / header_.geometry.l2_coverage()));
}

void ClusterMap::check_data(std::uint64_t host_offset, std::uint64_t guest_offset) const {
  if (header_.geometry.offset_in_cluster(host_offset) == 0 && host_offset < file_.size()) return;
  throw Error(ErrorKind::corrupt, fmt::format("the L2 entry for {:#x} of {} leads to {:#x}, where no cluster can be",
                                              guest_offset, file_.name(), host_offset))
      .on(file_.name())
      .at(l2_offset(guest_offset / header_.geometry.l2_coverage()));
}

// The units of one cluster, or clusters side by side of which the table says nothing.
Mapping ClusterMap::unit_run(const L2Table& table, std::uint64_t offset) const {
  const auto& geometry = header_.geometry;
  auto index = offset % geometry.l2_coverage() >> geometry.cluster_bits;
  auto entry = table.entry(index);
  auto in_cluster = geometry.offset_in_cluster(offset);
  if (entry == L2Entry{}) {
    return {Stored::nothing, 0, (table.empty_entries(index) << geometry.cluster_bits) - in_cluster};
  }
  auto first = unsigned(in_cluster / geometry.unit_bytes());
  auto stored = unit(entry, first, offset);
  unsigned end = first + 1;
  while (end < geometry.units_per_cluster() && unit(entry, end, offset) == stored) ++end;
  if (stored == Stored::data) check_data(entry.host_offset(), offset);
  return {stored, stored == Stored::data ? entry.host_offset() + in_cluster : 0,
          end * geometry.unit_bytes() - in_cluster};
}

// What one L2 table says.
Mapping ClusterMap::table_run(std::uint64_t offset, std::uint64_t limit) {
  auto coverage = header_.geometry.l2_coverage();
  auto l1_index = offset / coverage;
  auto left = coverage - offset % coverage;
  if (l2_offset(l1_index) == 0) return {Stored::nothing, 0, left};

  const auto& table = l2_table(l1_index);
  limit = std::min(limit, left);
  auto run = unit_run(table, offset);
  while (run.length < limit) {
    auto next = unit_run(table, offset + run.length);
    if (!continues(run, next)) break;
    run.length += next.length;
  }
  return run;
}

Mapping ClusterMap::at(std::uint64_t offset, std::uint64_t limit) {
  limit = std::min(limit, header_.virtual_bytes - offset);
  auto run = table_run(offset, limit);
  while (run.length < limit && (offset + run.length) % header_.geometry.l2_coverage() == 0) {
    auto next = table_run(offset + run.length, limit - run.length);
    if (!continues(run, next)) break;
    run.length += next.length;
  }
  run.length = std::min(run.length, limit);
  return run;
}

CompressedPlace ClusterMap::compressed_at(std::uint64_t offset) {
  const auto& geometry = header_.geometry;
  auto index = offset % geometry.l2_coverage() >> geometry.cluster_bits;
  return l2_table(offset / geometry.l2_coverage()).entry(index).compressed_place(geometry);
}

}  // namespace hrvm::image
