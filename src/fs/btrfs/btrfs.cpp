// btrfs: the root of openSUSE, Fedora and others, in a subvolume of which a system mostly lies.
#include <fmt/core.h>

#include <algorithm>
#include <map>

#include "fs/btrfs/data.hpp"
#include "fs/btrfs/extent.hpp"
#include "fs/btrfs/folder.hpp"
#include "fs/btrfs/inode.hpp"
#include "fs/btrfs/roots.hpp"
#include "fs/btrfs/super.hpp"
#include "fs/btrfs/volume.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/guid.hpp"
#include "hrvm/fs/file_system.hpp"

namespace hrvm::fs {
namespace {

using namespace btrfs;
using base::Error, base::ErrorKind;

constexpr std::uint64_t longest_link = 4096;
constexpr std::size_t most_names_bytes = 64 << 10;  // of attributes, as Linux lists them (XATTR_LIST_MAX)
constexpr std::size_t most_known_trees = 64;

constexpr std::uint32_t mode_of_empty_folder = 0755;

bool is_empty_folder(Node node) { return node.id == empty_folder && node.generation == 0; }

class Btrfs final : public FileSystem {
 public:
  Btrfs(std::vector<block::BlockDevice*> devices, std::shared_ptr<Volume> volume, std::uint64_t subvolume)
      : devices_(std::move(devices)), volume_(std::move(volume)), data_(*volume_), subvolume_(subvolume) {
    subtree(subvolume_);
  }

  std::string_view type() const override { return "btrfs"; }
  JournalState journal() const override {
    return volume_->super().log_root == 0 ? JournalState::clean : JournalState::ignored;
  }
  std::vector<block::BlockDevice*> devices() override { return devices_; }
  std::optional<std::string> unwritten_mark(std::uint64_t subvolume) override;
  std::vector<Subvolume> subvolumes() override { return list_subvolumes(*volume_); }
  std::unique_ptr<FileSystem> open_subvolume(std::uint64_t id) override {
    return std::make_unique<Btrfs>(devices_, volume_, id);
  }

  using FileSystem::read, FileSystem::read_link;
  Node root() override { return {subvolume_, subtree(subvolume_).root_folder, 0}; }
  std::optional<Node> find(Node folder, std::string_view name) override;
  Stat stat(Node node) override;
  void visit(Node folder, const EntryVisitor& visitor) override;
  std::size_t read(Node file, std::uint64_t offset, std::span<std::byte> out) override;
  std::optional<FileExtent> extent_at(Node file, std::uint64_t offset, std::uint64_t limit) override;
  std::string read_link(Node link) override;
  std::vector<Attribute> attributes(Node node) override;

 private:
  struct Subtree {
    Tree tree;
    std::uint64_t root_folder = 0;
  };

  Error not_there(Node node, std::string_view why) const {
    return Error(ErrorKind::not_found,
                 fmt::format("inode {} of subvolume {} on {} {}", node.id, node.tree, volume_->name(), why))
        .on(volume_->name());
  }

  const Subtree& subtree(std::uint64_t id);
  const Tree& tree_of_node(Node node) { return subtree(node.tree).tree; }
  InodeItem inode_of(Node node);
  InodeItem inode_of(Node node, FileKind kind, std::string_view otherwise);
  Node enter(Node folder, const FolderEntry& entry);

