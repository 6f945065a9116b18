// ext2, ext3 and ext4 by libext2fs. Checksums that do not match are passed over: what can be read of a slightly damaged
// filesystem is worth more here than none of it.
extern "C" {
#include <et/com_err.h>  // has no guard of its own
}
#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "fs/ext/channel.hpp"
#include "fs/path.hpp"
#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/endian.hpp"
#include "hrvm/fs/file_system.hpp"

namespace hrvm::fs {
namespace {

using base::Error;
using base::ErrorKind;

constexpr std::uint64_t open_allowance = 512 * base::MiB, task_allowance = 64 * base::MiB;
constexpr std::size_t most_entries = 65536, most_slots = 16 * most_entries;
constexpr std::uint64_t longest_link = 4096;

// The fields of the superblock (at byte 1024) by which libext2fs sizes its tables.
struct SizingFields {
  base::le32 inodes_count, blocks_count, reserved[3], first_data_block, log_block_size, log_cluster_size,
      blocks_per_group;
};
static_assert(sizeof(SizingFields) == 36);
constexpr std::uint64_t superblock_offset = 1024, blocks_count_high_offset = 0x150;
constexpr std::uint64_t descriptor_bytes = 64, most_descriptor_bytes = 256 * base::MiB;

Error cannot_open(block::BlockDevice& device, std::string_view why) {
  return Error(ErrorKind::corrupt, fmt::format("cannot open the ext filesystem on {}: {}", device.name(), why))
      .on(device.name());
}

// libext2fs believes the number of groups and takes memory for all of them.
void check_sizes(block::BlockDevice& device) {
  std::array<std::byte, 1024> superblock;
  if (device.size() < superblock_offset + superblock.size()) throw cannot_open(device, "it is too small");
  device.read(superblock_offset, superblock);
  auto fields = base::load<SizingFields>(superblock);
  auto high = base::load<base::le32>(superblock, blocks_count_high_offset);
  auto blocks = std::uint64_t(fields.blocks_count) | std::uint64_t(high) << 32;
  auto groups = blocks / std::max<std::uint64_t>(fields.blocks_per_group, 1) + 1;
  if (groups > std::min(device.size(), most_descriptor_bytes) / descriptor_bytes) {
    throw cannot_open(device, fmt::format("it claims to have {} block groups", groups));
  }
}

struct CloseExt {
  void operator()(struct_ext2_filsys* filesystem) const { ext2fs_close_free(&filesystem); }
};
struct CloseFile {
  void operator()(ext2_file* file) const { ext2fs_file_close(file); }
};
using Filesystem = std::unique_ptr<struct_ext2_filsys, CloseExt>;
using File = std::unique_ptr<ext2_file, CloseFile>;

FileKind kind_of_mode(unsigned mode) {
  if (LINUX_S_ISREG(mode)) return FileKind::regular;
  if (LINUX_S_ISDIR(mode)) return FileKind::directory;
  return LINUX_S_ISLNK(mode) ? FileKind::symlink : FileKind::other;
}

// ext4 keeps two more bits of the seconds where the inode is large enough.
std::int64_t modified(const ext2_inode_large& inode) {
  constexpr unsigned covered = offsetof(ext2_inode_large, i_mtime_extra) + sizeof inode.i_mtime_extra;
  bool has_extra = EXT2_GOOD_OLD_INODE_SIZE + unsigned(inode.i_extra_isize) >= covered;
  auto seconds = std::int64_t(std::int32_t(inode.i_mtime));
  return has_extra ? seconds + (std::int64_t(inode.i_mtime_extra & 3) << 32) : seconds;
}

class Ext : public FileSystem {
 public:
  explicit Ext(block::BlockDevice& device) : source_(device) {
    check_sizes(device);
    source_.allow(open_allowance);
    ext2_filsys opened = nullptr;
    auto error = open_ext2fs(source_, EXT2_FLAG_64BITS | EXT2_FLAG_IGNORE_CSUM_ERRORS, &opened);
    filesystem_.reset(opened);
    if (error != 0) throw cannot_open(device, describe(error));
  }

