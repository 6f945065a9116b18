#include "probe/disk/block_nodes.hpp"

#include <sys/sysmacros.h>

#include <algorithm>

#include <fmt/core.h>

#include "hrvm/base/error.hpp"

namespace hrvm::probe {
namespace {

std::string device_path(const std::string& name, const sys::Path& sysfs) {
  const bool is_mapped = name.starts_with("dm-");
  if (const auto mapped = is_mapped ? sys::try_read_line(sysfs / "dm/name") : std::nullopt)
    return "/dev/mapper/" + *mapped;
  std::string path = "/dev/" + name;
  std::ranges::replace(path, '!', '/');
  return path;
}

BlockNode read_node(const std::string& name, const std::string& disk, const sys::Path& sysfs) {
  return {name, disk, device_path(name, sysfs), sys::try_read_line(sysfs / "dev").value_or(""), sysfs};
}

const BlockNode* find(const std::vector<BlockNode>& nodes, std::string BlockNode::*member, std::string_view value) {
  const auto found = std::ranges::find(nodes, value, member);
  return found == nodes.end() || value.empty() ? nullptr : &*found;
}

// "../../dm-0" from /dev/mapper: the name that the kernel gave to what a path leads to.
std::string kernel_name(const sys::Host& host, std::string_view path) {
  try {
    const std::string real = host.host_path(sys::canonical(host.path(path)));
    if (!real.starts_with("/dev/")) return {};
    std::string name = real.substr(5);
    std::ranges::replace(name, '/', '!');
    return name;
  } catch (const base::Error&) {
    return {};
  }
}

// A loop device, say, may lie on a file of somebody else's that we cannot even look at.
sys::FileStatus status_if_seen(const sys::Path& path) try { return sys::status(path); } catch (const base::Error&) {
  return {};
}

}  // namespace

BlockNodes::BlockNodes(const sys::Host& host) {
  const sys::Path root = host.path("/sys/block");
  for (const std::string& disk : sys::list_directory(root)) {
    nodes_.push_back(read_node(disk, disk, root / disk));
    for (const std::string& name : sys::list_directory(root / disk))
      if (name.starts_with(disk) && sys::status(root / disk / name / "partition").type == sys::FileType::regular)
        nodes_.push_back(read_node(name, disk, root / disk / name));
  }
}

const BlockNode* BlockNodes::by_name(std::string_view name) const { return find(nodes_, &BlockNode::name, name); }

const BlockNode* BlockNodes::by_numbers(std::string_view numbers) const {
  return find(nodes_, &BlockNode::numbers, numbers);
}

const BlockNode* BlockNodes::by_path(const sys::Host& host, std::string_view path) const {
  if (const BlockNode* node = find(nodes_, &BlockNode::path, path)) return node;
  if (path.starts_with("/dev/"))
    if (const BlockNode* node = by_name(kernel_name(host, path))) return node;
  const auto status = status_if_seen(host.path(path));
  if (status.type != sys::FileType::block) return nullptr;
  return by_numbers(fmt::format("{}:{}", major(status.rdev), minor(status.rdev)));
}

std::vector<const BlockNode*> BlockNodes::with_partitions(std::string_view disk) const {
  std::vector<const BlockNode*> found;
  for (const BlockNode& node : nodes_)
    if (node.disk == disk) found.push_back(&node);
  return found;
}

}  // namespace hrvm::probe
