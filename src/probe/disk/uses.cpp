// Who uses a disk or an image: everything that sysfs, mountinfo, swaps, QEMU's lock and the kernel's own claim show.
#include "probe/disk/uses.hpp"

#include <algorithm>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/block/devices.hpp"
#include "hrvm/block/image_lock.hpp"
#include "hrvm/sys/mounts.hpp"
#include "probe/disk/udev.hpp"

namespace hrvm::probe {
namespace {

using Nodes = std::vector<const BlockNode*>;

bool contains(const Nodes& nodes, const BlockNode* node) { return std::ranges::find(nodes, node) != nodes.end(); }

bool is_writable(const BlockNode& node) { return sys::try_read_number(node.sysfs / "ro").value_or(0) == 0; }

std::string backing_file(const BlockNode& loop) {
  std::string file = sys::try_read_line(loop.sysfs / "loop/backing_file").value_or("");
  constexpr std::string_view deleted = " (deleted)";
  if (file.ends_with(deleted)) file.resize(file.size() - deleted.size());
  return file;
}

// What is stacked on a device, and how: a holder named by sysfs, or a loop device that reads it.
struct Stacked {
  const BlockNode* node;
  Use use;
};

Use use_of_holder(const BlockNode& holder) {
  if (const auto name = sys::try_read_line(holder.sysfs / "dm/name")) return {UsedBy::dm, *name, is_writable(holder)};
  if (holder.name.starts_with("md")) return {UsedBy::md, holder.path, is_writable(holder)};
  return {UsedBy::unknown, holder.path, is_writable(holder)};
}

std::vector<Stacked> holders(const BlockNodes& nodes, const BlockNode& below) {
  std::vector<Stacked> found;
  for (const std::string& name : sys::list_directory(below.sysfs / "holders"))
    if (const BlockNode* holder = nodes.by_name(name)) found.push_back({holder, use_of_holder(*holder)});
  return found;
}

template <typename Matches>
std::vector<Stacked> loops(const BlockNodes& nodes, Matches&& matches) {
  std::vector<Stacked> found;
  for (const BlockNode& node : nodes.all()) {
    if (node.is_partition() || !node.name.starts_with("loop")) continue;
    const std::string file = backing_file(node);
    if (!file.empty() && matches(file)) found.push_back({&node, {UsedBy::loop, node.path, is_writable(node)}});
  }
  return found;
}

std::vector<Stacked> loops_on_image(const BlockNodes& nodes, const std::string& image) {
  const auto real = [&] {
    try {
      return sys::canonical(image).string();
    } catch (const base::Error&) {
      return image;
    }
  }();
  return loops(nodes, [&](const std::string& file) { return file == image || file == real; });
}

// The devices whose use is a use of the disk: itself, its partitions, and whatever is stacked on them.
struct Stack {
  Nodes nodes;
  std::vector<Use> uses;

  void add(const BlockNodes& all, const Stacked& stacked) {
    if (contains(nodes, stacked.node)) return;
    uses.push_back(stacked.use);
    add_with_partitions(all, *stacked.node);
  }
  void add_with_partitions(const BlockNodes& all, const BlockNode& node) {
    if (node.is_partition())
      nodes.push_back(&node);
    else
      for (const BlockNode* member : all.with_partitions(node.name)) nodes.push_back(member);
  }
};

// What the disk's bytes lie in: a device, or one or several files.
struct Ground {
  std::string path;
  bool is_device = false;
};

std::vector<Ground> grounds(const Disk& disk) {
  if (disk.files.empty()) return {{disk.path, disk.kind == DiskKind::disk}};
  std::vector<Ground> all;
  for (const ImageFile& file : disk.files) all.push_back({file.path, file.is_device});
  return all;
}

Stack stack_on(const sys::Host& host, const BlockNodes& all, const std::vector<Ground>& grounds) {
  Stack stack;
  for (const Ground& ground : grounds) {
    const BlockNode* node = ground.is_device ? all.by_path(host, ground.path) : nullptr;
    if (node != nullptr) stack.add_with_partitions(all, *node);
    if (ground.is_device) continue;
    for (const Stacked& loop : loops_on_image(all, ground.path)) stack.add(all, loop);
  }
  for (std::size_t i = 0; i < stack.nodes.size(); ++i) {
    const BlockNode* below = stack.nodes[i];
    for (const Stacked& holder : holders(all, *below)) stack.add(all, holder);
    for (const Stacked& loop : loops(all, [&](const std::string& file) { return all.by_path(host, file) == below; }))
      stack.add(all, loop);
  }
  return stack;
}

void add_mounts(const sys::Host& host, const BlockNodes& all, Stack& stack) {
  for (const sys::Mount& mount : sys::mounts(host)) {
    const BlockNode* node =
        all.by_numbers(std::to_string(mount.device_major) + ":" + std::to_string(mount.device_minor));
    if (node == nullptr && mount.source.starts_with("/dev/")) node = all.by_path(host, mount.source);
    if (node != nullptr && contains(stack.nodes, node))
      stack.uses.push_back({UsedBy::mount, mount.mount_point, mount.writable});
  }
}

void add_swaps(const sys::Host& host, const BlockNodes& all, Stack& stack) {
  for (const sys::Swap& swap : sys::swaps(host)) {
    const BlockNode* node = all.by_path(host, swap.path);
    if (node != nullptr && contains(stack.nodes, node)) stack.uses.push_back({UsedBy::swap, swap.path, true});
  }
}

// A disk that we may not even open is listed without its lock: the person learns that when it is read.
block::ImageUse lock_on(const sys::Path& file) {
  try {
    return block::image_use(file);
  } catch (const base::Error&) {
    return block::ImageUse::none;
  }
}

void add_qemu(const sys::Path& file, std::vector<Use>& uses) {
  const block::ImageUse use = lock_on(file);
  if (use == block::ImageUse::none) return;
  const auto holder = block::image_holder(file);
  uses.push_back({UsedBy::qemu, holder.text(), use == block::ImageUse::write, holder.remedy()});
}

// The pool that udev saw on a partition of the disk, for a claim that nothing else explains.
Use claim(const sys::Host& host, const Nodes& nodes) {
  for (const BlockNode* node : nodes) {
    const UdevRecord udev = udev_record(host, node->numbers);
    if (udev.property("ID_FS_TYPE") == "zfs_member") return {UsedBy::zfs, udev.property("ID_FS_LABEL"), true};
  }
  return {UsedBy::unknown, "somebody who opened it for himself alone (ZFS, or a mount in another namespace)", true};
}

}  // namespace

std::vector<Use> uses_of(const sys::Host& host, const Disk& disk) { return uses_of(host, BlockNodes(host), disk); }

std::vector<Use> uses_of(const sys::Host& host, const BlockNodes& all, const Disk& disk) {
  const auto below = grounds(disk);
  Stack stack = stack_on(host, all, below);
  add_mounts(host, all, stack);
  add_swaps(host, all, stack);
  const auto file_of = [&](const Ground& ground) {
    return ground.is_device ? host.path(ground.path) : sys::Path(ground.path);
  };
  for (const Ground& ground : below) add_qemu(file_of(ground), stack.uses);
  if (!stack.uses.empty() || host.is_recorded()) return stack.uses;
  for (const Ground& ground : below)
    if (ground.is_device && block::is_claimed(file_of(ground))) stack.uses.push_back(claim(host, stack.nodes));
  return stack.uses;
}

}  // namespace hrvm::probe
