#include "image/qcow2/l2_table.hpp"

#include <array>
#include <bit>
#include <cstring>

#include "hrvm/base/endian.hpp"

namespace hrvm::image {

using base::be64;

namespace {

// How many bits the offset of a compressed cluster takes.
unsigned compressed_offset_bits(const ClusterGeometry& geometry) {
  return qcow2::compressed_bits - (geometry.cluster_bits - 8);
}

}  // namespace

CompressedPlace L2Entry::compressed_place(const ClusterGeometry& geometry) const {
  const auto bits = compressed_offset_bits(geometry);
  const auto fields = descriptor & (qcow2::compressed - 1);
  const auto offset = fields & ((1ull << bits) - 1);
  const auto sectors = (fields >> bits) + 1;
  return {offset, sectors * qcow2::compressed_sector_bytes - offset % qcow2::compressed_sector_bytes};
}

L2Entry L2Entry::of_compressed(const ClusterGeometry& geometry, const CompressedPlace& place) {
  constexpr auto sector = qcow2::compressed_sector_bytes;
  const auto more_sectors = (place.offset + place.length - 1) / sector - place.offset / sector;
  return {qcow2::compressed | more_sectors << compressed_offset_bits(geometry) | place.offset, 0};
}

std::optional<Stored> L2Entry::unit(const ClusterGeometry& geometry, unsigned index) const {
  if (is_compressed()) return Stored::compressed;
  if (!geometry.extended_l2) {
    if (descriptor & qcow2::all_zero) return Stored::zero;
    return host_offset() != 0 ? Stored::data : Stored::nothing;
  }
  bool allocated = bitmap >> index & 1;
  bool zero = bitmap >> (qcow2::subclusters_per_cluster + index) & 1;
  if (allocated && (zero || host_offset() == 0)) return std::nullopt;
  if (zero) return Stored::zero;
  return allocated ? Stored::data : Stored::nothing;
}

std::vector<UnitRun> unit_runs(std::uint32_t units) {
  std::vector<UnitRun> runs;
  for (unsigned end = 0; end < 32 && units >> end != 0;) {
    auto first = end + unsigned(std::countr_zero(units >> end));
    auto count = unsigned(std::countr_one(units >> first));
    runs.push_back({first, count});
    end = first + count;
  }
  return runs;
}

L2Entry load_l2_entry(std::span<const std::byte> bytes) {
  return {base::load<be64>(bytes, 0), bytes.size() == 16 ? std::uint64_t(base::load<be64>(bytes, 8)) : 0};
}

void store_l2_entry(const L2Entry& entry, std::span<std::byte> bytes) {
  base::store(bytes, 0, be64(entry.descriptor));
  if (bytes.size() == 16) base::store(bytes, 8, be64(entry.bitmap));
}

L2Entry L2Table::entry(std::uint64_t index) const {
  return load_l2_entry(std::span(bytes_).subspan(index * entry_bytes_, entry_bytes_));
}

// A word at a time, and whole blocks of them where there is nothing.
std::uint64_t L2Table::empty_entries(std::uint64_t index) const {
  constexpr std::size_t block = 512;
  const auto begin = std::size_t(index * entry_bytes_);
  auto end = begin;
  static constexpr std::array<std::byte, block> zeros{};
  while (end + block <= bytes_.size() && std::memcmp(bytes_.data() + end, zeros.data(), block) == 0) end += block;
  while (end + entry_bytes_ <= bytes_.size() && std::memcmp(bytes_.data() + end, zeros.data(), entry_bytes_) == 0)
    end += entry_bytes_;
  return (end - begin) / entry_bytes_;
}

void L2Table::set_entry(std::uint64_t index, const L2Entry& entry) {
  store_l2_entry(entry, std::span(bytes_).subspan(index * entry_bytes_, entry_bytes_));
}

}  // namespace hrvm::image
