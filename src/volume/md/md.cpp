// Linux md arrays as block devices.
#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <optional>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/volume/volumes.hpp"
#include "volume/mapped_volume.hpp"
#include "volume/md/format.hpp"
#include "volume/md/map.hpp"
#include "volume/md/super.hpp"

namespace hrvm::volume {
namespace {

using base::Severity;
using namespace md;

struct FoundMember {
  Member member;
  Super super;
};

class Assembling {
 public:
  Assembly run(const std::vector<Member>& members) && {
    for (const auto& member : members) read(member);
    for (auto& [uuid, found] : arrays_) assemble(found);
    return std::move(assembly_);
  }

 private:
  void add(std::string id, Severity severity, std::string subject, std::string message, std::string remedy = {}) {
    assembly_.findings.push_back(
        {std::move(id), severity, std::move(subject), base::printable(message), std::move(remedy)});
  }

  void read(const Member& member) {
    try {
      if (auto super = read_super(*member.device)) arrays_[super->array].push_back({member, std::move(*super)});
    } catch (const base::Error& error) {
      add("md-superblock-damaged", Severity::warning, member.name, error.message());
    }
  }

  void assemble(std::vector<FoundMember>& found) {
    std::ranges::stable_sort(found, std::ranges::greater(), [](const FoundMember& m) { return m.super.events; });
    const auto& array = found.front().super;
    const auto path = path_of(array);
    Parts parts;
    MemberSet told{VolumeKind::md, array.array.text(), path, {}, true, {}};
    for (const auto& each : found) {
      told.members.push_back(each.member.name);
      if (const auto role = current_role(array, each.super))
        parts.emplace(*role, Part{each.member.device, each.super});
      else if (is_stale(array, each.super))
        tell_stale(path, each.member);
    }
    told.is_complete = parts.size() >= array.members;
    if (!told.is_complete) tell_missing(path, array, parts.size());
    told.missing = missing_from(array, found);
    assembly_.volumes.push_back(open(told, array, parts));
    assembly_.sets.push_back(std::move(told));
  }

  // Those that the array still counts on. One that it knows to have failed is gone for the system on it as well, and
  // one that is here and cannot be read yet is not missing.
  static std::vector<std::string> missing_from(const Super& array, const std::vector<FoundMember>& found) {
    std::vector<std::string> missing;
    for (std::uint32_t number = 0; number < array.roles.size(); ++number) {
      const auto role = array.role_of(number);
      const bool is_here = std::ranges::any_of(found, [&](const auto& each) { return each.super.number == number; });
      if (role && *role < array.members && !is_here)
        missing.push_back(fmt::format("member {} of {}", *role + 1, array.members));
    }
    return missing;
  }

  // A member that missed a change must not be read; one update may be under way.
  static bool is_stale(const Super& array, const Super& member) {
    const bool was_in = member.role_of(member.number).has_value();
    return was_in && (member.events + 1 < array.events || !array.role_of(member.number));
  }

  // None for spares, for those whose data are not complete, and for those that the newest no longer counts.
  static std::optional<std::uint32_t> current_role(const Super& array, const Super& member) {
    const auto role = member.role_of(member.number);
    const bool counts = member.is_whole && !is_stale(array, member) && role && *role < array.members;
    return counts ? role : std::nullopt;
  }

  std::string path_of(const Super& array) const {
    const auto uuid = "md:" + array.array.text();
    if (array.name.empty()) return uuid;
    const auto path = "md:" + base::printable(array.name);
    const bool is_taken = std::ranges::find(assembly_.volumes, path, &Volume::path) != assembly_.volumes.end();
    return is_taken ? uuid : path;
  }

  void tell_stale(const std::string& path, const Member& member) {
    add("md-member-stale", Severity::warning, member.name,
        fmt::format("it has missed changes of the array {}, and is not read", path),
        "find out why it fell out of the array before anything is read from it");
  }

  void tell_missing(const std::string& path, const Super& array, std::size_t here) {
    add("md-member-missing", Severity::warning, path,
        fmt::format("{} of the {} members of the array are not here, or are not current", array.members - here,
                    array.members),
        array.level == level_raid1
            ? "what is here holds all of it; a machine starts with a degraded array"
            : "a machine needs all disks of the array; importing this one alone gives it a part of its data");
  }

  static Volume open(const MemberSet& set, const Super& array, const Parts& parts) {
    Volume volume;
    volume.set = set.uuid;
    volume.path = set.name;
    volume.kind = VolumeKind::md;
    volume.details = fmt::format("{} of {} members", level_name(array.level), array.members);
    try {
      auto segments = map_array(array, parts);
      auto device =
          std::make_unique<MappedVolume>(std::move(segments), set.name, parts.begin()->second.device->sector_sizes());
      volume.size_bytes = device->size();
      volume.device = std::move(device);
    } catch (const base::Error& error) {
      volume.because = base::printable(error.message());
    }
    return volume;
  }

  std::map<base::Guid, std::vector<FoundMember>> arrays_;
  Assembly assembly_;
};

}  // namespace

Assembly assemble_md(const std::vector<Member>& members) { return Assembling().run(members); }

}  // namespace hrvm::volume
