// FileSystem: the files of a filesystem on a BlockDevice, read without mounting it and without writing to it. A journal
// that was not written back is replayed in memory where its reader can: what is read is what a mount would show.
//
// A file is known by its node, or by its path: paths are absolute within the filesystem ("/etc/os-release"), names are
// bytes as they lie on disk. Calls by path follow no link and are made of those by node.
//
// Every call may throw Error{corrupt} for structures that cannot be, and Error{io} for a medium that fails. A call
// takes memory for what it returns and for one way from the root of each tree, whatever the size of a file or a folder.
// A FileSystem is used by one thread at a time.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hrvm/base/error.hpp"
#include "hrvm/block/block_device.hpp"
#include "hrvm/block/ranges.hpp"

namespace hrvm::fs {

enum class FileKind {
  regular,
  directory,
  symlink,
  block_device,
  character_device,
  fifo,
  socket,
  other,  // what has no such kind (a reparse point of Windows), or none that can be known
};

struct FileInfo {
  FileKind kind = FileKind::other;
  std::uint64_t size_bytes = 0;
  std::int64_t modified = 0;  // seconds since 1970, UTC; 0 where unknown
};

struct Entry {
  std::string name;
  FileKind kind = FileKind::other;
};

// Of a folder that is small enough to hold; visit() is for any.
struct Listing {
  std::vector<Entry> entries;
  bool is_cut = false;               // there are more than were asked for
  std::optional<base::Error> error;  // why it ends early, where something came before

  auto begin() const { return entries.begin(); }
  auto end() const { return entries.end(); }
  std::size_t size() const { return entries.size(); }
  bool empty() const { return entries.empty(); }
};

// By what a filesystem knows a file: the same in two states of one filesystem as long as the file was not made anew.
struct Node {
  std::uint64_t tree = 0;        // the subvolume or object set; 0 where there is one tree only
  std::uint64_t id = 0;          // inode, MFT record, or the place of a FAT entry
  std::uint64_t generation = 0;  // sets a reused id apart; 0 where only stat() knows it, or nothing does

  friend auto operator<=>(const Node&, const Node&) = default;
};

// Since 1970, UTC. Nanoseconds count forward from the second, before 1970 too.
struct Time {
  std::int64_t seconds = 0;
  std::uint32_t nanoseconds = 0;

  friend auto operator<=>(const Time&, const Time&) = default;
};

struct Times {
  Time modified;
  std::optional<Time> changed, accessed, created;  // nullopt where the filesystem keeps none
};

struct DeviceNumber {
  std::uint32_t major = 0, minor = 0;

  friend auto operator<=>(const DeviceNumber&, const DeviceNumber&) = default;
};

struct Stat {
  Node node;  // with its generation
  FileKind kind = FileKind::other;
  // Permissions with set-user-ID, set-group-ID and sticky: 07777 at most. A filesystem that keeps none (FAT, NTFS)
  // gives 0755 for folders and 0644 for files, without the bits to write where they are read-only, and owner 0.
  std::uint32_t mode = 0;
  std::uint32_t uid = 0, gid = 0;
  std::uint64_t links = 1;
  DeviceNumber device;  // of device files
  std::uint64_t size_bytes = 0;
  std::uint64_t allocated_bytes = 0;  // what it takes on the disk, as st_blocks * 512
  Times times;
};

// What visit() meets. `name` is valid until the visitor returns.
struct DirectoryEntry {
  std::string_view name;
  Node node;
  FileKind kind = FileKind::other;
};

// False ends the visit.
using EntryVisitor = std::function<bool(const DirectoryEntry&)>;

enum class Stored {
  zeros,   // a hole, or allocated and not written: reads as zeros
  plain,   // the bytes lie on the device as they are
  packed,  // they are made from `stored_bytes` bytes on the device (compressed, encrypted)
  inside,  // they lie within metadata (an inode, a tree's leaf)
};

// A piece of a file, and where it is stored.
struct FileExtent {
  std::uint64_t offset = 0, length = 0;  // in the file, bytes; never of length 0
  Stored stored = Stored::zeros;
  std::uint64_t device_offset = 0;  // bytes; of plain and packed, and of the structure that holds what lies inside
  std::uint64_t stored_bytes = 0;   // of packed: how many from there on; 0 where they lie in several pieces
  std::uint32_t device = 0;         // which of the devices that the filesystem was opened on, from 0
};

// Named as getxattr(2) names it ("security.capability", "system.posix_acl_access", "user.mime_type"), with the bytes
// that it gives.
struct Attribute {
  std::string name;
  std::string value;  // 64 KiB at most

