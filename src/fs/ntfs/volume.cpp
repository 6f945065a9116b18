#include "fs/ntfs/volume.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>

#include "fs/ntfs/boot_sector.hpp"
#include "fs/ntfs/format.hpp"
#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/endian.hpp"
#include "hrvm/base/error.hpp"

#include "fs/ntfs/library.hpp"

namespace hrvm::fs::ntfs {
namespace {

using base::Error, base::ErrorKind;

constexpr std::uint64_t task_allowance = 64 * base::MiB;
// As many as a path has components, and some beside them.
constexpr std::size_t most_open = 16;
constexpr std::uint64_t most_continued = 64 * base::MiB;
constexpr unsigned record_bits = 48;  // of a file's reference; the rest is the sequence number

struct Free {
  void operator()(void* memory) const { std::free(memory); }
};

InodeHandle open_metafile(ntfs_volume* volume, NTFS_SYSTEM_FILES record) {
  return InodeHandle(ntfs_inode_open(volume, MFT_REF(record)));
}

AttributeHandle open_attribute(const InodeHandle& inode, ATTR_TYPES type) {
  return AttributeHandle(inode ? ntfs_attr_open(inode.get(), type, AT_UNNAMED, 0) : nullptr);
}

bool is_file(Node wanted, const File& file) {
  return wanted.id == file.node.id && (wanted.generation == 0 || wanted.generation == file.node.generation);
}

}  // namespace

void CloseVolume::operator()(ntfs_volume* volume) const { ntfs_umount(volume, FALSE); }
void CloseInode::operator()(ntfs_inode* inode) const { ntfs_inode_close(inode); }
void CloseAttribute::operator()(ntfs_attr* attribute) const { ntfs_attr_close(attribute); }

Volume::Volume(block::BlockDevice& device) : source_(device) {
  check_boot_sector(device);
  ntfs_log_set_handler(ntfs_log_handler_null);  // it would write to the terminal
  begin();
  ntfs_device* handle = open_ntfs_device(source_);
  if (handle) volume_.reset(ntfs_volume_startup(handle, NTFS_MNT_RDONLY | NTFS_MNT_FORENSIC));
  if (!volume_) {
    const int cause = errno;
    ntfs_device_free(handle);
    throw broken(fmt::format("cannot open the NTFS filesystem on {}", device.name()), cause);
  }
  const bool is_dirty = read_version();
  needs_recovery_ = is_dirty || has_log_to_replay();
}

void Volume::begin(std::uint64_t bytes) {
  source_.take_error();
  source_.allow(task_allowance + 4 * bytes);
}

std::shared_ptr<File> Volume::open(Node node) {
  begin();
  const auto known = std::ranges::find_if(open_, [&](const auto& file) { return file->node.id == node.id; });
  std::shared_ptr<File> file;
  if (known != open_.end()) {
    file = *known;
    open_.erase(known);
  } else if (node.tree == 0 && node.id >> record_bits == 0) {
    file = open_file(volume_.get(), node.id);
    const int cause = errno;
    if (!file && cause != ENOENT && cause != ESPIPE) throw cannot_read(node, cause);
  }
  if (file) keep(file);
  if (!file || node.tree != 0 || !is_file(node, *file)) throw not_there(node, "is no file");
  return file;
}

void Volume::keep(std::shared_ptr<File> file) {
  open_.push_back(std::move(file));
  const auto continued = [&] {
    std::uint64_t bytes = 0;
    for (const auto& each : open_) bytes += continued_bytes(*each);
    return bytes;
  };
  while (open_.size() > most_open || (open_.size() > 1 && continued() > most_continued)) open_.erase(open_.begin());
}

Error Volume::broken(std::string what, int cause) {
  if (auto error = source_.take_error()) return std::move(error->while_doing(what));
  return Error(ErrorKind::corrupt, fmt::format("{}: {}", what, std::strerror(cause ? cause : EIO)))
      .on(source_.device().name());
}

std::string Volume::describe(Node node) { return fmt::format("MFT record {} on {}", node.id, source_.device().name()); }

Error Volume::cannot_read(Node node, int cause) { return broken(fmt::format("cannot read {}", describe(node)), cause); }

Error Volume::not_there(Node node, std::string_view why) {
  return Error(ErrorKind::not_found, fmt::format("{} {}", describe(node), why)).on(source_.device().name());
}

Error Volume::unreadable(Node node, std::string_view why) {
  return Error(ErrorKind::unsupported, fmt::format("cannot read {}: {}", describe(node), why))
      .on(source_.device().name())
      .hint("start the system as a machine, and read it there");
}

// Tells libntfs-3g the version, without which it takes no holes. True when the volume is marked as dirty, or not at
// all.
bool Volume::read_version() {
  const InodeHandle volume = open_metafile(volume_.get(), FILE_Volume);
  const AttributeHandle about = open_attribute(volume, AT_VOLUME_INFORMATION);
  VOLUME_INFORMATION read{};
  if (!about || ntfs_attr_pread(about.get(), 0, sizeof read, &read) != sizeof read) return true;
  volume_->major_ver = read.major_ver;
  volume_->minor_ver = read.minor_ver;
  const std::uint16_t flags =
      base::load<base::le16>(std::as_bytes(std::span(&read, 1)), offsetof(VOLUME_INFORMATION, flags));
  return flags & VOLUME_IS_DIRTY;
}

// Version 2.0 of the log stays where Windows has left part of the volume in its memory image (Fast Startup,
// hibernation) or had no time to leave: only a clean end brings it back to 1.1.
bool Volume::has_log_to_replay() {
  const InodeHandle file = open_metafile(volume_.get(), FILE_LogFile);
  const AttributeHandle log = open_attribute(file, AT_DATA);
  if (!log) return true;
  RESTART_PAGE_HEADER* page = nullptr;
  const bool sound = ntfs_check_logfile(log.get(), &page);
  const std::unique_ptr<RESTART_PAGE_HEADER, Free> owned(page);
  if (!sound || !ntfs_is_logfile_clean(log.get(), page)) return true;
  return page && page->major_ver == 2;
}

}  // namespace hrvm::fs::ntfs