  std::string_view type() const override;
  std::optional<FileInfo> info(std::string_view path) override;
  std::vector<Entry> list(std::string_view path) override;
  std::string read(std::string_view path, std::uint64_t offset, std::size_t length) override;
  std::string read_link(std::string_view path) override;
  bool needs_recovery() const override { return ext2fs_has_feature_journal_needs_recovery(filesystem_->super); }

 private:
  static std::string describe(errcode_t error) {
    initialize_ext2_error_table();
    return error_message(error);
  }
  void check(errcode_t error, std::string_view doing, std::string_view path);
  Error not_found(std::string_view path, std::string_view what);
  std::optional<ext2_ino_t> find(std::string_view path);
  ext2_ino_t find_kind(std::string_view path, FileKind kind, std::string_view what);
  ext2_inode_large inode(ext2_ino_t number, std::string_view path);
  std::string read_inode(ext2_ino_t number, std::string_view path, std::uint64_t offset, std::size_t length);
  FileKind entry_kind(const ext2_dir_entry& entry);

  ExtSource source_;
  Filesystem filesystem_;
};

void Ext::check(errcode_t error, std::string_view doing, std::string_view path) {
  if (error == 0) return;
  auto what = fmt::format("cannot {} {} on {}", doing, path, source_.device().name());
  if (auto cause = source_.take_error()) throw std::move(cause->while_doing(what));
  throw Error(ErrorKind::corrupt, fmt::format("{}: {}", what, describe(error))).on(source_.device().name());
}

Error Ext::not_found(std::string_view path, std::string_view what) {
  return Error(ErrorKind::not_found, fmt::format("{} on {} is no {}", path, source_.device().name(), what))
      .on(source_.device().name());
}

// As libblkid tells them apart: by features that only ext4, or only ext3, knows.
std::string_view Ext::type() const {
  constexpr unsigned btree_directories = 4;  // has no name in libext2fs
  constexpr unsigned old_incompatible =
      EXT2_FEATURE_INCOMPAT_FILETYPE | EXT3_FEATURE_INCOMPAT_RECOVER | EXT2_FEATURE_INCOMPAT_META_BG;
  constexpr unsigned old_read_only =
      EXT2_FEATURE_RO_COMPAT_SPARSE_SUPER | EXT2_FEATURE_RO_COMPAT_LARGE_FILE | btree_directories;
  const auto& super = *filesystem_->super;
  if ((super.s_feature_incompat & ~old_incompatible) || (super.s_feature_ro_compat & ~old_read_only)) return "ext4";
  return super.s_feature_compat & EXT3_FEATURE_COMPAT_HAS_JOURNAL ? "ext3" : "ext2";
}

std::optional<ext2_ino_t> Ext::find(std::string_view path) {
  ext2_ino_t number = EXT2_ROOT_INO;
  for (const auto& name : components(path)) {
    source_.allow(task_allowance);
    auto error = ext2fs_lookup(filesystem_.get(), number, name.c_str(), int(name.size()), nullptr, &number);
    if (error == EXT2_ET_FILE_NOT_FOUND || error == EXT2_ET_NO_DIRECTORY) return std::nullopt;
    check(error, "find", path);
  }
  source_.allow(task_allowance);
  return number;
}

ext2_inode_large Ext::inode(ext2_ino_t number, std::string_view path) {
  ext2_inode_large large{};
  // libext2fs fills what the inodes of this filesystem have of it.
  auto* begin = static_cast<ext2_inode*>(static_cast<void*>(&large));
  check(ext2fs_read_inode_full(filesystem_.get(), number, begin, int(sizeof large)), "read", path);
  return large;
}

std::optional<FileInfo> Ext::info(std::string_view path) {
  auto number = find(path);
  if (!number) return std::nullopt;
  auto found = inode(*number, path);
  return FileInfo{kind_of_mode(found.i_mode), EXT2_I_SIZE(&found), modified(found)};
}

ext2_ino_t Ext::find_kind(std::string_view path, FileKind kind, std::string_view what) {
  auto number = find(path);
  if (!number || kind_of_mode(inode(*number, path).i_mode) != kind) throw not_found(path, what);
  return *number;
}

FileKind Ext::entry_kind(const ext2_dir_entry& entry) {
  switch (ext2fs_dirent_file_type(&entry)) {
    case EXT2_FT_REG_FILE:
      return FileKind::regular;
    case EXT2_FT_DIR:
      return FileKind::directory;
    case EXT2_FT_SYMLINK:
      return FileKind::symlink;
    default: {  // not told in the folder, or no kind that matters here
      ext2_inode small{};
      return ext2fs_read_inode(filesystem_.get(), entry.inode, &small) == 0 ? kind_of_mode(small.i_mode)
                                                                            : FileKind::other;
    }
  }
}

std::vector<Entry> Ext::list(std::string_view path) {
  struct Listing {
    Ext& ext;
    std::vector<Entry> entries;
    std::size_t slots = 0;
  } listing{*this, {}};
  auto add = [](ext2_dir_entry* entry, int, int, char*, void* data) {
    auto& to = *static_cast<Listing*>(data);
    std::string name(entry->name, std::size_t(ext2fs_dirent_name_len(entry)));
    bool is_entry = entry->inode != 0 && !name.empty() && name != "." && name != ".." && name.find('/') == name.npos;
    if (is_entry) to.entries.push_back({std::move(name), to.ext.entry_kind(*entry)});
    return to.entries.size() == most_entries || ++to.slots == most_slots ? DIRENT_ABORT : 0;
  };
  auto number = find_kind(path, FileKind::directory, "folder");
  auto error = ext2fs_dir_iterate(filesystem_.get(), number, DIRENT_FLAG_INCLUDE_EMPTY, nullptr, add, &listing);
  if (listing.entries.empty()) check(error, "list", path);
  return std::move(listing.entries);
}

std::string Ext::read_inode(ext2_ino_t number, std::string_view path, std::uint64_t offset, std::size_t length) {
  source_.allow(task_allowance + 4 * std::uint64_t(length));
  ext2_file_t opened = nullptr;
  check(ext2fs_file_open(filesystem_.get(), number, 0, &opened), "open", path);
  File file(opened);
  std::uint64_t size = EXT2_I_SIZE(ext2fs_file_get_inode(opened));
  if (offset >= size) return {};
  std::string bytes(std::size_t(std::min<std::uint64_t>(length, size - offset)), '\0');
  check(ext2fs_file_llseek(opened, offset, EXT2_SEEK_SET, nullptr), "read", path);
  for (std::size_t done = 0; done < bytes.size();) {
    auto wanted = unsigned(std::min<std::size_t>(bytes.size() - done, base::MiB)), got = 0u;
    check(ext2fs_file_read(opened, bytes.data() + done, wanted, &got), "read", path);
    if (got == 0) throw cannot_open(source_.device(), fmt::format("{} ends before its size", path));
    done += got;
  }
  return bytes;
}

std::string Ext::read(std::string_view path, std::uint64_t offset, std::size_t length) {
  return read_inode(find_kind(path, FileKind::regular, "regular file"), path, offset, length);
}

std::string Ext::read_link(std::string_view path) {
  auto number = find_kind(path, FileKind::symlink, "symbolic link");
  auto link = inode(number, path);
  std::uint64_t size = EXT2_I_SIZE(&link);
  if (size >= sizeof link.i_block) return read_inode(number, path, 0, std::size_t(std::min(size, longest_link)));
  std::array<char, sizeof link.i_block> text;  // a short target lies in the inode itself
  std::memcpy(text.data(), link.i_block, text.size());
  return {text.data(), std::size_t(size)};
}

}  // namespace

std::unique_ptr<FileSystem> open_ext(block::BlockDevice& device) { return std::make_unique<Ext>(device); }

}  // namespace hrvm::fs
