#include "probe/signature/signature_view.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <iterator>
#include <span>
#include <string_view>
#include <vector>

#include "hrvm/base/endian.hpp"
#include "hrvm/block/copy.hpp"
#include "hrvm/sys/files.hpp"
#include "probe/table/dos_format.hpp"

namespace hrvm::probe {
namespace {

using Bytes = std::span<const std::byte>;

constexpr std::uint64_t kib = 1024, page_bytes = 4 * kib;
constexpr std::uint64_t ends_bytes = 1024 * kib;  // of what is copied of unusual things
constexpr std::uint64_t far_bytes = 32 * kib;

// What is read at the start, and how much of it libblkid looks at.
constexpr std::uint64_t start_bytes = 276 * kib, marks_bytes = 132 * kib;
// Further places where it looks for something: UFS, LUKS2's second header, VMFS.
constexpr std::uint64_t places_behind_start[] = {256 * kib, 512 * kib, 1024 * kib, 2048 * kib, 4096 * kib};
// md, firmware RAIDs, DRBD and NILFS2 leave their marks here.
constexpr std::uint64_t end_bytes = 132 * kib;

// ZFS: four labels of 256 KiB, two at either end, each with a list of names and values (XDR) and a ring of uberblocks,
// which are what libblkid counts. No label without its list is of use to anybody.
constexpr std::uint64_t label_bytes = 256 * kib, list_offset = 16 * kib;
constexpr std::array<std::string_view, 2> list_starts = {std::string_view("\1\0\0\0\0\0\0\0", 8),
                                                         std::string_view("\1\1\0\0\0\0\0\0", 8)};

// An XFS log begins anywhere in the first 256 KiB.
constexpr std::uint64_t xfs_log_bytes = 256 * kib, sector_bytes = 512;
constexpr std::uint32_t xfs_log_magic = 0xfeedbabe;

// Evidence of a filesystem whose label or checksum may lie anywhere.
struct Mark {
  std::size_t offset;
  std::string_view bytes;
};
using namespace std::string_view_literals;
constexpr Mark far_reaching[] = {
    {3, "NTFS    "sv},
    {3, "EXFAT   "sv},
    {1024, "BD"sv},
    {1024, "H+"sv},
    {1024, "HX"sv},
    {0, "\x45\x3d\xcd\x28"sv},
    {0, "\x28\xcd\x3d\x45"sv},
    {512, "\x45\x3d\xcd\x28"sv},
    {512, "\x28\xcd\x3d\x45"sv},
    {32769, "BEA01"sv},
    {32769, "BOOT2"sv},
    {32769, "CD001"sv},
    {32769, "CDW02"sv},
    {32769, "NSR02"sv},
    {32769, "NSR03"sv},
    {32769, "TEA01"sv},
    {32, "BFS1"sv},
    {32, "1SFB"sv},
    {544, "BFS1"sv},
    {544, "1SFB"sv},
    {4120, "\xc6\x85\x73\xf6\x4e\x1a\x45\xca"sv},
    {4120, "\xc6\x85\x73\xf6\x66\xce\x90\xa9"sv},
};

struct BootSectorStart {
  BiosParameterBlock parameters;
  std::array<std::byte, 12> unused;
  base::le32 fat32_sectors_per_fat;
  std::array<std::byte, 4> flags_and_version;
  base::le32 fat32_root_cluster;
  base::le64 ntfs_table_cluster;  // of NTFS alone; FAT32 has other things here
};
static_assert(offsetof(BootSectorStart, fat32_root_cluster) == 44);
static_assert(offsetof(BootSectorStart, ntfs_table_cluster) == 48);

bool holds(Bytes bytes, const Mark& mark) {
  return bytes.size() >= mark.offset + mark.bytes.size() &&
         std::ranges::equal(bytes.subspan(mark.offset, mark.bytes.size()), mark.bytes, {}, {},
                            [](char c) { return std::byte(c); });
}

// FAT has a label in its root folder. What libblkid takes for one has at least such a sector size.
bool may_be_fat(const BootSectorStart& sector) {
  const std::uint16_t bytes = sector.parameters.bytes_per_sector;
  return std::has_single_bit(bytes) && bytes >= 512 && bytes <= 4096 && sector.parameters.fats != 0;
}

bool is_far_reaching(Bytes start) {
  return std::ranges::any_of(far_reaching, [&](const Mark& mark) { return holds(start, mark); }) ||
         (start.size() >= sizeof(BootSectorStart) && may_be_fat(base::load<BootSectorStart>(start)));
}

bool starts_list(Bytes bytes) {
  return std::ranges::any_of(list_starts, [&](std::string_view start) { return holds(bytes, {0, start}); });
}

bool holds_xfs_log(Bytes start) {
  start = start.first(std::min<std::size_t>(start.size(), xfs_log_bytes));
  for (std::size_t at = 0; at + sector_bytes <= start.size(); at += sector_bytes)
    if (base::load<base::be32>(start, at) == xfs_log_magic) return true;
  return false;
}

std::uint64_t ntfs_table_sector(const BootSectorStart& sector) {
  return sector.ntfs_table_cluster * sector.parameters.sectors_per_cluster;
}

std::uint64_t fat32_root_sector(const BootSectorStart& sector) {
  const auto& parameters = sector.parameters;
  return parameters.reserved_sectors + std::uint64_t(parameters.fats) * sector.fat32_sectors_per_fat +
         (sector.fat32_root_cluster - 2ull) * parameters.sectors_per_cluster;
}

// Two filesystems are known by a place that lies anywhere: NTFS by the start of its master file table, and a FAT32's
// label by its root folder. 0 for others. What a hostile boot sector says is held against the device's size here.
std::uint64_t far_place(Bytes start, std::uint64_t size) {
  if (start.size() < sizeof(BootSectorStart)) return 0;
  const auto sector = base::load<BootSectorStart>(start);
  const auto& parameters = sector.parameters;
  const bool ntfs = holds(start, {3, "NTFS    "});
  const bool fat32 = parameters.sectors_per_fat16 == 0 && sector.fat32_root_cluster >= 2;
  if (!ntfs && !fat32) return 0;
  const std::uint64_t far = ntfs ? ntfs_table_sector(sector) : fat32_root_sector(sector);
  const std::uint64_t most = size / std::max<std::uint64_t>(1, parameters.bytes_per_sector);
  return far > most ? 0 : far * parameters.bytes_per_sector;
}

class Viewing {
 public:
  explicit Viewing(block::BlockDevice& device)
      : device_(device),
        size_(device.size()),
        start_(device.read(0, std::size_t(std::min(start_bytes, size_)))),
        end_(device.read(end_offset(), std::size_t(size_ - end_offset()))) {}

