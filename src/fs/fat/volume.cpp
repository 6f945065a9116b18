#include "fs/fat/volume.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <bit>

#include "fs/fat/format.hpp"
#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"

namespace hrvm::fs::fat {

namespace {

constexpr std::uint32_t first_cluster = 2;
constexpr std::uint32_t fewest_fat16_clusters = 4085;
constexpr std::uint64_t window_bytes = 64 * base::KiB;

base::Error broken(const block::BlockDevice& device, std::string_view what) {
  return base::Error(base::ErrorKind::corrupt,
                     fmt::format("the FAT filesystem on {} is damaged: {}", device.name(), what))
      .on(device.name());
}

BootSector boot_sector(block::BlockDevice& device) {
  if (device.size() < 512) throw broken(device, "it is shorter than a boot sector");
  const std::vector<std::byte> sector = device.read(0, 512);
  if (std::uint16_t(base::load<le16>(sector, 510)) != 0xaa55) throw broken(device, "its boot sector has no signature");
  return base::load<BootSector>(sector);
}

bool is_sensible(const BootSector& boot) {
  const std::uint16_t sector = boot.bytes_per_sector;
  return std::has_single_bit(sector) && sector >= 512 && sector <= 4096 &&
         std::has_single_bit(boot.sectors_per_cluster) && boot.reserved_sectors > 0 && boot.fats > 0 && boot.fats <= 4;
}

}  // namespace

bool CircleGuard::closes_at(std::uint32_t cluster) {
  if (cluster == mark_) return true;
  if (++steps_ == stride_) {
    mark_ = cluster;
    stride_ *= 2;
    steps_ = 0;
  }
  return false;
}

Volume::Volume(block::BlockDevice& device) : device_(device) {
  const BootSector boot = boot_sector(device);
  if (!is_sensible(boot)) throw broken(device, "its boot sector makes no sense");
  const std::uint64_t sector = boot.bytes_per_sector;
  const std::uint64_t fat_sectors =
      boot.fat_sectors_16 ? std::uint32_t(boot.fat_sectors_16) : std::uint32_t(boot.fat_sectors_32);
  const std::uint64_t total =
      boot.total_sectors_16 ? std::uint32_t(boot.total_sectors_16) : std::uint32_t(boot.total_sectors_32);
  fat_offset_ = boot.reserved_sectors * sector;
  fat_length_ = fat_sectors * sector;
  root_ = {fat_offset_ + boot.fats * fat_length_, boot.root_entries * sizeof(DirectoryEntry)};
  data_offset_ = root_.device_offset + base::round_up(root_.length, sector);
  cluster_bytes_ = std::uint32_t(boot.sectors_per_cluster * sector);
  if (fat_length_ == 0 || data_offset_ > total * sector || data_offset_ > device.size())
    throw broken(device, "its tables do not fit into it");
  // What a cut-off disk no longer has is not counted, so that no chain leads there.
  const std::uint64_t end = std::min(total * sector, device.size());
  const std::uint64_t clusters = (total * sector - data_offset_) / cluster_bytes_;
  // The specification goes by the number of clusters alone, but small filesystems are made as FAT32 on purpose; Linux
  // and EDK2 know those by the field that FAT32 leaves empty.
  width_ = boot.fat_sectors_16 == 0 ? Width::bits32 : clusters < fewest_fat16_clusters ? Width::bits12 : Width::bits16;
  cluster_count_ = std::uint32_t(std::min<std::uint64_t>((end - data_offset_) / cluster_bytes_, 0x0ffffff5));
  root_cluster_ = width_ == Width::bits32 ? std::uint32_t(boot.root_cluster) : 0;
}

bool Volume::can_hold_entries(std::uint64_t device_offset, std::size_t length) const {
  const auto within = [&](std::uint64_t start, std::uint64_t size) {
    return device_offset >= start && size >= length && device_offset - start <= size - length;
  };
  return within(root_.device_offset, root_.length) ||
         within(data_offset_, std::uint64_t(cluster_count_) * cluster_bytes_);
}

void Volume::check_cluster(std::uint32_t cluster) const {
  if (cluster < first_cluster || cluster - first_cluster >= cluster_count_)
    throw broken(device_, fmt::format("a chain leads to cluster {}, which does not exist", cluster));
}

// `count` (at most 4) bytes of the FAT as a little-endian number.
std::uint32_t Volume::fat_bytes(std::uint64_t offset, unsigned count) {
  if (offset + count > fat_length_) throw broken(device_, "its allocation table is too short");
  if (window_.empty() || offset < window_offset_ || offset + count > window_offset_ + window_.size()) {
    window_offset_ = base::round_down(offset, 512);
    window_ =
        device_.read(fat_offset_ + window_offset_, std::size_t(std::min(window_bytes, fat_length_ - window_offset_)));
  }
  std::uint32_t value = 0;
  for (unsigned i = 0; i < count; ++i)
    value |= std::to_integer<std::uint32_t>(window_[std::size_t(offset - window_offset_ + i)]) << (8 * i);
  return value;
}

std::uint32_t Volume::fat_entry(std::uint32_t cluster) {
  if (width_ == Width::bits32) return fat_bytes(std::uint64_t(cluster) * 4, 4) & 0x0fffffff;
  if (width_ == Width::bits16) return fat_bytes(std::uint64_t(cluster) * 2, 2);
  const std::uint32_t pair = fat_bytes(std::uint64_t(cluster) + cluster / 2, 2);
  return cluster % 2 ? pair >> 4 : pair & 0xfff;
}

std::optional<std::uint32_t> Volume::next(std::uint32_t cluster) {
  constexpr std::uint32_t ends[] = {0xff8, 0xfff8, 0x0ffffff8};
  const std::uint32_t entry = fat_entry(cluster);
  if (entry >= ends[int(width_)]) return std::nullopt;
  check_cluster(entry);
  return entry;
}

std::uint64_t Volume::offset_of(std::uint32_t cluster) const {
  return data_offset_ + std::uint64_t(cluster - first_cluster) * cluster_bytes_;
}

Volume::ChainPlace Volume::start_of(std::uint32_t first) const {
  check_cluster(first);
  ChainPlace place{.first = first, .cluster = first};
  place.guard.closes_at(first);
  return place;
}

bool Volume::advance(ChainPlace& place) {
  const auto after = next(place.cluster);
  if (!after) return false;
  if (place.guard.closes_at(*after)) throw broken(device_, "a chain of clusters has no end");
  place.cluster = *after;
  ++place.index;
  return true;
}

std::optional<Piece> Volume::piece_at(std::uint32_t first, std::uint64_t offset, std::uint64_t limit) {
  const auto wanted = offset / cluster_bytes_;
  if (last_.first != first || wanted < last_.index) last_ = start_of(first);
  while (last_.index < wanted)
    if (!advance(last_)) return std::nullopt;
  const auto skip = offset % cluster_bytes_;
  Piece piece{offset_of(last_.cluster) + skip, cluster_bytes_ - skip};
  for (auto ahead = last_; piece.length < limit && advance(ahead); piece.length += cluster_bytes_)
    if (offset_of(ahead.cluster) != piece.device_offset + piece.length) break;
  piece.length = std::min(piece.length, limit);
  return piece;
}

}  // namespace hrvm::fs::fat
