// One L2 table in memory, and what its entries say: QEMU's qcow2.txt, "Cluster mapping" and "Extended L2 Entries".
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "image/qcow2/geometry.hpp"

namespace hrvm::image {

// What one image file itself holds of a piece of the disk, leaving out what backs it.
enum class Stored {
  nothing,  // shows what the backing file shows
  data,
  zero,
  compressed,
};

// Where a compressed cluster lies in the file: at no boundary, and `length` may reach beyond it to the end of a sector.
struct CompressedPlace {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  friend bool operator==(const CompressedPlace&, const CompressedPlace&) = default;
};

struct L2Entry {
  std::uint64_t descriptor = 0;
  std::uint64_t bitmap = 0;  // extended entries only; qcow2_format.hpp says what its bits are

  std::uint64_t host_offset() const { return descriptor & qcow2::offset_mask; }
  bool is_compressed() const { return descriptor & qcow2::compressed; }
  CompressedPlace compressed_place(const ClusterGeometry& geometry) const;
  static L2Entry of_compressed(const ClusterGeometry& geometry, const CompressedPlace& place);
  // nullopt for what the format forbids: a subcluster both stored and zero, or stored in no cluster.
  std::optional<Stored> unit(const ClusterGeometry& geometry, unsigned index) const;

  friend bool operator==(const L2Entry&, const L2Entry&) = default;
};

// An entry as it lies in a table: 8 bytes, or 16 with its bitmap.
L2Entry load_l2_entry(std::span<const std::byte> bytes);
void store_l2_entry(const L2Entry& entry, std::span<std::byte> bytes);

// Runs of set bits, lowest first: units side by side are read and written at once.
struct UnitRun {
  unsigned first = 0, count = 0;
};
std::vector<UnitRun> unit_runs(std::uint32_t units);

class L2Table {
 public:
  explicit L2Table(const ClusterGeometry& geometry)
      : L2Table(geometry, std::vector<std::byte>(geometry.cluster_bytes())) {}
  L2Table(const ClusterGeometry& geometry, std::vector<std::byte> bytes)
      : entry_bytes_(geometry.l2_entry_bytes()), bytes_(std::move(bytes)) {}

  L2Entry entry(std::uint64_t index) const;
  void set_entry(std::uint64_t index, const L2Entry& entry);
  // How many entries from `index` on say nothing at all (are zeros); may be fewer than there are.
  std::uint64_t empty_entries(std::uint64_t index) const;
  const std::vector<std::byte>& bytes() const { return bytes_; }

 private:
  unsigned entry_bytes_;
  std::vector<std::byte> bytes_;
};

}  // namespace hrvm::image
