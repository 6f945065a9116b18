// What the tests of checking and repairing share: images of every kind, ways to break them, and both checks' counts.
#pragma once

#include <algorithm>
#include <ostream>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/endian.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/image/check.hpp"
#include "image/check/passes.hpp"
#include "image/qcow2/refcount_block.hpp"
#include "unit/image/images.hpp"

namespace hrvm::image::test {

using base::be64;

struct Counts {
  std::uint64_t corruptions = 0, leaks = 0, errors = 0, allocated = 0, compressed = 0, end = 0;
  friend bool operator==(const Counts&, const Counts&) = default;
};
inline std::ostream& operator<<(std::ostream& out, const Counts& counts) {
  return out << counts.corruptions << " corruptions, " << counts.leaks << " leaks, " << counts.errors << " errors, "
             << counts.allocated << " allocated, " << counts.compressed << " compressed, end " << counts.end;
}

inline CheckResult check_quietly(const Path& image) {
  return check_image(image, [](std::uint64_t) {});
}
inline Examination examine(const Path& image) {
  const auto file = block::open_device(image);
  return run_passes(*file, read_header(*file));
}
inline RepairResult repair(const Path& image, Repair kind) {
  return repair_image(image, kind, [](std::uint64_t) {});
}

inline Counts ours(const Path& image) {
  const auto found = check_quietly(image);
  for (const auto& item : found.findings) UNSCOPED_INFO("ours: " << item.finding.message);
  return {found.corruptions,         found.leaks,          found.errors, found.allocated_clusters,
          found.compressed_clusters, found.image_end_bytes};
}

inline Counts theirs(const Path& image) {
  const auto result = run({"qemu-img", "check", "--output=json", "-f", "qcow2", image});
  UNSCOPED_INFO("qemu-img: " << result.err);
  const auto json = base::parse_json(result.out, "qemu-img check");
  const auto number = [&](const char* name) { return json[name].unsigned_integer().value_or(0); };
  return {number("corruptions"),         number("leaks"),
          number("check-errors"),        number("allocated-clusters"),
          number("compressed-clusters"), number("image-end-offset")};
}

struct Kind {
  unsigned cluster_bits;
  bool extended;
  unsigned refcount_bits;
  bool version_2 = false;
};
inline const std::vector<Kind> kinds = {{9, false, 16},  {9, false, 1},   {12, false, 2},  {12, false, 16, true},
                                        {14, true, 4},   {16, false, 16}, {16, true, 16},  {16, false, 8},
                                        {16, false, 32}, {16, true, 64},  {21, false, 16}, {21, true, 16},
                                        {10, false, 64}};

inline void create(const Path& image, const Kind& kind, std::uint64_t bytes) {
  auto options = fmt::format("cluster_size={}", 1u << kind.cluster_bits);
  options += kind.version_2 ? ",compat=0.10" : fmt::format(",refcount_bits={}", kind.refcount_bits);
  if (kind.extended) options += ",extended_l2=on";
  output_of({"qemu-img", "create", "-q", "-f", "qcow2", "-o", options, image, std::to_string(bytes)});
}

// Writes, zeroes, discards and compressed writes, with snapshots between where counts can say 2.
inline void make_random(const Path& image, const Kind& kind, Random& random, std::uint64_t bytes) {
  const auto cluster = 1ull << kind.cluster_bits;
  create(image, kind, bytes + 16 * cluster);
  const int snapshots = kind.refcount_bits == 1 ? 0 : 2;
  for (int round = 0; round <= snapshots; ++round) {
    auto program = random_program(random, bytes, 12);
    // Where nothing else writes: QEMU compresses into clusters that are not there yet. It packs several into one, and
    // of one that is counted twice a count of 2 bits cannot tell that a snapshot holds it as well.
    const auto free = base::round_up(bytes, cluster);
    for (int i = 0; i < 4 && kind.refcount_bits != 2; ++i)
      program.push_back(fmt::format("write -c -P {} {} {}", i + 1, free + (round * 4 + i) * cluster, cluster));
    qemu_io(image, "qcow2", program);
    if (round < snapshots) output_of({"qemu-img", "snapshot", "-c", fmt::format("s{}", round), image});
  }
}

inline void poke(const Path& image, std::uint64_t offset, const Bytes& bytes) {
  const auto fd = sys::open_file(image, O_WRONLY);
  sys::write_fully(fd.get(), bytes, offset, image);
}
inline void poke(const Path& image, std::uint64_t offset, std::uint64_t entry) {
  const be64 stored = entry;
  const auto bytes = std::as_bytes(std::span(&stored, 1));
  poke(image, offset, Bytes(bytes.begin(), bytes.end()));
}

// What lies where in an image.
struct Anatomy {
  explicit Anatomy(const Path& image) : file(block::open_device(image)), header(read_header(*file)) {}

