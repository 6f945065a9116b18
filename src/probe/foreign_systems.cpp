#include "probe/foreign_systems.hpp"

#include <algorithm>
#include <array>
#include <iterator>

#include <fmt/core.h>

#include "hrvm/base/endian.hpp"
#include "hrvm/base/text.hpp"

namespace hrvm::probe {
namespace {

using enum SystemFamily;

// What a partition of a root is known by: its type, its name, or the filesystem in it by libblkid's word. Of a BSD, UFS
// comes before ZFS.
struct Foreign {
  std::string_view mark, id, name;
  SystemFamily family;
  bool only_where_booting = false;
};
constexpr Foreign foreign[] = {
    {"516e7cb6-6ecf-11d6-8ff8-00022d09712b", "freebsd", "FreeBSD", bsd, true},
    {"516e7cba-6ecf-11d6-8ff8-00022d09712b", "freebsd", "FreeBSD", bsd, true},
    {"0xa5", "freebsd", "FreeBSD", bsd, true},
    {"824cc7a0-36a8-11e3-890a-952519ad3f61", "openbsd", "OpenBSD", bsd, true},
    {"0xa6", "openbsd", "OpenBSD", bsd, true},
    {"49f48d5a-b10e-11dc-b99b-0019d1879648", "netbsd", "NetBSD", bsd, true},
    {"0xa9", "netbsd", "NetBSD", bsd, true},
    {"85d5e45e-237c-11e1-b4b3-e89a8f7fc3a7", "midnightbsd", "MidnightBSD", bsd, true},
    {"9d087404-1ca5-11dc-8817-01301bb8a9f5", "dragonfly", "DragonFly BSD", bsd, true},
    {"61dc63ac-6e38-11dc-8513-01301bb8a9f5", "dragonfly", "DragonFly BSD", bsd, true},
    {"0x6c", "dragonfly", "DragonFly BSD", bsd, true},
    {"7c3457ef-0000-11aa-aa11-00306543ecac", "macos", "macOS", unknown},
    {"apfs", "macos", "macOS", unknown},
    {"426f6f74-0000-11aa-aa11-00306543ecac", "macos", "macOS", unknown},  // Apple boot: Recovery HD
    {"52637672-7900-11aa-aa11-00306543ecac", "macos", "macOS", unknown},  // recovery of Apple silicon
    {"53746f72-6167-11aa-aa11-00306543ecac", "macos", "macOS", unknown},  // Core Storage
    {"0xab", "macos", "macOS", unknown},
    {"fe3a2a5d-4f32-41a7-b725-accc3285a309", "chromeos", "ChromeOS", linux},  // its kernel
    {"38f428e6-d326-425d-9140-6e0ea133647c", "android", "Android", linux},    // its system
    {"49a4d17f-93a3-45c1-a0de-f50b2ebe2599", "android", "Android", linux},    // its kernel
    {"name:super", "android", "Android", linux},
    {"name:system_a", "android", "Android", linux},
    {"19a710a2-b3ca-11e4-b026-10604b889dcf", "android", "Android", linux},     // its metadata
    {"9d275380-40ad-11db-bf97-000c2911d1b8", "esxi", "VMware ESXi", unknown},  // where it writes after a crash
    {"9198effc-31c0-11db-8f78-000c2911d1b8", "esxi", "VMware ESXi", unknown},
    {"0xfc", "esxi", "VMware ESXi", unknown},
    {"42465331-3ba3-10f1-802a-4861696b7521", "haiku", "Haiku", unknown},
    {"befs", "haiku", "Haiku", unknown},
    {"0xeb", "haiku", "Haiku", unknown},
    {"6a82cb45-1dd2-11b2-99a6-080020736631", "solaris", "Solaris", unknown},  // its boot
    {"6a85cf4d-1dd2-11b2-99a6-080020736631", "solaris", "Solaris", unknown},  // its root
    {"0xbe", "solaris", "Solaris", unknown},
    {"0xbf", "solaris", "Solaris", unknown},
    {"cef5a9ad-73bc-4601-89f3-cdeeeee321a1", "qnx", "QNX", unknown},
    {"c91818f9-8025-47af-89d2-f030d7000c2c", "plan9", "Plan 9", unknown},
};

System named(const Foreign& kind, std::string root) {
  System system;
  system.id = kind.id;
  system.name = kind.name;
  system.pretty = kind.name;
  system.family = kind.family;
  system.root = std::move(root);
  return system;
}

// "p3", "disk"; empty where there is none.
std::string root_of(const Foreign& kind, const Contents& contents) {
  const auto partition = std::ranges::find_if(contents.partitions, [&](const SurveyedPartition& each) {
    return each.partition.type == kind.mark || each.filesystem == kind.mark ||
           "name:" + each.partition.name == kind.mark;
  });
  if (partition != contents.partitions.end()) return fmt::format("p{}", partition->partition.number);
  const auto volume = std::ranges::find_if(contents.volumes, [&](const Volume& each) {
    return each.kind == VolumeKind::disk && each.filesystem == kind.mark;
  });
  return volume == contents.volumes.end() ? std::string() : volume->path;
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

std::vector<System> foreign_systems(const Contents& contents) {
  std::vector<System> systems;
  const bool boots = contents.boot.bios || contents.boot.uefi();
  const auto is_known = [&](const std::vector<System>& known, const Foreign& kind, const std::string& root) {
    return std::ranges::any_of(
        known, [&](const System& each) { return !each.inside && (each.id == kind.id || each.root == root); });
  };
  for (const Foreign& kind : foreign) {
    const std::string root = root_of(kind, contents);
    if (root.empty() || (kind.only_where_booting && !boots)) continue;
    if (!is_known(systems, kind, root) && !is_known(contents.systems, kind, root)) systems.push_back(named(kind, root));
  }
  return systems;
}

bool has_disklabel(block::BlockDevice& disk) {
  constexpr std::uint32_t magic = 0x82564557;
  return disk.size() >= 1024 && base::load<base::le32>(disk.read(512, 4)) == magic;
}

System system_by_disklabel() { return named({"", "bsd", "BSD", bsd}, "disk"); }

std::optional<std::string> iso_volume_name(block::BlockDevice& disk) {
  if (disk.size() < descriptor_offset + sizeof(VolumeDescriptor)) return std::nullopt;
  const auto bytes = disk.read(descriptor_offset, sizeof(VolumeDescriptor));
  const auto descriptor = base::load<VolumeDescriptor>(bytes);
  if (descriptor.type != primary || std::string_view(descriptor.identifier.data(), 5) != "CD001") return std::nullopt;
  const auto& name = descriptor.volume_name;
  return base::printable(base::trim(std::string_view(name.data(), name.size())));
}

}  // namespace hrvm::probe
