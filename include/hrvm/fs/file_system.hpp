// FileSystem: the files of a filesystem on a BlockDevice, read without mounting it and without replaying its journal.
// Paths are absolute within the filesystem ("/etc/os-release"), names are bytes as they lie on disk.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hrvm/block/block_device.hpp"

namespace hrvm::fs {

enum class FileKind { regular, directory, symlink, other };

struct FileInfo {
  FileKind kind = FileKind::other;
  std::uint64_t size_bytes = 0;
  std::int64_t modified = 0;  // seconds since 1970, UTC; 0 where unknown
};

struct Entry {
  std::string name;
  FileKind kind = FileKind::other;
};

// A tree of files within a filesystem that can be a root by itself (btrfs).
struct Subvolume {
  std::uint64_t id = 0;
  std::string path;  // from the top level: "@", "@/.snapshots/1/snapshot"; empty for the top level itself
  bool is_default = false;
  bool is_read_only = false;
  bool is_snapshot = false;
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;

  virtual std::string_view type() const = 0;  // libblkid's word: "ext4", "vfat"

  // The last component's own information, links not followed; nullopt when a component is not there.
  virtual std::optional<FileInfo> info(std::string_view path) = 0;
  // Entries without "." and "..", in the order of the disk. Error{not_found} for what is no folder. At most 65536
  // entries are given.
  virtual std::vector<Entry> list(std::string_view path) = 0;
  // Bytes [offset, offset + length) of a regular file; fewer at its end.
  virtual std::string read(std::string_view path, std::uint64_t offset, std::size_t length) = 0;
  virtual std::string read_link(std::string_view path) = 0;
  // True where the journal was not closed: what is read may be older than what a mount would show.
  virtual bool needs_recovery() const { return false; }

  // The top level first, then as they lie on disk; empty where the filesystem has no such thing. At most 4096.
  virtual std::vector<Subvolume> subvolumes() { return {}; }
  // A view with this subvolume as its "/"; this filesystem must outlive it. Error{not_found} for an unknown id.
  virtual std::unique_ptr<FileSystem> open_subvolume(std::uint64_t id);
};

// Follows symbolic links as a system would whose root this is: absolute ones start at this filesystem's root, ".."
// stops there, at most 40 of them. nullopt when it ends nowhere.
std::optional<std::string> resolve(FileSystem& files, std::string_view path);
// A whole small file with links followed: nullopt when it is not there, is no regular file, or is larger than `limit`.
std::optional<std::string> try_read(FileSystem& files, std::string_view path, std::size_t limit = 1 << 20);
bool exists(FileSystem& files, std::string_view path);  // links followed

// Readers. The device must outlive them. Error{corrupt} when the filesystem cannot be opened.
std::unique_ptr<FileSystem> open_ext(block::BlockDevice& device);  // ext2, ext3, ext4, by libext2fs
std::unique_ptr<FileSystem> open_fat(
    block::BlockDevice& device);  // FAT12, FAT16, FAT32 with long names; names ignore case
std::unique_ptr<FileSystem> open_xfs(block::BlockDevice& device);  // XFS of versions 4 and 5
// The top level (subvolume 5) of the btrfs on the first device, with the other subvolumes as folders. Devices of
// another btrfs are left out; what lies only on one that is not here is Error{not_found} when it is read.
std::unique_ptr<FileSystem> open_btrfs(std::span<block::BlockDevice* const> devices);
std::unique_ptr<FileSystem> open_btrfs(block::BlockDevice& device);
// What a device says of the btrfs of which it bears a part; nullopt where it bears none.
struct BtrfsMember {
  std::string uuid;
  std::uint64_t device = 0, devices = 1;  // its own number, and how many there are
  std::uint64_t size_bytes = 0;           // of them all
};
std::optional<BtrfsMember> read_btrfs_member(block::BlockDevice& device);
// NTFS, by libntfs-3g. Names ignore case. Symbolic links and junctions within the volume are links; what Windows keeps
// in a form of its own (Compact OS, deduplicated, encrypted, in a cloud) is listed, and Error{unsupported} when it is
// read.
std::unique_ptr<FileSystem> open_ntfs(block::BlockDevice& device);

// By libblkid's type name; nullptr for types that hrvm does not look into yet.
std::unique_ptr<FileSystem> open_file_system(std::string_view type, block::BlockDevice& device);

}  // namespace hrvm::fs