  SignatureView run() {
    view_.may_be_zfs = holds_zfs_label();
    view_.may_be_xfs_log = holds_xfs_log(start_);
    const bool is_unusual = view_.may_be_zfs || is_far_reaching(start_);
    if (const auto raw = is_unusual ? device_.raw_location() : std::nullopt) {
      view_.fd = raw->fd;
      view_.offset = raw->offset;
      return std::move(view_);
    }
    view_.own = sys::memory_file(device_.name(), size_);
    view_.fd = view_.own.get();
    is_unusual ? copy_ends() : copy_places();
    return std::move(view_);
  }

 private:
  // From the list of the first of ZFS's labels at the end on: all that is looked for there in one read.
  std::uint64_t end_offset() const {
    const std::uint64_t labels = size_ / label_bytes;
    return labels < 4 ? size_ : (labels - 2) * label_bytes + list_offset;
  }

  bool holds_zfs_label() {
    const std::uint64_t labels = size_ / label_bytes;
    if (labels < 4) return false;
    return std::ranges::any_of(std::array{std::uint64_t(0), std::uint64_t(1), labels - 2, labels - 1},
                               [&](std::uint64_t label) {
                                 const std::uint64_t place = label * label_bytes + list_offset;
                                 return starts_list(at(place, list_starts[0].size()));
                               });
  }

  // What was read already is not read again.
  std::span<const std::byte> at(std::uint64_t offset, std::uint64_t length) {
    if (offset + length <= start_.size()) return std::span(start_).subspan(std::size_t(offset), std::size_t(length));
    if (offset >= end_offset()) return std::span(end_).subspan(std::size_t(offset - end_offset()), std::size_t(length));
    elsewhere_ = device_.read(offset, std::size_t(length));
    return elsewhere_;
  }

  // As far as the device goes. Holes stand for zeros.
  void copy(std::uint64_t offset, std::uint64_t length) {
    offset = std::min(offset, size_);
    const auto bytes = at(offset, std::min(length, size_ - offset));
    if (!block::is_zero(bytes)) sys::write_fully(view_.fd, bytes, offset, "a copy of " + device_.name());
  }

  void copy_end(std::uint64_t length) { copy(size_ - std::min(size_, length), length); }

  void copy_places() {
    copy(0, marks_bytes);
    for (const std::uint64_t place : places_behind_start) copy(place, page_bytes);
    copy_end(end_bytes);
  }

  void copy_ends() {
    copy(0, ends_bytes);
    copy_end(ends_bytes);
    if (const std::uint64_t place = far_place(start_, size_)) copy(place, far_bytes);
  }

  block::BlockDevice& device_;
  std::uint64_t size_;
  std::vector<std::byte> start_, end_, elsewhere_;
  SignatureView view_;
};

}  // namespace

SignatureView view_for_libblkid(block::BlockDevice& device) { return Viewing(device).run(); }

}  // namespace hrvm::probe
