#include "hrvm/probe/signature.hpp"

#include <blkid/blkid.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "bitlocker.hpp"
#include "dos_format.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/sys/fd.hpp"
#include "hrvm/sys/files.hpp"

namespace hrvm::probe {
namespace {

struct FreeProbe {
  void operator()(blkid_probe probe) const { blkid_free_probe(probe); }
};
using Probe = std::unique_ptr<std::remove_pointer_t<blkid_probe>, FreeProbe>;

constexpr std::uint64_t end_bytes = 1 << 20, far_bytes = 32 << 10;

struct View {
  sys::Fd own;  // of a copy
  int fd = -1;
  std::uint64_t offset = 0;
};

void copy(block::BlockDevice& device, int fd, std::uint64_t offset, std::uint64_t length) {
  offset = std::min(offset, device.size());
  length = std::min(length, device.size() - offset);
  sys::write_fully(fd, device.read(offset, std::size_t(length)), offset, "a copy of " + device.name());
}

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

std::uint64_t ntfs_table_sector(const BootSectorStart& sector) {
  return sector.ntfs_table_cluster * sector.parameters.sectors_per_cluster;
}

std::uint64_t fat32_root_sector(const BootSectorStart& sector) {
  const auto& parameters = sector.parameters;
  return parameters.reserved_sectors + std::uint64_t(parameters.fats) * sector.fat32_sectors_per_fat +
         (sector.fat32_root_cluster - 2ull) * parameters.sectors_per_cluster;
}

// Two filesystems are told by a place that lies anywhere: NTFS by the start of its master file table, and a FAT32's
// label by its root folder. 0 for others. What a hostile boot sector says is held against the device's size by copy().
std::uint64_t far_place(block::BlockDevice& device) {
  if (device.size() < 512) return 0;
  const auto sector = base::load<BootSectorStart>(device.read(0, 512));
  const auto& parameters = sector.parameters;
  const bool ntfs = std::string_view(parameters.oem.data(), 8) == "NTFS    ";
  const bool fat32 = parameters.sectors_per_fat16 == 0 && sector.fat32_root_cluster >= 2;
  if (!ntfs && !fat32) return 0;
  const std::uint64_t far = ntfs ? ntfs_table_sector(sector) : fat32_root_sector(sector);
  const std::uint64_t most = device.size() / std::max<std::uint64_t>(1, parameters.bytes_per_sector);
  return far > most ? 0 : far * parameters.bytes_per_sector;
}

// Most magics lie in the first MiB or the last; holes stand for the rest and take no memory.
View copy_of_ends(block::BlockDevice& device) {
  View view{sys::memory_file(device.name(), device.size()), -1, 0};
  view.fd = view.own.get();
  copy(device, view.fd, 0, end_bytes);
  copy(device, view.fd, device.size() - std::min(device.size(), end_bytes), end_bytes);
  if (const std::uint64_t place = far_place(device)) copy(device, view.fd, place, far_bytes);
  return view;
}

View view_of(block::BlockDevice& device) {
  if (const auto raw = device.raw_location()) return {sys::Fd(), raw->fd, raw->offset};
  return copy_of_ends(device);
}

Probe make_probe(const View& view, const block::BlockDevice& device) {
  Probe probe(blkid_new_probe());
  if (!probe || blkid_probe_set_device(probe.get(), view.fd, off_t(view.offset), off_t(device.size())) != 0)
    throw base::system_error(errno, "examine", device.name());
  blkid_probe_set_sectorsize(probe.get(), device.sector_sizes().logical_bytes);
  blkid_probe_enable_partitions(probe.get(), 0);
  blkid_probe_enable_superblocks(probe.get(), 1);
  blkid_probe_set_superblocks_flags(probe.get(), BLKID_SUBLKS_TYPE | BLKID_SUBLKS_USAGE | BLKID_SUBLKS_LABEL |
                                                     BLKID_SUBLKS_UUID | BLKID_SUBLKS_VERSION);
  return probe;
}

std::string value(const Probe& probe, const char* name) {
  const char* data = nullptr;
  std::size_t length = 0;
  if (blkid_probe_lookup_value(probe.get(), name, &data, &length) != 0 || length == 0) return {};
  return {data, length - (data[length - 1] == '\0' ? 1 : 0)};
}

// libblkid knows it by its header alone, which is the same on all volumes.
void complete_bitlocker(block::BlockDevice& device, Signature& signature) {
  const auto volume = read_bitlocker(device);
  if (!volume) return;
  signature.uuid = volume->uuid;
  signature.version = volume->version;
}

}  // namespace

std::optional<Signature> read_signature(block::BlockDevice& device) {
  if (device.size() == 0) return std::nullopt;
  const View view = view_of(device);
  const Probe probe = make_probe(view, device);
  constexpr int found = 0;
  if (blkid_do_safeprobe(probe.get()) != found) return std::nullopt;
  Signature signature{value(probe, "TYPE"), value(probe, "USAGE"), value(probe, "LABEL"), value(probe, "UUID"),
                      value(probe, "VERSION")};
  if (signature.type.empty()) return std::nullopt;
  if (signature.type == "BitLocker") complete_bitlocker(device, signature);
  return signature;
}

}  // namespace hrvm::probe
