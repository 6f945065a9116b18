// btrfs: the root of openSUSE, Fedora and others, in a subvolume of which a system mostly lies.
#include <fmt/core.h>

#include <algorithm>

#include "fs/btrfs/data.hpp"
#include "fs/btrfs/folder.hpp"
#include "fs/btrfs/roots.hpp"
#include "fs/btrfs/super.hpp"
#include "fs/btrfs/volume.hpp"
#include "fs/path.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/guid.hpp"
#include "hrvm/fs/file_system.hpp"

namespace hrvm::fs {
namespace {

using namespace btrfs;
using base::Error, base::ErrorKind;

constexpr std::uint64_t longest_link = 4096;

FileKind kind_by_mode(std::uint32_t mode) {
  switch (mode & 0xf000) {
    case 0x4000:
      return FileKind::directory;
    case 0x8000:
      return FileKind::regular;
    case 0xa000:
      return FileKind::symlink;
    default:
      return FileKind::other;
  }
}

FileKind kind_by_type(std::uint8_t type) {
  switch (type) {
    case entry_regular:
      return FileKind::regular;
    case entry_folder:
      return FileKind::directory;
    case entry_link:
      return FileKind::symlink;
    default:
      return FileKind::other;
  }
}

struct Place {
  std::uint64_t subvolume = 0;
  std::uint64_t inode = 0;  // 0: a folder that is empty, where another subvolume's snapshot had one
};

class Btrfs final : public FileSystem {
 public:
  Btrfs(std::shared_ptr<Volume> volume, std::uint64_t subvolume)
      : volume_(std::move(volume)), data_(*volume_), subvolume_(subvolume) {
    root_of(subvolume_);
  }

  std::string_view type() const override { return "btrfs"; }
  bool needs_recovery() const override { return volume_->super().log_root != 0; }
  std::vector<Subvolume> subvolumes() override { return list_subvolumes(*volume_); }
  std::unique_ptr<FileSystem> open_subvolume(std::uint64_t id) override { return std::make_unique<Btrfs>(volume_, id); }

  std::optional<FileInfo> info(std::string_view path) override {
    const auto place = find(path);
    if (!place) return std::nullopt;
    const auto inode = inode_of(*place);
    return FileInfo{kind_by_mode(inode.mode), inode.size, std::int64_t(std::uint64_t(inode.modified.seconds))};
  }

  std::vector<Entry> list(std::string_view path) override {
    const auto folder = find(path);
    if (!folder || !is(*folder, FileKind::directory)) throw not_there(path, "is no folder");
    std::vector<Entry> entries;
    if (folder->inode == 0) return entries;
    for (auto& entry : read_folder(tree(folder->subvolume), folder->inode))
      entries.push_back({std::move(entry.name), kind_by_type(entry.type)});
    return entries;
  }

  std::string read(std::string_view path, std::uint64_t offset, std::size_t length) override {
    const auto file = find(path);
    if (!file || !is(*file, FileKind::regular)) throw not_there(path, "is no file");
    return read(*file, offset, length);
  }

  std::string read_link(std::string_view path) override {
    const auto link = find(path);
    if (!link || !is(*link, FileKind::symlink)) throw not_there(path, "is no symbolic link");
    return read(*link, 0, longest_link);
  }

 private:
  Error not_there(std::string_view path, std::string_view why) const {
    return Error(ErrorKind::not_found, fmt::format("{} {} on {}", path, why, volume_->name())).on(std::string(path));
  }

  RootItem root_of(std::uint64_t id) const {
    const auto root = find_root(*volume_, id);
    if (!root)
      throw Error(ErrorKind::not_found, fmt::format("the btrfs on {} has no subvolume {}", volume_->name(), id))
          .on(volume_->name());
    return *root;
  }

  Tree tree(std::uint64_t id) const { return tree_of(*volume_, root_of(id)); }

  InodeItem inode_of(const Place& place) const {
    InodeItem inode{};
    inode.mode = 0x4000;
    if (place.inode == 0) return inode;
    const auto at = tree(place.subvolume).find({place.inode, inode_item, 0});
    if (!at.valid() || at.data().size() < sizeof inode)
      throw Error(ErrorKind::corrupt, fmt::format("the btrfs on {} lacks inode {}", volume_->name(), place.inode))
          .on(volume_->name());
    return base::load<InodeItem>(at.data());
  }

  bool is(const Place& place, FileKind kind) const { return kind_by_mode(inode_of(place).mode) == kind; }

  std::string read(const Place& file, std::uint64_t offset, std::size_t length) {
    const std::uint64_t size = inode_of(file).size;
    if (offset >= size) return {};
    std::string bytes(std::size_t(std::min<std::uint64_t>(length, size - offset)), '\0');
    data_.read(tree(file.subvolume), file.inode, offset, std::as_writable_bytes(std::span(bytes)));
    return bytes;
  }

  Place enter(const Place& folder, const FolderEntry& entry) const {
    if (entry.place.type != root_item) return {folder.subvolume, entry.place.object};
    const auto id = entry.place.object;
    const bool hangs_here = hangs_in(*volume_, id, folder.subvolume, folder.inode, entry.name);
    const auto root = hangs_here ? find_root(*volume_, id) : std::nullopt;
    return root ? Place{id, root->root_folder} : Place{folder.subvolume, 0};
  }

  std::optional<Place> find(std::string_view path) const {
    Place here{subvolume_, root_of(subvolume_).root_folder};
    for (const auto& name : components(path)) {
      if (here.inode == 0) return std::nullopt;
      const auto entry = find_entry(tree(here.subvolume), here.inode, name);
      if (!entry) return std::nullopt;
      here = enter(here, *entry);
    }
    return here;
  }

  std::shared_ptr<Volume> volume_;
  DataReader data_;
  std::uint64_t subvolume_;
};

}  // namespace

std::optional<BtrfsMember> read_btrfs_member(block::BlockDevice& device) {
  const auto super = read_super(device);
  if (!super) return std::nullopt;
  return BtrfsMember{base::Guid::from_big_endian(super->filesystem).text(), super->device.id, super->devices,
                     super->total_bytes};
}

std::unique_ptr<FileSystem> open_btrfs(std::span<block::BlockDevice* const> devices) {
  return std::make_unique<Btrfs>(std::make_shared<Volume>(devices), file_tree);
}

std::unique_ptr<FileSystem> open_btrfs(block::BlockDevice& device) {
  block::BlockDevice* const devices[] = {&device};
  return open_btrfs(devices);
}

}  // namespace hrvm::fs