  std::uint64_t entry(std::uint64_t offset) const { return base::load<be64>(file->read(offset, 8)); }
  std::vector<std::uint64_t> l2_tables() const {
    std::vector<std::uint64_t> found;
    for (std::uint32_t i = 0; i < header.l1_entries; ++i) {
      const auto offset = entry(header.l1_offset + i * 8) & qcow2::offset_mask;
      if (offset != 0 && offset + header.geometry.cluster_bytes() <= file->size()) found.push_back(offset);
    }
    return found;
  }
  // Where entries that say something lie.
  std::vector<std::uint64_t> l2_entries() const {
    std::vector<std::uint64_t> found;
    for (auto table : l2_tables())
      for (std::uint64_t at = 0; at < header.geometry.cluster_bytes(); at += header.geometry.l2_entry_bytes())
        if (entry(table + at) != 0) found.push_back(table + at);
    return found;
  }
  std::uint64_t refcount_block(std::uint64_t cluster) const {
    return entry(header.refcount_table_offset + cluster / per_block() * 8) & qcow2::offset_mask;
  }
  std::uint64_t per_block() const { return (header.geometry.cluster_bytes() * 8) >> header.refcount_order; }
  std::uint64_t clusters() const { return header.geometry.clusters(file->size()); }

  std::unique_ptr<block::BlockDevice> file;
  ImageHeader header;
};

inline void set_count(const Path& image, std::uint64_t cluster, std::uint64_t count) {
  const Anatomy anatomy(image);
  const auto offset = anatomy.refcount_block(cluster);
  auto block = anatomy.file->read(offset, std::size_t(anatomy.header.geometry.cluster_bytes()));
  set_refcount(block, anatomy.header.refcount_order, cluster % anatomy.per_block(), count);
  poke(image, offset, block);
}

inline std::uint64_t count_of(const Path& image, std::uint64_t cluster) {
  const Anatomy anatomy(image);
  const auto block =
      anatomy.file->read(anatomy.refcount_block(cluster), std::size_t(anatomy.header.geometry.cluster_bytes()));
  return refcount_at(block, anatomy.header.refcount_order, cluster % anatomy.per_block());
}

// A way to break an image that QEMU's check survives and counts.
inline void damage(const Path& image, Random& random) {
  const Anatomy anatomy(image);
  const auto entries = anatomy.l2_entries();
  if (entries.empty()) return;
  const auto place = entries[below(random, entries.size())];
  const auto entry = anatomy.entry(place);
  const auto cluster_bits = anatomy.header.geometry.cluster_bits;
  const auto l1_place = anatomy.header.l1_offset + 8 * below(random, anatomy.header.l1_entries);
  switch (below(random, 13)) {
    case 0:  // counts
    case 1:
      return set_count(image, 1 + below(random, anatomy.clusters() - 1),
                       below(random, std::min<std::uint64_t>(4, most_references(anatomy.header.refcount_order) + 1)));
    case 2:
      return poke(image, place, entry ^ qcow2::copied);
    case 3:
      return poke(image, place, 0);
    case 4:  // to another's cluster
      return poke(image, place, anatomy.entry(entries[below(random, entries.size())]));
    case 5:  // behind the end
      return poke(image, place, qcow2::copied | (anatomy.clusters() + 1 + below(random, 100)) << cluster_bits);
    case 6:
      return poke(image, place, entry | 1ull << 58);
    case 7:  // flags, or a compressed cluster of nothing
      return poke(image, place, entry ^ 1ull << (62 + below(random, 2)));
    case 8:  // no cluster's begin
      return poke(image, place, entry + 512);
    case 9:
      return poke(image, l1_place, anatomy.entry(l1_place) ^ qcow2::copied);
    case 10:
      if (anatomy.entry(l1_place) == 0) return;
      return poke(image, l1_place, anatomy.entry(l1_place) | 1ull << (56 + below(random, 6)));
    case 11:
      return poke(image, l1_place, qcow2::copied | (anatomy.clusters() + 1 + below(random, 100)) << cluster_bits);
    default:  // a table that is somebody's data
      return poke(image, l1_place, anatomy.entry(place) & qcow2::offset_mask ? anatomy.entry(place) : 0);
  }
}

}  // namespace hrvm::image::test
