#include "image/qcow2/snapshot_table.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/endian.hpp"
#include "hrvm/base/error.hpp"

namespace hrvm::image {
namespace {

using qcow2::SnapshotHeader;

constexpr std::uint32_t most_snapshots = 65536;  // QEMU's limits
constexpr std::uint64_t most_table_bytes = 64u << 20;
constexpr std::uint32_t most_extra_bytes = 1024;

class Reading {
 public:
  Reading(block::BlockDevice& file, const ImageHeader& header)
      : file_(file), begin_(header.snapshots_offset), at_(begin_) {}

  InternalSnapshot next() {
    const auto fixed = base::load<SnapshotHeader>(take(sizeof(SnapshotHeader)));
    if (fixed.extra_data_size > most_extra_bytes) throw corrupt("has too much extra data");
    const auto extra = take(fixed.extra_data_size);
    InternalSnapshot snapshot;
    snapshot.id = text(take(fixed.id_str_size));
    snapshot.name = text(take(fixed.name_size));
    snapshot.taken = base::Time(std::chrono::seconds(std::uint32_t(fixed.date_sec)));
    snapshot.vm_state_bytes = fixed.vm_state_size;
    // The first of the extra data is a wider field for the same.
    if (extra.size() >= sizeof(base::be64)) snapshot.vm_state_bytes = base::load<base::be64>(extra);
    at_ = begin_ + base::round_up(at_ - begin_, 8);
    return snapshot;
  }

 private:
  std::vector<std::byte> take(std::size_t length) {
    const bool fits = at_ <= file_.size() && length <= file_.size() - at_ && at_ + length - begin_ <= most_table_bytes;
    if (!fits) throw corrupt("does not lie in the file");
    auto bytes = file_.read(at_, length);
    at_ += length;
    return bytes;
  }

  static std::string text(std::span<const std::byte> bytes) {
    std::string text(bytes.size(), '\0');
    std::ranges::transform(bytes, text.begin(), [](std::byte byte) { return char(byte); });
    return text;
  }

  base::Error corrupt(std::string_view what) const {
    return base::Error(base::ErrorKind::corrupt, fmt::format("the snapshot table of {} {}", file_.name(), what))
        .on(file_.name())
        .at(at_);
  }

  block::BlockDevice& file_;
  std::uint64_t begin_, at_;
};

}  // namespace

std::vector<InternalSnapshot> read_snapshots(block::BlockDevice& file, const ImageHeader& header) {
  if (header.snapshots > most_snapshots || header.geometry.offset_in_cluster(header.snapshots_offset) != 0) {
    throw base::Error(base::ErrorKind::corrupt, fmt::format("the snapshot table of {} makes no sense", file.name()))
        .on(file.name())
        .at(offsetof(qcow2::Header, nb_snapshots));
  }
  std::vector<InternalSnapshot> snapshots;
  Reading reading(file, header);
  while (snapshots.size() < header.snapshots) snapshots.push_back(reading.next());
  return snapshots;
}

}  // namespace hrvm::image
