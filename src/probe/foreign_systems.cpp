#include "probe/foreign_systems.hpp"

#include <algorithm>
#include <array>
#include <iterator>

#include <fmt/core.h>

#include "hrvm/base/endian.hpp"
#include "hrvm/base/text.hpp"

namespace hrvm::probe {
namespace {

// Each partition type of a root, UFS before ZFS.
struct Foreign {
  std::string_view type, id, name;
};
constexpr Foreign foreign[] = {
    {"516e7cb6-6ecf-11d6-8ff8-00022d09712b", "freebsd", "FreeBSD"},
    {"516e7cba-6ecf-11d6-8ff8-00022d09712b", "freebsd", "FreeBSD"},
    {"0xa5", "freebsd", "FreeBSD"},
    {"824cc7a0-36a8-11e3-890a-952519ad3f61", "openbsd", "OpenBSD"},
    {"0xa6", "openbsd", "OpenBSD"},
    {"49f48d5a-b10e-11dc-b99b-0019d1879648", "netbsd", "NetBSD"},
    {"0xa9", "netbsd", "NetBSD"},
};

System named(const Foreign& kind, const Partition& partition) {
  System system;
  system.id = kind.id;
  system.name = kind.name;
  system.pretty = kind.name;
  system.family = SystemFamily::bsd;
  system.root = fmt::format("p{}", partition.number);
  return system;
}

struct VolumeDescriptor {
  std::uint8_t type;
  std::array<char, 5> identifier;
  std::uint8_t version;
  std::uint8_t unused;
  std::array<char, 32> system_name;
  std::array<char, 32> volume_name;
};
static_assert(sizeof(VolumeDescriptor) == 72);
constexpr std::uint64_t descriptor_offset = 16 * 2048;
constexpr std::uint8_t primary = 1;

}  // namespace

std::vector<System> foreign_systems(const PartitionTable& table, const BootEvidence& boot) {
  std::vector<System> systems;
  if (!boot.bios && !boot.uefi()) return systems;
  for (const Foreign& kind : foreign) {
    const auto partition = std::ranges::find(table.partitions, kind.type, &Partition::type);
    const bool told = std::ranges::find(systems, kind.id, &System::id) != systems.end();
    if (partition != table.partitions.end() && !told) systems.push_back(named(kind, *partition));
  }
  return systems;
}

std::optional<std::string> iso_volume_name(block::BlockDevice& disk) {
  if (disk.size() < descriptor_offset + sizeof(VolumeDescriptor)) return std::nullopt;
  const auto bytes = disk.read(descriptor_offset, sizeof(VolumeDescriptor));
  const auto descriptor = base::load<VolumeDescriptor>(bytes);
  if (descriptor.type != primary || std::string_view(descriptor.identifier.data(), 5) != "CD001") return std::nullopt;
  const auto& name = descriptor.volume_name;
  return base::printable(base::trim(std::string_view(name.data(), name.size())));
}

}  // namespace hrvm::probe
