#include "probe/boot/locate_device.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/core.h>

#include "hrvm/base/text.hpp"
#include "probe/packages/compare_versions.hpp"
#include "probe/table/partition_types.hpp"

namespace hrvm::probe {
namespace {

std::string name_of(const SurveyedPartition& surveyed) { return fmt::format("p{}", surveyed.partition.number); }

template <typename Is>
std::string partition_where(const Contents& contents, Is is) {
  const auto found = std::ranges::find_if(contents.partitions, is);
  return found == contents.partitions.end() ? std::string() : name_of(*found);
}

// Volumes come first: the signature of what lies on one is not that of the partition under it.
template <typename Is>
std::string anywhere(const Contents& contents, Is is) {
  const auto found = std::ranges::find_if(contents.volumes, is);
  return found == contents.volumes.end() ? partition_where(contents, is) : found->path;
}

std::string by_uuid(const std::string& uuid, const Contents& contents) {
  const std::string wanted = base::lower(uuid);
  return wanted.empty() ? "" : anywhere(contents, [&](const auto& each) { return base::lower(each.uuid) == wanted; });
}

std::string by_label(const std::string& label, const Contents& contents) {
  return label.empty() ? "" : anywhere(contents, [&](const auto& each) { return each.label == label; });
}

std::string by_partuuid(const DeviceName& device, const Contents& contents) {
  const std::string wanted = base::lower(device.name);
  const auto found = std::ranges::find_if(contents.partitions, [&](const SurveyedPartition& each) {
    return base::lower(each.partition.partuuid) == wanted;
  });
  if (found == contents.partitions.end()) return {};
  const auto number = std::int64_t(found->partition.number) + device.offset;
  return partition_where(contents,
                         [&](const SurveyedPartition& each) { return std::int64_t(each.partition.number) == number; });
}

std::string by_partlabel(const std::string& label, const Contents& contents) {
  if (label.empty()) return {};
  return partition_where(contents, [&](const SurveyedPartition& each) { return each.partition.name == label; });
}

std::string by_volume(const std::string& path, const Contents& contents) {
  const auto found = std::ranges::find(contents.volumes, path, &Volume::path);
  return found == contents.volumes.end() || path.empty() ? std::string() : path;
}

std::string by_mapper(const std::string& name, const Contents& contents) {
  if (const auto volume = by_volume(logical_volume_of(name), contents); !volume.empty()) return volume;
  return name.starts_with("luks-") ? by_uuid(name.substr(5), contents) : std::string();
}

std::string digits_of(std::string_view uuid) {
  std::string digits = base::lower(uuid);
  std::erase_if(digits, [](char c) { return c == '-' || c == ':'; });
  return digits;
}

// By its UUID however it is written, by its name, or by that with a host before it. A set of md is named as its volume.
std::string by_array(const std::string& name, const Contents& contents) {
  constexpr std::string_view kind = "md:";
  const std::string digits = digits_of(name);
  for (const DiskSet& set : contents.sets) {
    if (set.kind != VolumeKind::md) continue;
    const std::string own = set.name.starts_with(kind) ? set.name.substr(kind.size()) : set.name;
    if (digits_of(set.uuid) == digits || own == name || name.ends_with(":" + own)) return by_volume(set.name, contents);
  }
  return {};
}

std::string by_luks_id(const std::string& digits, const Contents& contents) {
  return anywhere(contents, [&](const auto& each) {
    return each.filesystem == "crypto_LUKS" && digits_of(each.uuid) == base::lower(digits);
  });
}

std::string by_number(unsigned number, const Contents& contents) {
  return partition_where(contents, [&](const SurveyedPartition& each) { return each.partition.number == number; });
}

}  // namespace

std::string locate_device(const DeviceName& device, const Contents& contents) {
  using By = DeviceName::By;
  switch (device.by) {
    case By::uuid:
      return by_uuid(device.name, contents);
    case By::label:
      return by_label(device.name, contents);
    case By::partuuid:
      return by_partuuid(device, contents);
    case By::partlabel:
      return by_partlabel(device.name, contents);
    case By::logical_volume:
      return by_volume(device.name, contents);
    case By::mapper:
      return by_mapper(device.name, contents);
    case By::dataset:
      return by_volume(device.name, contents);
    case By::array:
      return by_array(device.name, contents);
    case By::luks_id:
      return by_luks_id(device.name, contents);
    case By::volume_id:  // what lies on a disk is known by the names of groups and volumes
      break;
    case By::kernel_name:
    case By::multipath:
    case By::path:
    case By::id:
      return device.partition == 0 ? std::string() : by_number(device.partition, contents);
    case By::unknown:
      break;
  }
  return {};
}

// Of several, as an image that is updated as a whole has them, systemd takes that whose name has the newest version.
std::string root_by_type(const Contents& contents) {
  const SurveyedPartition* root = nullptr;
  for (const SurveyedPartition& each : contents.partitions) {
    const Partition& partition = each.partition;
    if (partition.type != gpt_root_x86_64 || partition.no_auto || partition.name == "_empty") continue;
    if (root == nullptr || compare_uapi_versions(partition.name, root->partition.name) > 0) root = &each;
  }
  return root ? name_of(*root) : std::string();
}

bool is_device(const std::string& place, const DeviceName& device, const Contents& contents) {
  if (device.offset != 0) return locate_device(device, contents) == place;
  Contents alone;
  std::ranges::copy_if(contents.partitions, std::back_inserter(alone.partitions),
                       [&](const SurveyedPartition& each) { return name_of(each) == place; });
  std::ranges::copy_if(contents.volumes, std::back_inserter(alone.volumes),
                       [&](const Volume& each) { return each.path == place; });
  return !locate_device(device, alone).empty();
}

}  // namespace hrvm::probe
