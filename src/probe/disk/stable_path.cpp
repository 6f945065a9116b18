#include "probe/disk/stable_path.hpp"

#include <algorithm>
#include <iterator>
#include <tuple>

namespace hrvm::probe {
namespace {

// In the order of preference. The first that matches ranks a link, so "nvme-eui." stands before "nvme-" with a worse
// rank.
struct Preference {
  std::string_view prefix;
  int rank;
};
constexpr Preference preferences[] = {
    {"/dev/disk/by-id/nvme-eui.", 20}, {"/dev/disk/by-id/nvme-nvme.", 21}, {"/dev/disk/by-id/nvme-uuid.", 21},
    {"/dev/disk/by-id/nvme-", 1},      {"/dev/disk/by-id/ata-", 1},        {"/dev/disk/by-id/usb-", 1},
    {"/dev/disk/by-id/mmc-", 1},       {"/dev/disk/by-id/virtio-", 1},     {"/dev/disk/by-id/dm-uuid-mpath-", 2},
    {"/dev/disk/by-id/scsi-S", 3},     {"/dev/disk/by-id/scsi-0", 4},      {"/dev/disk/by-id/scsi-1", 5},
    {"/dev/disk/by-id/scsi-", 6},      {"/dev/disk/by-id/dm-name-", 7},    {"/dev/disk/by-id/wwn-", 20},
    {"/dev/disk/by-id/", 30},          {"/dev/disk/by-path/", 40},
};
constexpr int not_stable = 100;

int rank(std::string_view link) {
  const auto* found =
      std::ranges::find_if(preferences, [&](const Preference& p) { return link.starts_with(p.prefix); });
  return found == std::end(preferences) ? not_stable : found->rank;
}

std::vector<std::string> links_to(const sys::Host& host, const BlockNodes& nodes, const BlockNode& node) {
  std::vector<std::string> links;
  for (const char* folder : {"/dev/disk/by-id", "/dev/disk/by-path"})
    for (const std::string& name : sys::list_directory(host.path(folder))) {
      std::string link = std::string(folder) + "/" + name;
      if (nodes.by_path(host, link) == &node) links.push_back(std::move(link));
    }
  return links;
}

}  // namespace

std::string choose_stable(const std::vector<std::string>& links) {
  const auto order = [](const std::string& link) {
    return std::tuple(rank(link), link.size(), std::string_view(link));
  };
  const auto best = std::ranges::min_element(links, {}, order);
  return best == links.end() || rank(*best) == not_stable ? std::string() : *best;
}

std::string stable_path(const sys::Host& host, const BlockNodes& nodes, const BlockNode& node, const UdevRecord& udev) {
  auto links = links_to(host, nodes, node);
  links.insert(links.end(), udev.links.begin(), udev.links.end());
  const std::string best = choose_stable(links);
  return best.empty() ? node.path : best;
}

}  // namespace hrvm::probe
