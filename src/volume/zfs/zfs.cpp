// ZFS pools by what their devices say of them.
#include <algorithm>
#include <map>
#include <set>

#include <fmt/core.h>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/volume/volumes.hpp"
#include "volume/zfs/format.hpp"
#include "volume/zfs/label.hpp"

namespace hrvm::volume {
namespace {

using base::Severity;
using namespace zfs;

constexpr std::uint64_t feature_flags_version = 5000;
constexpr unsigned deepest_vdev = 8;
constexpr const char* remedy_for_damage =
    "zpool import in a machine tells whether its pool can still be used; it may be left over from an older one";

struct Device {
  Member member;
  Label label;
  std::uint64_t number(const char* name) const { return label.config.number(name).value_or(0); }
};

struct Pool {
  std::vector<const Device*> devices;

  // The one that was written last speaks for the pool.
  const Device& newest() const {
    return **std::ranges::max_element(devices, {}, [](const Device* device) {
      return std::pair(device->label.uberblock ? device->label.uberblock->txg : 0, device->number("txg"));
    });
  }
};

using Guids = std::set<std::uint64_t>;

const std::vector<NvList>* children_of(const NvList& vdev) {
  const auto children = vdev.arrays.find("children");
  return children == vdev.arrays.end() ? nullptr : &children->second;
}

// The devices that a vdev is made of, by guid.
void collect_leaves(const NvList& vdev, std::map<std::uint64_t, std::string>& leaves, unsigned depth = 0) {
  if (depth > deepest_vdev) return;
  const auto* children = children_of(vdev);
  if (!children) {
    leaves[vdev.number("guid").value_or(0)] = vdev.text("path");
    return;
  }
  for (const NvList& child : *children) collect_leaves(child, leaves, depth + 1);
}

std::uint64_t parity_of(const NvList& vdev) {
  const std::string type = vdev.text("type");
  return type == "raidz" || type == "draid" ? vdev.number("nparity").value_or(1) : 0;
}

// With these devices and no others. A device that is being replaced is a vdev of its own, with the old and the new one.
bool is_usable(const NvList& vdev, const Guids& present, unsigned depth = 0) {
  const auto* children = children_of(vdev);
  if (!children) return present.contains(vdev.number("guid").value_or(0));
  if (depth > deepest_vdev) return false;
  const auto usable = std::size_t(
      std::ranges::count_if(*children, [&](const NvList& child) { return is_usable(child, present, depth + 1); }));
  if (const std::uint64_t parity = parity_of(vdev)) return usable + parity >= children->size();
  return usable > 0;  // a mirror
}

// "mirror of 2", "raidz1 of 4", "one device".
std::string layout_of(const NvList& vdev, unsigned depth = 0) {
  const auto* children = children_of(vdev);
  if (!children) return "one device";
  if (children->size() == 1 && depth < deepest_vdev) return layout_of(children->front(), depth + 1);
  const std::uint64_t parity = parity_of(vdev);
  return fmt::format("{}{} of {}", vdev.text("type"), parity ? std::to_string(parity) : "", children->size());
}

// A top-level vdev, with those of its devices that are here.
struct TopLevel {
  const NvList* tree = nullptr;
  std::map<std::uint64_t, std::string> leaves;
  Guids present;
};

std::map<std::uint64_t, TopLevel> top_levels_of(const Pool& pool) {
  std::map<std::uint64_t, TopLevel> tops;
  for (const Device* device : pool.devices) {
    const auto tree = device->label.config.lists.find("vdev_tree");
    if (tree == device->label.config.lists.end()) continue;
    auto& top = tops[device->number("top_guid")];
    if (!top.tree) {
      top.tree = &tree->second;
      collect_leaves(tree->second, top.leaves);
    }
    top.present.insert(device->number("guid"));
  }
  return tops;
}

class Assembling {
 public:
  explicit Assembling(const std::vector<Member>& members) {
    for (const Member& member : members) read(member);
  }

  Assembly run() && {
    std::map<std::uint64_t, Pool> pools;
    for (const Device& device : devices_)
      if (is_of_a_pool(device)) pools[device.number("pool_guid")].devices.push_back(&device);
    for (const auto& pool : pools) assemble(pool.first, pool.second);
    return std::move(assembly_);
  }

 private:
  void add(std::string id, Severity severity, std::string subject, const std::string& message,
           std::string remedy = {}) {
    assembly_.findings.push_back(
        {std::move(id), severity, std::move(subject), base::printable(message), std::move(remedy)});
  }

  void read(const Member& member) {
    auto label = read_label(*member.device);
    if (!label)
      return add("zfs-label-damaged", Severity::error, member.name, "none of its four ZFS labels is sound",
                 remedy_for_damage);
    if (label->damaged > 0)
      add("zfs-label-damaged", Severity::warning, member.name,
          fmt::format("the first {} of its four ZFS labels are damaged", label->damaged),
          "zpool scrub in a machine shows what else is damaged");
    devices_.push_back({member, std::move(*label)});
  }

