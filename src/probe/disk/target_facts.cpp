#include "hrvm/probe/target_facts.hpp"

#include <algorithm>

#include "hrvm/sys/files.hpp"
#include "probe/disk/block_nodes.hpp"
#include "probe/disk/uses.hpp"

namespace hrvm::probe {
namespace {

// udev may have promised a link that nobody made.
std::string stable_name(const sys::Host& host, const Disk& disk) {
  const bool is_there = disk.stable_path != disk.path &&
                        sys::status(host.path(disk.stable_path)).type == sys::status(host.path(disk.path)).type;
  return is_there ? disk.stable_path : std::string();
}

std::vector<Use> other_uses(const sys::Host& host, const BlockNodes& nodes, const std::string& file,
                            const std::string& loop) {
  Disk image;
  image.path = file;
  image.kind = DiskKind::image;
  auto uses = uses_of(host, nodes, image);
  std::erase_if(uses, [&](const Use& use) { return use.by == UsedBy::loop && use.what == loop; });
  return uses;
}

}  // namespace

TargetFacts target_facts(const sys::Host& host, const Disk& disk) {
  const BlockNodes nodes(host);
  TargetFacts facts;
  facts.identity = {sys::status(host.path(disk.path)).rdev, disk.size_bytes};
  facts.stable_name = stable_name(host, disk);
  facts.lies_on = all_below(host, disk.path);
  const BlockNode* node = nodes.by_path(host, disk.path);
  if (node == nullptr) return facts;
  facts.identity.sequence = sys::try_read_number(node->sysfs / "diskseq");
  facts.is_read_only = sys::try_read_number(node->sysfs / "ro").value_or(0) != 0;
  facts.backing_file = sys::try_read_line(node->sysfs / "loop/backing_file").value_or("");
  if (!facts.backing_file.empty()) facts.uses_of_backing_file = other_uses(host, nodes, facts.backing_file, disk.path);
  return facts;
}

}  // namespace hrvm::probe