  friend auto operator<=>(const Attribute&, const Attribute&) = default;
};

// Data of a file beside its own, by name (NTFS).
struct Stream {
  std::string name;
  std::uint64_t size_bytes = 0;
};

enum class JournalState {
  clean,     // nothing was left to write back, or the filesystem has no journal
  replayed,  // done in memory
  ignored,   // not understood, damaged or not here: what is read may be older than what a mount would show
};

// Where a filesystem of one device keeps what it tells of its files. For who compares two states of it: of what lies in
// the same place, and did not change there, nothing has to be read. All ranges are of the device that is below.
class StorageMap {
 public:
  virtual ~StorageMap() = default;
  // Where that lies from which stat(), and the first step to all else of the node, come: in both states at one place
  // with the same bytes, a file is the same but for what lies in its blocks. nullopt where it does not lie on the
  // device as it is shown.
  virtual std::optional<block::ByteRange> record_of(Node node) = 0;
  // Every block that belongs to the node: its data, its folder's entries, its attributes, and what leads to these.
  virtual void visit_blocks(Node node, const std::function<void(block::ByteRange)>& visitor) = 0;
  // Blocks that are shown otherwise than they lie there, as their journal has newer ones.
  virtual std::vector<block::ByteRange> replayed() = 0;
  // Whether no byte of a file lies there: it is free, or the filesystem's own.
  virtual bool is_spare(block::ByteRange range) = 0;
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
  virtual JournalState journal() const { return JournalState::clean; }
  // Whether a mount would have something to write back first, replayed here or not.
  virtual bool needs_recovery() const { return journal() != JournalState::clean; }

  // By node. A node that leads to no file, or to one of another generation, is Error{not_found}.
  virtual Node root() = 0;
  // Reads what leads to this name, not the whole folder. nullopt when it is not there; "." and ".." never are.
  // Error{not_found} where `folder` is none.
  virtual std::optional<Node> find(Node folder, std::string_view name) = 0;
  virtual Stat stat(Node node) = 0;
  // Entries without "." and "..", in the order of the disk, each once, until the visitor returns false. What was given
  // before an error is good. Error{not_found} where `folder` is none.
  virtual void visit(Node folder, const EntryVisitor& visitor) = 0;
  // Bytes of a regular file from `offset` on: how many; fewer than `out` takes only at its end. Error{not_found} for
  // what is no regular file.
  virtual std::size_t read(Node file, std::uint64_t offset, std::span<std::byte> out) = 0;
  // The piece of a regular file that starts at `offset`, at most `limit` bytes (> 0) long; nullopt from its end on.
  virtual std::optional<FileExtent> extent_at(Node file, std::uint64_t offset, std::uint64_t limit) = 0;
  // 4096 bytes at most. Error{not_found} for what is no symbolic link.
  virtual std::string read_link(Node link) = 0;
  // In the order of their names.
  virtual std::vector<Attribute> attributes(Node node);
  virtual std::vector<Stream> streams(Node node);
  virtual std::size_t read_stream(Node node, std::string_view stream, std::uint64_t offset, std::span<std::byte> out);

  // By path. The last component's own information, links not followed; nullopt when a component is not there.
  std::optional<FileInfo> info(std::string_view path);
  // Entries without "." and "..", in the order of the disk, at most `limit`. Error{not_found} for what is no folder;
  // other errors are thrown where nothing was listed before them, else kept in the listing.
  Listing list(std::string_view path, std::size_t limit = 65536);
  // Bytes [offset, offset + length) of a regular file; fewer at its end.
  std::string read(std::string_view path, std::uint64_t offset, std::size_t length);
  std::string read_link(std::string_view path);

  // What it was opened on, in the order of FileExtent::device; none where that is no device.
  virtual std::vector<block::BlockDevice*> devices() { return {}; }
  // Lives as long as this; nullptr where a reader has none.
  virtual StorageMap* storage() { return nullptr; }
  // False where a node is no more than the place of a name (FAT): it does not follow a file that is moved.
  virtual bool nodes_last() const { return true; }
  // Two states of one filesystem that give the same for a subvolume that nothing writes to hold the same in it; nullopt
  // where that cannot be told.
  virtual std::optional<std::string> unwritten_mark(std::uint64_t /*subvolume*/) { return std::nullopt; }

  // The top level first, then as they lie on disk; empty where the filesystem has no such thing. At most 4096.
  virtual std::vector<Subvolume> subvolumes() { return {}; }
  // A view with this subvolume as its "/"; this filesystem must outlive it. Error{not_found} for an unknown id.
  virtual std::unique_ptr<FileSystem> open_subvolume(std::uint64_t id);
};

// The node that a path names, no link followed; nullopt when a component is not there or is below what is no folder.
std::optional<Node> find(FileSystem& files, std::string_view path);

// Follows symbolic links as a system would whose root this is: absolute ones start at this filesystem's root, ".."
// stops there, at most 40 of them. nullopt when it ends nowhere.
std::optional<std::string> resolve(FileSystem& files, std::string_view path);
// A whole small file with links followed: nullopt when it is not there, is no regular file, or is larger than `limit`.
std::optional<std::string> try_read(FileSystem& files, std::string_view path, std::size_t limit = 1 << 20);
bool exists(FileSystem& files, std::string_view path);  // links followed

// Readers. The device must outlive them. Error{corrupt} when the filesystem cannot be opened.
// ext2, ext3 and ext4 with all that Linux 6.12 mounts of them, and the blocks of a filesystem that is cut off as far as
// they are there. Names are compared as they are written, in folders that fold case too. Names in encrypted folders are
// given as they lie; encrypted contents are Error{unsupported}. Checksums are not looked at. Quota files, orphans and
// compression have no meaning here.
std::unique_ptr<FileSystem> open_ext(block::BlockDevice& device);
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
