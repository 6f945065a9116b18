#include "probe/spread_btrfs.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <set>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"

namespace hrvm::probe {
namespace {

using base::Severity;

struct Group {
  Signature signature;
  fs::BtrfsMember told;  // by the first member
  std::vector<block::BlockDevice*> devices;
  std::set<std::uint64_t> numbers;
};

std::string name_of(const Signature& signature) {
  return "btrfs:" + base::printable(signature.label.empty() ? signature.uuid : signature.label);
}

SpreadBtrfs open(const Group& group) {
  const bool is_complete = group.numbers.size() >= group.told.devices;
  SpreadBtrfs spread{{VolumeKind::btrfs, group.told.uuid, name_of(group.signature), is_complete, {}, {}},
                     group.signature,
                     group.told.size_bytes,
                     fmt::format("{} devices", group.told.devices),
                     nullptr,
                     {}};
  const auto add = [&](std::string id, Severity severity, std::string message, std::string remedy) {
    spread.findings.push_back({std::move(id), severity, spread.set.name, std::move(message), std::move(remedy)});
  };
  if (!spread.set.is_complete) {
    spread.set.missing = {
        fmt::format("{} of its {} devices", group.told.devices - group.numbers.size(), group.told.devices)};
    add("btrfs-member-missing", Severity::warning,
        fmt::format("{} of its {} devices are not here; what lies on them alone cannot be read",
                    group.told.devices - group.numbers.size(), group.told.devices),
        "a machine needs all disks of the filesystem; importing this one alone gives it a part of its data");
  }
  try {
    spread.files = fs::open_btrfs(group.devices);
  } catch (const base::Error& error) {
    if (spread.set.is_complete || error.kind() != base::ErrorKind::not_found)
      add("filesystem-damaged", Severity::error, base::printable("it cannot be opened: " + error.message()), "");
  }
  return spread;
}

}  // namespace

bool is_spread(const Signature& signature, block::BlockDevice& device) {
  if (signature.type != "btrfs") return false;
  const auto member = fs::read_btrfs_member(device);
  return member && member->devices > 1;
}

std::vector<SpreadBtrfs> open_spread_btrfs(const std::vector<volume::Member>& members, std::size_t own) {
  std::map<std::string, Group> groups;
  for (std::size_t i = 0; i < members.size(); ++i) {
    const auto told = fs::read_btrfs_member(*members[i].device);
    if (!told || told->devices < 2 || (i >= own && !groups.contains(told->uuid))) continue;
    auto& group = groups[told->uuid];
    if (group.devices.empty()) {
      group.told = *told;
      if (auto signature = read_signature(*members[i].device)) group.signature = std::move(*signature);
    }
    group.devices.push_back(members[i].device);
    group.numbers.insert(told->device);
  }
  std::vector<SpreadBtrfs> opened;
  for (const auto& [uuid, group] : groups) opened.push_back(open(group));
  return opened;
}

}  // namespace hrvm::probe
