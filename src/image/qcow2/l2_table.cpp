#include "image/qcow2/l2_table.hpp"

#include <array>
#include <bit>
#include <cstring>

#include "hrvm/base/endian.hpp"

namespace hrvm::image {

using base::be64;

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

L2Entry L2Table::entry(std::uint64_t index) const {
  L2Entry entry;
  entry.descriptor = base::load<be64>(bytes_, index * entry_bytes_);
  if (entry_bytes_ == 16) entry.bitmap = base::load<be64>(bytes_, index * entry_bytes_ + 8);
  return entry;
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
  base::store(bytes_, index * entry_bytes_, be64(entry.descriptor));
  if (entry_bytes_ == 16) base::store(bytes_, index * entry_bytes_ + 8, be64(entry.bitmap));
}

}  // namespace hrvm::image
