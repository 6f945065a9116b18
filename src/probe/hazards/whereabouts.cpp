#include "probe/hazards/whereabouts.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/core.h>

#include "hrvm/base/text.hpp"
#include "hrvm/probe/shared_uuid.hpp"
#include "probe/boot/disk_names.hpp"
#include "probe/boot/locate_device.hpp"
#include "probe/hazards/tables.hpp"

namespace hrvm::probe {
namespace {

using By = DeviceName::By;

template <typename Is>
bool any_place(const Contents& contents, Is is) {
  return std::ranges::any_of(contents.partitions, is) || std::ranges::any_of(contents.volumes, is);
}

// An array whose contents were read hides nothing.
bool has_closed_array(const Contents& contents) {
  const auto is_member = [](const auto& each) { return each.filesystem == "linux_raid_member"; };
  const auto is_read = [](const Volume& each) { return each.kind == VolumeKind::md && !each.filesystem.empty(); };
  return any_place(contents, is_member) && std::ranges::none_of(contents.volumes, is_read);
}

bool is_closed(std::string_view filesystem) {
  constexpr std::string_view closed[] = {"crypto_LUKS", "zfs_member", "bcache", "LVM1_member",
                                         "drbd",        "stratis",    "vdo",    "DM_integrity"};
  return std::ranges::find(closed, filesystem) != std::end(closed) ||
         (filesystem.ends_with("_raid_member") && filesystem != "linux_raid_member");
}

bool has_closed_container(const Contents& contents) {
  const auto is_one = [](const auto& each) { return is_closed(each.filesystem); };
  const auto is_partial = [](const DiskSet& set) { return set.kind == VolumeKind::lvm && !set.is_complete; };
  const auto is_unread = [](const base::Finding& finding) {
    return finding.id == "volume-closed" || finding.id == "filesystem-damaged" || finding.id == "unreadable";
  };
  return any_place(contents, is_one) || has_closed_array(contents) || std::ranges::any_of(contents.sets, is_partial) ||
         std::ranges::any_of(contents.findings, is_unread);
}

std::string digits_of(std::string_view uuid) {
  std::string digits = base::lower(uuid);
  std::erase(digits, '-');
  return digits;
}

bool is_twice(const DeviceName& device, const Contents& contents) {
  const std::string wanted = base::lower(device.name);
  const auto has_uuid = [&](const SurveyedPartition& each) {
    return base::lower(each.uuid) == wanted && !shares_its_uuid(each.filesystem);
  };
  const auto has_label = [&](const SurveyedPartition& each) {
    return each.label == device.name && !shares_its_uuid(each.filesystem);
  };
  const auto has_partuuid = [&](const SurveyedPartition& each) {
    return base::lower(each.partition.partuuid) == wanted;
  };
  const auto has_name = [&](const SurveyedPartition& each) { return each.partition.name == device.name; };
  switch (device.by) {
    case By::uuid:
      return std::ranges::count_if(contents.partitions, has_uuid) > 1;
    case By::label:
      return std::ranges::count_if(contents.partitions, has_label) > 1;
    case By::partuuid:
      return std::ranges::count_if(contents.partitions, has_partuuid) > 1;
    case By::partlabel:
      return std::ranges::count_if(contents.partitions, has_name) > 1;
    default:
      return false;
  }
}

// A second disk is what a machine has that is given one.
Whereabouts of_kernel_name(const DeviceName& device, const Contents& contents) {
  const DiskName* kind = find_disk_name(device.name);
  if (kind == nullptr || kind->buses.empty()) return {Where::never, {}};
  const bool is_first = is_of_first_disk(device.name, *kind);
  if (!is_first && contents.companions.empty()) return {Where::never, {}};
  if (is_first && device.partition != 0 && contents.table != TableKind::none && locate_device(device, contents).empty())
    return {Where::elsewhere, {}};
  return {Where::on_a_bus, kind->buses};
}

// The first word of each line: "mpatha 3600140…".
std::set<std::string, std::less<>> bindings(fs::FileSystem& root) {
  std::set<std::string, std::less<>> names;
  for (const Fields& fields : read_table(root, "/etc/multipath/bindings")) names.insert(fields[0]);
  return names;
}

std::string_view without_partition(std::string_view name) {
  const auto end = name.find_last_not_of("0123456789") + 1;
  auto stem = name.substr(0, end);
  if (stem.ends_with("-part")) return stem.substr(0, stem.size() - 5);
  return stem;
}

}  // namespace

Contents with_companions(const Contents& contents) {
  Contents all;
  all.table = contents.table;
  all.partitions = contents.partitions;
  all.partitions.insert(all.partitions.end(), contents.companions.begin(), contents.companions.end());
  all.companions = contents.companions;
  all.volumes = contents.volumes;
  all.sets = contents.sets;
  all.findings = contents.findings;
  return all;
}

std::string Told::text() const { return base::printable(base::join(texts, ", ")); }

DeviceNames::DeviceNames(const HazardContext& context)
    : named_buses_(context.system.named_buses),
      contents_(with_companions(context.contents)),
      may_hide_(has_closed_container(contents_)) {
  if (context.root == nullptr) return;
  for (const EncryptedDevice& device : encrypted_devices(read_table(*context.root, "/etc/crypttab")))
    opened_.insert(device.name);
  multipath_ = bindings(*context.root);
}

bool DeviceNames::has_bus(std::span<const Bus> buses) const {
  return std::ranges::any_of(named_buses_, [&](Bus bus) { return std::ranges::find(buses, bus) != buses.end(); });
}

bool DeviceNames::is_group_here(std::string_view group) const {
  const std::string start = fmt::format("{}/", group);
  return std::ranges::any_of(contents_.sets,
                             [&](const DiskSet& set) { return set.kind == VolumeKind::lvm && set.name == group; }) ||
         std::ranges::any_of(contents_.volumes, [&](const Volume& each) { return each.path.starts_with(start); });
}

Whereabouts DeviceNames::find(std::string_view name) const { return find(parse_device_name(name)); }

Whereabouts DeviceNames::find(const DeviceName& device) const {
  const Whereabouts elsewhere{may_hide_ ? Where::not_certain : Where::elsewhere, {}}, here{Where::here, {}};
  switch (device.by) {
    case By::kernel_name:
      return of_kernel_name(device, contents_);
    case By::multipath:
    case By::path:
    case By::id:
      return {Where::never, {}};
    case By::partuuid:
    case By::partlabel:  // a container hides none
      if (locate_device(device, contents_).empty())
        return {contents_.table == TableKind::none ? elsewhere.where : Where::elsewhere, {}};
      return is_twice(device, contents_) ? Whereabouts{Where::twice, {}} : here;
    case By::uuid:
    case By::label:
      if (locate_device(device, contents_).empty()) return elsewhere;
      return is_twice(device, contents_) ? Whereabouts{Where::twice, {}} : here;
    case By::logical_volume:
      if (!locate_device(device, contents_).empty()) return here;
      return is_group_here(device.name.substr(0, device.name.find('/'))) && may_hide_ ? Whereabouts{} : elsewhere;
    case By::mapper: {
      if (opened_.contains(device.name)) return {};
      if (multipath_.contains(device.name) || multipath_.contains(without_partition(device.name)))
        return {Where::never, {}};
      if (!locate_device(device, contents_).empty()) return here;
      return logical_volume_of(device.name).empty() ? Whereabouts{} : elsewhere;
    }
    case By::volume_id: {
      const auto is_group = [&](const DiskSet& set) {
        return set.kind == VolumeKind::lvm && digits_of(set.uuid) == base::lower(device.name.substr(0, 32));
      };
      return std::ranges::any_of(contents_.sets, is_group) ? here : elsewhere;
    }
    case By::luks_id:
      return locate_device(device, contents_).empty() ? elsewhere : here;
    case By::array: {
      if (!locate_device(device, contents_).empty()) return here;
      const auto is_array = [](const DiskSet& set) { return set.kind == VolumeKind::md; };
      return std::ranges::any_of(contents_.sets, is_array) ? Whereabouts{} : elsewhere;
    }
    case By::dataset:
    case By::unknown:
      break;
  }
  return {};
}

}  // namespace hrvm::probe
