// From a path down to the disks that its bytes end on.
#include <set>

#include "hrvm/base/text.hpp"
#include "hrvm/probe/disk.hpp"
#include "hrvm/probe/target_facts.hpp"
#include "hrvm/sys/mounts.hpp"
#include "probe/disk/block_nodes.hpp"

namespace hrvm::probe {
namespace {

constexpr unsigned deepest = 16;  // loops on filesystems on loops

class Descent {
 public:
  explicit Descent(const sys::Host& host) : host_(host), nodes_(host), mounts_(sys::mounts(host)) {}

  void from_path(std::string_view path, unsigned depth = 0) {
    const auto mount = sys::mount_of(mounts_, path);
    if (!mount || depth > deepest) return;
    if (mount->type == "overlay") return from_path(upper_directory(*mount), depth + 1);
    for (const BlockNode* node : devices(*mount)) from_device(*node, depth);
  }

  // Of a device itself where it is one.
  void from_device_or_path(const std::string& path) {
    all_.insert(path);
    const BlockNode* node = nodes_.by_path(host_, path);
    node ? from_device(*node, 0) : from_path(path);
  }

  std::vector<std::string> disks() const { return {disks_.begin(), disks_.end()}; }
  std::vector<std::string> all() const { return {all_.begin(), all_.end()}; }

 private:
  static std::string upper_directory(const sys::Mount& overlay) {
    constexpr std::string_view option = "upperdir=";
    for (const std::string& text : overlay.super_options)
      if (text.starts_with(option)) return text.substr(option.size());
    return {};
  }

  // btrfs has device numbers of its own, and may lie on several devices.
  std::vector<const BlockNode*> devices(const sys::Mount& mount) const {
    const auto numbers = std::to_string(mount.device_major) + ":" + std::to_string(mount.device_minor);
    if (const BlockNode* node = nodes_.by_numbers(numbers)) return {node};
    const BlockNode* source = mount.source.starts_with("/dev/") ? nodes_.by_path(host_, mount.source) : nullptr;
    if (source == nullptr) return {};
    std::vector<const BlockNode*> found = btrfs_devices(*source);
    return found.empty() ? std::vector<const BlockNode*>{source} : found;
  }

  std::vector<const BlockNode*> btrfs_devices(const BlockNode& source) const {
    const sys::Path root = host_.path("/sys/fs/btrfs");
    for (const std::string& id : sys::list_directory(root)) {
      std::vector<const BlockNode*> members;
      for (const std::string& name : sys::list_directory(root / id / "devices"))
        if (const BlockNode* node = nodes_.by_name(name)) members.push_back(node);
      for (const BlockNode* member : members)
        if (member == &source) return members;
    }
    return {};
  }

  void from_device(const BlockNode& node, unsigned depth) {
    if (!seen_.insert(node.name).second) return;
    all_.insert(node.path);
    if (node.is_partition()) {
      if (const BlockNode* disk = nodes_.by_name(node.disk)) from_device(*disk, depth);
      return;
    }
    if (const auto file = sys::try_read_line(node.sysfs / "loop/backing_file")) {
      disks_.insert({node.path, *file});
      all_.insert(*file);
      const BlockNode* below = nodes_.by_path(host_, *file);
      return below ? from_device(*below, depth + 1) : from_path(*file, depth + 1);
    }
    const auto slaves = sys::list_directory(node.sysfs / "slaves");
    if (slaves.empty()) disks_.insert(node.path);
    // A multipath device counts as the disk that it is, and its paths as well.
    if (sys::try_read_line(node.sysfs / "dm/uuid").value_or("").starts_with("mpath-")) disks_.insert(node.path);
    for (const std::string& name : slaves)
      if (const BlockNode* below = nodes_.by_name(name)) from_device(*below, depth);
  }

  const sys::Host& host_;
  BlockNodes nodes_;
  std::vector<sys::Mount> mounts_;
  std::set<std::string> seen_, disks_, all_;
};

}  // namespace

std::vector<std::string> disks_under(const sys::Host& host, const std::string& absolute_path) {
  Descent descent(host);
  descent.from_path(absolute_path);
  return descent.disks();
}

std::vector<std::string> all_below(const sys::Host& host, const std::string& path) {
  Descent descent(host);
  descent.from_device_or_path(path);
  return descent.all();
}

}  // namespace hrvm::probe
