#include "image/repair/snapshots.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/endian.hpp"
#include "hrvm/image/qcow2_format.hpp"
#include "image/qcow2/refcounts.hpp"

namespace hrvm::image {
namespace {

using base::be32;
using base::be64;
using qcow2::SnapshotHeader;

constexpr std::uint64_t most_extra_bytes = 1024, alignment = 8;
constexpr std::size_t most_table_bytes = 64u << 20;

// qcow2.txt, "Snapshots": the extra data that a writer of version 3 knows.
struct ExtraData {
  be64 vm_state_bytes;
  be64 disk_bytes;
  be64 icount;  // all ones: none was taken
};
static_assert(sizeof(ExtraData) == 24);

template <typename T>
void append(std::vector<std::byte>& bytes, const T& value) {
  const auto raw = std::as_bytes(std::span(&value, 1));
  bytes.insert(bytes.end(), raw.begin(), raw.end());
}

// Fields that are there stay, byte by byte: one that is cut off is none.
std::vector<std::byte> completed_extra(const SnapshotHeader& entry, std::vector<std::byte> extra,
                                       std::uint64_t disk_bytes) {
  const ExtraData usual{std::uint64_t(entry.vm_state_size), disk_bytes, ~0ull};
  std::vector<std::byte> complete;
  append(complete, usual);
  const auto whole_fields = std::min(base::round_down(extra.size(), sizeof(be64)), complete.size());
  std::copy_n(extra.begin(), whole_fields, complete.begin());
  if (extra.size() > complete.size())
    complete.insert(complete.end(), extra.begin() + std::ptrdiff_t(complete.size()), extra.end());
  return complete;
}

// nullopt where it does not lie in the file, or is larger than QEMU reads.
std::optional<std::vector<std::byte>> completed_table(block::BlockDevice& file, const ImageHeader& header) {
  std::vector<std::byte> table;
  auto offset = header.snapshots_offset;
  const auto is_there = [&](std::uint64_t bytes) { return offset <= file.size() && bytes <= file.size() - offset; };
  for (std::uint32_t i = 0; i < header.snapshots; ++i) {
    offset = base::round_up(offset, alignment);
    if (!is_there(sizeof(SnapshotHeader)) || table.size() > most_table_bytes) return std::nullopt;
    auto entry = base::load<SnapshotHeader>(file.read(offset, sizeof(SnapshotHeader)));
    const std::uint64_t extra_bytes = entry.extra_data_size;
    const std::size_t text_bytes = std::size_t(entry.id_str_size) + entry.name_size;
    if (!is_there(sizeof entry + extra_bytes + text_bytes)) return std::nullopt;
    const auto extra =
        completed_extra(entry, file.read(offset + sizeof entry, std::size_t(std::min(extra_bytes, most_extra_bytes))),
                        header.virtual_bytes);
    const auto texts = file.read(offset + sizeof entry + extra_bytes, text_bytes);
    entry.extra_data_size = std::uint32_t(extra.size());
    table.resize(base::round_up(table.size(), alignment));
    append(table, entry);
    table.insert(table.end(), extra.begin(), extra.end());
    table.insert(table.end(), texts.begin(), texts.end());
    offset += sizeof entry + extra_bytes + text_bytes;
  }
  return table;
}

}  // namespace

void rewrite_snapshots(block::BlockDevice& file, const ImageHeader& header, WritableFile& out) {
  const auto table = completed_table(file, header);
  if (!table) return;
  Refcounts refcounts(file, header, out);
  const be64 place = refcounts.allocate(header.geometry.clusters(table->size()));
  out.write(place, *table);
  refcounts.commit();
  out.write(offsetof(qcow2::Header, snapshots_offset), std::as_bytes(std::span(&place, 1)));
  out.sync();
}

}  // namespace hrvm::image
