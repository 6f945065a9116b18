// LVM2 volume groups as block devices.
#include <algorithm>
#include <map>

#include <fmt/core.h>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/volume/volumes.hpp"
#include "volume/lvm/devices.hpp"
#include "volume/lvm/group.hpp"
#include "volume/lvm/label.hpp"

namespace hrvm::volume {
namespace {

using base::Severity;
using namespace lvm;

struct FoundMember {
  Member member;
  Label label;
};

// A group by its newest metadata, and its members that are here.
struct FoundGroup {
  Group group;
  std::vector<const FoundMember*> members;
};

class Assembling {
 public:
  explicit Assembling(const std::vector<Member>& members) : members_(members) {}

  Assembly run() && {
    for (const auto& member : members_)
      if (auto label = read_label(*member.device)) found_.push_back({member, std::move(*label)});
    for (const auto& found : found_) read_metadata(found);
    for (auto& group : groups_) assemble(group.second);
    assembly_.shared = std::move(devices_);
    return std::move(assembly_);
  }

 private:
  using Devices = std::vector<std::unique_ptr<GroupDevices>>;

  void add(std::string id, Severity severity, std::string subject, std::string message, std::string remedy = {}) {
    assembly_.findings.push_back(
        {std::move(id), severity, std::move(subject), base::printable(message), std::move(remedy)});
  }

  void read_metadata(const FoundMember& found) {
    if (!found.label.metadata) {
      if (!found.label.trouble.empty())
        add("lvm-metadata-damaged", Severity::warning, found.member.name,
            "its copy of the volume group's metadata cannot be used: " + found.label.trouble);
      return;
    }
    try {
      auto group = read_group(parse_text(*found.label.metadata));
      auto& kept = groups_[group.uuid];
      if (kept.group.uuid.empty() || kept.group.sequence < group.sequence) kept.group = std::move(group);
    } catch (const base::Error& error) {
      add("lvm-metadata-damaged", Severity::error, found.member.name, error.message());
    }
  }

  void assemble(FoundGroup& found) {
    const auto& group = found.group;
    std::map<std::string, block::BlockDevice*> physical;
    std::vector<std::string> missing;
    MemberSet told{VolumeKind::lvm, group.uuid, group.name, {}, true, {}};
    for (const auto& volume : group.physical_volumes) {
      const auto here = std::ranges::find(found_, volume.uuid, [](const FoundMember& m) { return m.label.uuid; });
      if (here == found_.end()) {
        missing.push_back(volume.name);
        told.missing.push_back(describe(group, volume));
        continue;
      }
      physical[volume.name] = here->member.device;
      told.members.push_back(here->member.name);
    }
    told.is_complete = missing.empty();
    assembly_.sets.push_back(std::move(told));
    if (!missing.empty()) tell_missing(group, missing);
    auto& devices = *devices_->emplace_back(std::make_unique<GroupDevices>(group, std::move(physical)));
    for (const auto& volume : group.logical_volumes)
      if (assembly_.volumes.size() < most_volumes) take(devices, group, volume);
  }

  static std::string describe(const Group& group, const PhysicalVolume& volume) {
    const auto size = base::format_bytes(volume.extents * group.extent_bytes());
    const auto seen = volume.last_path.empty() ? "" : ", last seen as " + volume.last_path;
    return base::printable(fmt::format("{}{} ({})", volume.name, seen, size));
  }

  void tell_missing(const Group& group, const std::vector<std::string>& missing) {
    add("lvm-member-missing", Severity::warning, group.name,
        fmt::format("{} of the {} physical volumes of volume group {} are not on this disk: {}", missing.size(),
                    group.physical_volumes.size(), group.name, base::join(missing, ", ")),
        "a machine needs all disks of the group; importing this one alone gives it a part of its data");
  }

  // A snapshot is named: what it shows is its origin's, as it was, and its systems would be listed twice.
  void take(GroupDevices& devices, const Group& group, const LogicalVolume& logical) {
    const auto snapshot = devices.describe_snapshot(logical.name);
    if (snapshot.empty() && !logical.is_visible) return;
    Volume volume = named(group, logical);
    if (snapshot.empty())
      open(devices, logical, volume);
    else
      volume.details = base::printable(snapshot);
    assembly_.volumes.push_back(std::move(volume));
  }

  static Volume named(const Group& group, const LogicalVolume& logical) {
    Volume volume;
    volume.set = group.uuid;
    volume.path = base::printable(fmt::format("{}/{}", group.name, logical.name));
    volume.kind = VolumeKind::lvm;
    volume.size_bytes = logical.extents() * group.extent_bytes();
    volume.details = base::printable(describe(logical));
    return volume;
  }

  static void open(GroupDevices& devices, const LogicalVolume& logical, Volume& volume) {
    try {
      if (!logical.is_thin_pool()) volume.device = devices.open_volume(logical.name, volume.path);
    } catch (const base::Error& error) {
      volume.because = base::printable(error.message());
    }
  }

  // Empty for the usual case: one that lies on physical volumes as it is.
  static std::string describe(const LogicalVolume& logical) {
    if (logical.segments.empty()) return {};
    const auto& segment = logical.segments.front();
    if (!segment.thin_pool.empty()) return "thin volume of " + segment.thin_pool;
    if (logical.is_thin_pool()) return "thin pool";
    if (segment.type != "striped") return segment.type;
    return segment.areas.size() > 1 ? fmt::format("striped over {}", segment.areas.size()) : "";
  }

  static constexpr std::size_t most_volumes = 1024;

  const std::vector<Member>& members_;
  std::vector<FoundMember> found_;
  std::map<std::string, FoundGroup> groups_;
  std::shared_ptr<Devices> devices_ = std::make_shared<Devices>();
  Assembly assembly_;
};

}  // namespace

Assembly assemble_lvm(const std::vector<Member>& members) { return Assembling(members).run(); }

}  // namespace hrvm::volume