  bool is_of_a_pool(const Device& device) {
    const auto state = PoolState(device.number("state"));
    const std::string pool = device.label.config.text("name");
    switch (state) {
      case PoolState::spare:
      case PoolState::cache:
        add("zfs-auxiliary", Severity::note, device.member.name,
            fmt::format("it is a {} device of a ZFS pool, and holds nothing to boot",
                        state == PoolState::spare ? "spare" : "cache"));
        return false;
      case PoolState::destroyed:
        add("zfs-pool-destroyed", Severity::note, device.member.name,
            "it was of the ZFS pool " + pool + ", which was destroyed");
        return false;
      default:
        return !pool.empty();
    }
  }

  void assemble(std::uint64_t guid, const Pool& pool) {
    const Device& newest = pool.newest();
    const NvList& config = newest.label.config;
    const auto tops = top_levels_of(pool);
    Volume volume;
    volume.set = std::to_string(guid);
    volume.path = base::printable(config.text("name"));
    volume.kind = VolumeKind::zfs;
    volume.because = "its datasets are not read yet, so a system in them is not named from them";
    volume.details = base::printable(describe(newest, tops));
    for (const auto& top : tops) volume.size_bytes += top.second.tree->number("asize").value_or(0);
    MemberSet set{VolumeKind::zfs, volume.set, volume.path, {}, true, printable(missing_from(config, tops))};
    set.is_complete = set.missing.empty();
    for (const Device* device : pool.devices) set.members.push_back(device->member.name);
    assembly_.sets.push_back(std::move(set));
    tell_missing(volume.path, config, tops);
    if (!newest.label.uberblock)
      add("zfs-uberblock-damaged", Severity::error, volume.path,
          fmt::format("none of the uberblocks of pool {} is sound", guid), remedy_for_damage);
    assembly_.volumes.push_back(std::move(volume));
  }

  static std::string describe(const Device& newest, const std::map<std::uint64_t, TopLevel>& tops) {
    const NvList& config = newest.label.config;
    std::vector<std::string> parts;
    for (const auto& top : tops) parts.push_back(layout_of(*top.second.tree));
    const std::uint64_t version = newest.number("version");
    if (version != feature_flags_version) parts.push_back(fmt::format("version {}", version));
    if (newest.label.uberblock) parts.push_back(fmt::format("txg {}", newest.label.uberblock->txg));
    const bool exported = PoolState(newest.number("state")) == PoolState::exported;
    const auto host_id = config.number("hostid");
    if (const std::string host = config.text("hostname"); !host.empty())
      parts.push_back(fmt::format("{} by {}{}", exported ? "exported" : "last used", host,
                                  host_id ? fmt::format(" (host id {:08x})", *host_id) : ""));
    return base::join(parts, ", ");
  }

  // Places of top-level vdevs that were removed.
  static std::size_t holes(const NvList& config) {
    const auto array = config.number_arrays.find("hole_array");
    return array == config.number_arrays.end() ? 0 : array->second.size();
  }

  static std::size_t absent_top_levels(const NvList& config, std::size_t here) {
    const std::uint64_t count = config.number("vdev_children").value_or(here);
    const std::uint64_t known = here + holes(config);
    return count > known ? count - known : 0;
  }

  static std::vector<std::string> missing_from(const NvList& config, const std::map<std::uint64_t, TopLevel>& tops) {
    std::vector<std::string> missing;
    for (const auto& top : tops)
      for (const auto& [leaf, path] : top.second.leaves)
        if (!top.second.present.contains(leaf)) missing.push_back(path.empty() ? fmt::format("{}", leaf) : path);
    if (const auto absent = absent_top_levels(config, tops.size()))
      missing.push_back(fmt::format("{} of {} top-level vdevs", absent, *config.number("vdev_children")));
    return missing;
  }

  static std::vector<std::string> printable(std::vector<std::string> texts) {
    for (auto& text : texts) text = base::printable(text);
    return texts;
  }

  void tell_missing(const std::string& pool, const NvList& config, const std::map<std::uint64_t, TopLevel>& tops) {
    const auto missing = missing_from(config, tops);
    if (missing.empty()) return;
    const bool usable = absent_top_levels(config, tops.size()) == 0 && std::ranges::all_of(tops, [](const auto& top) {
                          return is_usable(*top.second.tree, top.second.present);
                        });
    add("zfs-member-missing", Severity::warning, pool,
        fmt::format("not on this disk, of ZFS pool {}: {}{}", pool, base::join(missing, ", "),
                    usable ? "; it can be used without" : ""),
        usable ? "" : "a machine needs all disks of the pool");
  }

  std::vector<Device> devices_;
  Assembly assembly_;
};

}  // namespace

Assembly assemble_zfs(const std::vector<Member>& members) { return Assembling(members).run(); }

}  // namespace hrvm::volume