  std::vector<block::BlockDevice*> devices_;
  std::shared_ptr<Volume> volume_;
  DataReader data_;
  std::uint64_t subvolume_;
  std::map<std::uint64_t, Subtree> subtrees_;  // so that not every call looks for a root
};

const Btrfs::Subtree& Btrfs::subtree(std::uint64_t id) {
  if (const auto known = subtrees_.find(id); known != subtrees_.end()) return known->second;
  const auto root = find_root(*volume_, id);
  if (!root)
    throw Error(ErrorKind::not_found, fmt::format("the btrfs on {} has no subvolume {}", volume_->name(), id))
        .on(volume_->name());
  if (subtrees_.size() == most_known_trees) subtrees_.clear();
  return subtrees_.emplace(id, Subtree{tree_of(*volume_, *root), root->root_folder}).first->second;
}

// Its tree is copied when it is changed, and lies elsewhere then. What a file without checksums holds may be written in
// its place, but not in a subvolume that is read-only.
std::optional<std::string> Btrfs::unwritten_mark(std::uint64_t subvolume) {
  const auto root = find_root(*volume_, subvolume);
  if (!root || (root->flags & root_read_only) == 0 || holds_subvolumes(*volume_, subvolume)) return std::nullopt;
  return fmt::format("{} {} {}", std::uint64_t(root->logical), std::uint64_t(root->generation),
                     base::Guid::from_big_endian(volume_->super().filesystem).text());
}

InodeItem Btrfs::inode_of(Node node) {
  const auto& tree = tree_of_node(node);
  if (is_empty_folder(node)) {
    InodeItem folder{};
    folder.mode = 0040000 | mode_of_empty_folder;
    folder.links = 1;
    return folder;
  }
  const auto inode = find_inode(tree, node.id);
  if (!inode || (node.generation != 0 && node.generation != inode->generation)) throw not_there(node, "is not there");
  return *inode;
}

InodeItem Btrfs::inode_of(Node node, FileKind kind, std::string_view otherwise) {
  const auto inode = inode_of(node);
  if (kind_by_mode(inode.mode) != kind) throw not_there(node, otherwise);
  return inode;
}

// A snapshot holds what its origin held, but no subvolumes: where those were are folders without anything.
Node Btrfs::enter(Node folder, const FolderEntry& entry) {
  const auto id = entry.place.object;
  if (entry.place.type != root_item) return {folder.tree, id, 0};
  const bool hangs_here = hangs_in(*volume_, id, folder.tree, folder.id, entry.name);
  const auto root = hangs_here ? find_root(*volume_, id) : std::nullopt;
  return root ? Node{id, root->root_folder, 0} : Node{folder.tree, empty_folder, 0};
}

std::optional<Node> Btrfs::find(Node folder, std::string_view name) {
  inode_of(folder, FileKind::directory, "is no folder");
  if (is_empty_folder(folder) || name == "." || name == "..") return std::nullopt;
  const auto entry = find_entry(tree_of_node(folder), folder.id, name);
  return entry ? std::optional(enter(folder, *entry)) : std::nullopt;
}

Stat Btrfs::stat(Node node) { return stat_of(node, inode_of(node), volume_->super().sector_bytes); }

void Btrfs::visit(Node folder, const EntryVisitor& visitor) {
  inode_of(folder, FileKind::directory, "is no folder");
  if (is_empty_folder(folder)) return;
  const Tree tree = tree_of_node(folder);  // what the visitor does may let go of the one that is known
  visit_folder(tree, folder.id, [&](const FolderEntry& entry) {
    return visitor({entry.name, enter(folder, entry), kind_by_type(entry.type)});
  });
}

std::size_t Btrfs::read(Node file, std::uint64_t offset, std::span<std::byte> out) {
  const std::uint64_t size = inode_of(file, FileKind::regular, "is no file").size;
  if (offset >= size) return 0;
  out = out.first(std::size_t(std::min<std::uint64_t>(out.size(), size - offset)));
  data_.read(tree_of_node(file), file.id, offset, out);
  return out.size();
}

std::optional<FileExtent> Btrfs::extent_at(Node file, std::uint64_t offset, std::uint64_t limit) {
  const std::uint64_t size = inode_of(file, FileKind::regular, "is no file").size;
  if (offset >= size) return std::nullopt;
  return locate_extent(tree_of_node(file), file.id, offset, std::min(limit, size - offset));
}

std::string Btrfs::read_link(Node link) {
  const std::uint64_t size = inode_of(link, FileKind::symlink, "is no symbolic link").size;
  std::string target(std::size_t(std::min(size, longest_link)), '\0');
  data_.read(tree_of_node(link), link.id, 0, std::as_writable_bytes(std::span(target)));
  return target;
}

std::vector<Attribute> Btrfs::attributes(Node node) {
  inode_of(node);
  std::vector<Attribute> found;
  if (is_empty_folder(node)) return found;
  std::size_t names_bytes = 0;
  visit_attributes(tree_of_node(node), node.id, [&](const FolderEntry& entry) {
    names_bytes += entry.name.size() + 1;
    if (names_bytes > most_names_bytes)
      throw Error(
          ErrorKind::unsupported,
          fmt::format("inode {} of the btrfs on {} has more attributes than Linux tells", node.id, volume_->name()))
          .on(volume_->name());
    found.push_back({std::string(entry.name), std::string(entry.data)});
    return true;
  });
  std::ranges::sort(found);
  return found;
}

}  // namespace

std::optional<BtrfsMember> read_btrfs_member(block::BlockDevice& device) {
  const auto super = read_super(device);
  if (!super) return std::nullopt;
  return BtrfsMember{base::Guid::from_big_endian(super->filesystem).text(), super->device.id, super->devices,
                     super->total_bytes};
}

std::unique_ptr<FileSystem> open_btrfs(std::span<block::BlockDevice* const> devices) {
  return std::make_unique<Btrfs>(std::vector(devices.begin(), devices.end()), std::make_shared<Volume>(devices),
                                 file_tree);
}

std::unique_ptr<FileSystem> open_btrfs(block::BlockDevice& device) {
  block::BlockDevice* const devices[] = {&device};
  return open_btrfs(devices);
}

}  // namespace hrvm::fs
