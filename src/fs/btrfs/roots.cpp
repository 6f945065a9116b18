#include "fs/btrfs/roots.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>

#include "fs/btrfs/folder.hpp"
#include "hrvm/base/error.hpp"

namespace hrvm::fs::btrfs {
namespace {

constexpr std::size_t most_subvolumes = 4096, longest_path = 4096;
constexpr unsigned most_steps = 256;  // folders on the way to a subvolume

Tree tree_of_roots(Volume& volume) { return {volume, volume.root()}; }

bool is_subvolume(std::uint64_t id) { return id == file_tree || (id >= first_subvolume && id <= last_subvolume); }

std::optional<RootItem> parse_root(std::span<const std::byte> item) {
  if (item.size() < old_root_item_bytes) return std::nullopt;
  RootItem root{};
  std::memcpy(&root, item.data(), std::min(item.size(), sizeof root));
  return root.references == 0 ? std::nullopt : std::optional(root);
}

std::optional<RootItem> find_any_root(Volume& volume, std::uint64_t id) {
  const auto at = tree_of_roots(volume).at_or_before({id, root_item, largest});
  return at.is_among(id, root_item) ? parse_root(at.data()) : std::nullopt;
}

std::string_view name_behind(std::span<const std::byte> item, std::size_t head, std::size_t length) {
  if (length > item.size() - head) return {};
  return {reinterpret_cast<const char*>(item.data()) + head, length};
}

// Where a subvolume or folder hangs.
struct Hook {
  std::uint64_t tree = 0, folder = 0;
  std::string name;  // never empty
};

std::optional<Hook> hook_of_subvolume(Volume& volume, std::uint64_t id) {
  const auto at = tree_of_roots(volume).from({id, root_back_reference, 0});
  if (!at.is_among(id, root_back_reference) || at.data().size() < sizeof(RootReference)) return std::nullopt;
  const auto reference = base::load<RootReference>(at.data());
  const auto name = name_behind(at.data(), sizeof reference, reference.name_length);
  return name.empty() ? std::nullopt : std::optional(Hook{at.key().offset, reference.folder, std::string(name)});
}

std::optional<Hook> hook_of_folder(Volume& volume, std::uint64_t tree, std::uint64_t folder) {
  const auto root = find_root(volume, tree);
  if (!root) return std::nullopt;
  const auto at = tree_of(volume, *root).from({folder, inode_reference, 0});
  if (!at.is_among(folder, inode_reference) || at.data().size() < sizeof(InodeReference)) return std::nullopt;
  const auto reference = base::load<InodeReference>(at.data());
  const auto name = name_behind(at.data(), sizeof reference, reference.name_length);
  return name.empty() ? std::nullopt : std::optional(Hook{tree, at.key().offset, std::string(name)});
}

// From the subvolume up to the top level.
std::optional<std::string> path_of(Volume& volume, std::uint64_t id) {
  std::string path;
  auto hook = hook_of_subvolume(volume, id);
  for (unsigned step = 0; hook && step < most_steps && path.size() < longest_path; ++step) {
    path = path.empty() ? hook->name : hook->name + "/" + path;
    const bool is_top = hook->folder == root_folder;
    if (is_top && hook->tree == file_tree) return path;
    hook = is_top ? hook_of_subvolume(volume, hook->tree) : hook_of_folder(volume, hook->tree, hook->folder);
  }
  return std::nullopt;
}

std::uint64_t default_subvolume(Volume& volume) {
  const auto entry = find_entry(tree_of_roots(volume), volume.super().root_directory, "default");
  return entry ? entry->place.object : file_tree;
}

bool is_snapshot(const RootItem& root) { return root.generation_2 == root.generation && root.parent_uuid != Uuid{}; }

}  // namespace

std::optional<RootItem> find_root(Volume& volume, std::uint64_t id) {
  return is_subvolume(id) ? find_any_root(volume, id) : std::nullopt;
}

std::optional<Tree> tree_of_checksums(Volume& volume) {
  const auto root = find_any_root(volume, checksum_tree);
  return root ? std::optional(tree_of(volume, *root)) : std::nullopt;
}

Tree tree_of(Volume& volume, const RootItem& root) { return {volume, {root.logical, root.generation, root.level, {}}}; }

bool holds_subvolumes(Volume& volume, std::uint64_t id) {
  return tree_of_roots(volume).from({id, root_reference, 0}).is_among(id, root_reference);
}

bool hangs_in(Volume& volume, std::uint64_t id, std::uint64_t parent, std::uint64_t folder, std::string_view name) {
  const auto at = tree_of_roots(volume).find({parent, root_reference, id});
  if (!at.valid() || at.data().size() < sizeof(RootReference)) return false;
  const auto reference = base::load<RootReference>(at.data());
  return reference.folder == folder && name_behind(at.data(), sizeof reference, reference.name_length) == name;
}

std::vector<Subvolume> list_subvolumes(Volume& volume) {
  const auto chosen = default_subvolume(volume);
  std::vector<Subvolume> found = {{file_tree, "", chosen == file_tree, false, false}};
  auto at = tree_of_roots(volume).from({first_subvolume, 0, 0});
  for (; at.valid() && at.key().object <= last_subvolume && found.size() < most_subvolumes; at.next()) {
    if (at.key().type != root_item) continue;
    const auto id = at.key().object;
    const auto root = parse_root(at.data());
    auto path = root ? path_of(volume, id) : std::nullopt;
    if (path)
      found.push_back({id, std::move(*path), id == chosen, (root->flags & root_read_only) != 0, is_snapshot(*root)});
  }
  return found;
}

}  // namespace hrvm::fs::btrfs
