// NTFS by libntfs-3g: the root of Windows. Nothing is mounted: the log is not replayed, $MFTMirr, $UpCase and $Secure
// are not read, so what a crash has left of a volume can be looked at too.
#include <fmt/core.h>

#include <algorithm>
#include <cstring>

#include "fs/ntfs/boot_sector.hpp"
#include "fs/ntfs/reparse.hpp"
#include "fs/ntfs/source.hpp"
#include "fs/path.hpp"
#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/endian.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/fs/file_system.hpp"

#include "fs/ntfs/library.hpp"

namespace hrvm::fs {
namespace {

using base::Error, base::ErrorKind;

constexpr std::uint64_t open_allowance = 64 * base::MiB, task_allowance = 64 * base::MiB;
constexpr std::size_t most_entries = 65536;
constexpr std::size_t most_slots = 4 * most_entries;  // short names and metafiles are entries too
constexpr std::int64_t ticks_per_second = 10'000'000, seconds_from_1601 = 11'644'473'600;

struct CloseVolume {
  void operator()(ntfs_volume* volume) const { ntfs_umount(volume, FALSE); }
};
struct CloseInode {
  void operator()(ntfs_inode* inode) const { ntfs_inode_close(inode); }
};
struct CloseAttribute {
  void operator()(ntfs_attr* attribute) const { ntfs_attr_close(attribute); }
};
struct Free {
  void operator()(void* memory) const { std::free(memory); }
};
using Volume = std::unique_ptr<ntfs_volume, CloseVolume>;
using Inode = std::unique_ptr<ntfs_inode, CloseInode>;
using Attribute = std::unique_ptr<ntfs_attr, CloseAttribute>;

// Flags that libntfs-3g has as enumerations, of which a disk may hold any value.
template <typename Integer, typename Structure>
Integer flags_in(const Structure& structure, std::size_t offset) {
  return base::load<Integer>(std::as_bytes(std::span(&structure, 1)), offset);
}

bool is_directory(const Inode& inode) {
  return flags_in<base::le16>(*inode->mrec, offsetof(MFT_RECORD, flags)) & MFT_RECORD_IS_DIRECTORY;
}

bool is_reparse_point(const Inode& inode) {
  return flags_in<base::le32>(*inode, offsetof(ntfs_inode, flags)) & FILE_ATTR_REPARSE_POINT;
}

std::int64_t modified(const Inode& inode) {
  return std::int64_t(inode->last_data_change_time) / ticks_per_second - seconds_from_1601;
}

struct Utf16 {
  std::unique_ptr<ntfschar, Free> text;
  int length = -1;  // in units; negative for what is no UTF-8 or too long for a name
};

Utf16 to_utf16(const std::string& name) {
  ntfschar* text = nullptr;
  const int length = name.find('\0') == name.npos ? ntfs_mbstoucs(name.c_str(), &text) : -1;
  return {std::unique_ptr<ntfschar, Free>(text), length};
}

std::optional<std::string> to_utf8(const ntfschar* name, int length) {
  char* text = nullptr;
  const int bytes = ntfs_ucstombs(name, length, &text, 0);
  const std::unique_ptr<char, Free> owned(text);
  if (bytes <= 0) return std::nullopt;
  return std::string(text, std::size_t(bytes));
}

class Ntfs final : public FileSystem {
 public:
  explicit Ntfs(block::BlockDevice& device) : source_(device) {
    ntfs::check_boot_sector(device);
    ntfs_log_set_handler(ntfs_log_handler_null);  // it would write to the terminal
    source_.allow(open_allowance);
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

  std::string_view type() const override { return "ntfs"; }
  bool needs_recovery() const override { return needs_recovery_; }

  std::optional<FileInfo> info(std::string_view path) override {
    const auto inode = find(path);
    if (!inode) return std::nullopt;
    return FileInfo{kind(inode), is_directory(inode) ? 0 : std::uint64_t(inode->data_size), modified(inode)};
  }

  std::vector<Entry> list(std::string_view path) override;
  std::string read(std::string_view path, std::uint64_t offset, std::size_t length) override;
  std::string read_link(std::string_view path) override;

 private:
  // What libntfs-3g keeps of the file that was read last: hives are read a block at a time.
  struct Opened {
    std::string path;
    Inode inode;
    Attribute data;
  };

  Error broken(std::string what, int cause);
  Error not_there(std::string_view path, std::string_view why);
  Error unreadable(std::string_view path, std::string_view why);
  Error cannot_read(std::string_view path, int cause);

  Inode open(MFT_REF reference) { return Inode(ntfs_inode_open(volume_.get(), reference)); }
  Attribute attribute(const Inode& inode, ATTR_TYPES type) {
    return Attribute(inode ? ntfs_attr_open(inode.get(), type, AT_UNNAMED, 0) : nullptr);
  }
  Inode find(std::string_view path);
  bool read_version();
  bool has_log_to_replay();
  ntfs::ReparsePoint reparse_point(const Inode& inode);
  FileKind kind(const Inode& inode);
  FileKind entry_kind(MFT_REF reference, unsigned told);
  const Opened& opened(std::string_view path);

  NtfsSource source_;
  Volume volume_;
  bool needs_recovery_ = false;
  Opened opened_;  // closed before the volume
};

Error Ntfs::broken(std::string what, int cause) {
  if (auto error = source_.take_error()) return std::move(error->while_doing(what));
  return Error(ErrorKind::corrupt, fmt::format("{}: {}", what, std::strerror(cause ? cause : EIO)))
      .on(source_.device().name());
}

Error Ntfs::not_there(std::string_view path, std::string_view why) {
  return Error(ErrorKind::not_found, fmt::format("{} {} on {}", path, why, source_.device().name()))
      .on(source_.device().name());
}

Error Ntfs::unreadable(std::string_view path, std::string_view why) {
  return Error(ErrorKind::unsupported, fmt::format("cannot read {} on {}: {}", path, source_.device().name(), why))
      .on(source_.device().name())
      .hint("start the system as a machine, and read it there");
}

Error Ntfs::cannot_read(std::string_view path, int cause) {
  return broken(fmt::format("cannot read {} on {}", path, source_.device().name()), cause);
}

// No inode where a component is not there.
Inode Ntfs::find(std::string_view path) {
  source_.allow(task_allowance);
  Inode here = open(FILE_root);
  for (const auto& name : components(path)) {
    if (!here) break;
    if (!is_directory(here)) return nullptr;
    const auto wanted = to_utf16(name);
    if (wanted.length <= 0 || wanted.length > NTFS_MAX_NAME_LEN) return nullptr;
    NVolClearCaseSensitive(volume_.get());  // for looking up alone: a listing would be in lower case
    const auto reference = ntfs_inode_lookup_by_name(here.get(), wanted.text.get(), wanted.length);
    const int cause = errno;
    NVolSetCaseSensitive(volume_.get());
    if (reference == std::uint64_t(-1)) {
      if (cause == ENOENT) return nullptr;
      throw cannot_read(path, cause);
    }
    here = open(reference);
  }
  if (!here) throw cannot_read(path, errno);
  return here;
}

// Tells libntfs-3g the version, without which it takes no holes. True when the volume is marked as dirty, or not at
// all.
bool Ntfs::read_version() {
  const Inode volume = open(FILE_Volume);
  const Attribute about = attribute(volume, AT_VOLUME_INFORMATION);
  VOLUME_INFORMATION read{};
  if (!about || ntfs_attr_pread(about.get(), 0, sizeof read, &read) != sizeof read) return true;
  volume_->major_ver = read.major_ver;
  volume_->minor_ver = read.minor_ver;
  return flags_in<base::le16>(read, offsetof(VOLUME_INFORMATION, flags)) & VOLUME_IS_DIRTY;
}

// Version 2.0 of the log stays where Windows has left part of the volume in its memory image (Fast Startup,
// hibernation) or had no time to leave: only a clean end brings it back to 1.1.
bool Ntfs::has_log_to_replay() {
  const Inode file = open(FILE_LogFile);
  const Attribute log = attribute(file, AT_DATA);
  if (!log) return true;
  RESTART_PAGE_HEADER* page = nullptr;
  const bool sound = ntfs_check_logfile(log.get(), &page);
  const std::unique_ptr<RESTART_PAGE_HEADER, Free> owned(page);
  if (!sound || !ntfs_is_logfile_clean(log.get(), page)) return true;
  return page && page->major_ver == 2;
}

ntfs::ReparsePoint Ntfs::reparse_point(const Inode& inode) {
  const Attribute point = attribute(inode, AT_REPARSE_POINT);
  if (!point) return {};
  std::string value(std::size_t(std::clamp<s64>(point->data_size, 0, ntfs::longest_reparse_point)), '\0');
  if (ntfs_attr_pread(point.get(), 0, s64(value.size()), value.data()) != s64(value.size())) return {};
  return ntfs::parse_reparse_point(value);
}

FileKind Ntfs::kind(const Inode& inode) {
  const auto plain = is_directory(inode) ? FileKind::directory : FileKind::regular;
  if (!is_reparse_point(inode)) return plain;
  switch (reparse_point(inode).kind) {
    case ntfs::ReparseKind::link:
      return FileKind::symlink;
    case ntfs::ReparseKind::stored:
      return plain;
    default:
      return FileKind::other;
  }
}

FileKind Ntfs::entry_kind(MFT_REF reference, unsigned told) {
  if (told == NTFS_DT_DIR) return FileKind::directory;
  if (told == NTFS_DT_REG) return FileKind::regular;
  const Inode inode = open(reference);
  return inode ? kind(inode) : FileKind::other;
}

std::vector<Entry> Ntfs::list(std::string_view path) {
  struct Listing {
    Ntfs& ntfs;
    std::vector<Entry> entries;
    std::size_t slots = 0;
  } listing{*this, {}};
  const auto add = [](void* data, const ntfschar* text, const int length, const int name_type, const s64,
                      const MFT_REF reference, const unsigned told) -> int {
    auto& to = *static_cast<Listing*>(data);
    const bool is_metafile = MREF(reference) < FILE_first_user;
    auto name = name_type == FILE_NAME_DOS || is_metafile ? std::nullopt : to_utf8(text, length);
    if (name && *name != "." && *name != ".." && name->find('/') == name->npos)
      to.entries.push_back({std::move(*name), to.ntfs.entry_kind(reference, told)});
    return to.entries.size() == most_entries || ++to.slots == most_slots;
  };
  const Inode folder = find(path);
  if (!folder || !is_directory(folder)) throw not_there(path, "is no folder");
  s64 position = 0;
  const int result = ntfs_readdir(folder.get(), &position, &listing, add);
  if (result != 0 && listing.entries.empty()) throw cannot_read(path, errno);
  source_.take_error();
  return std::move(listing.entries);
}

const Ntfs::Opened& Ntfs::opened(std::string_view path) {
  if (opened_.inode && opened_.path == path) return opened_;
  opened_.data.reset();
  opened_.inode.reset();
  Opened file{std::string(path), find(path), {}};
  if (!file.inode || is_directory(file.inode)) throw not_there(path, "is no file");
  if (is_reparse_point(file.inode)) {
    const auto point = reparse_point(file.inode);
    if (point.kind != ntfs::ReparseKind::stored) throw not_there(path, "is no file");
    throw unreadable(path, point.why_unreadable);
  }
  file.data = attribute(file.inode, AT_DATA);
  if (!file.data) throw cannot_read(path, errno);
  if (NAttrEncrypted(file.data.get())) throw unreadable(path, "it is encrypted (EFS)");
  opened_ = std::move(file);
  return opened_;
}

std::string Ntfs::read(std::string_view path, std::uint64_t offset, std::size_t length) {
  const Opened& file = opened(path);
  source_.allow(task_allowance + 4 * std::uint64_t(length));
  const auto size = std::uint64_t(std::max<s64>(file.data->data_size, 0));
  if (offset >= size) return {};
  std::string bytes(std::size_t(std::min<std::uint64_t>(length, size - offset)), '\0');
  for (std::size_t done = 0; done < bytes.size();) {
    const auto wanted = s64(std::min<std::size_t>(bytes.size() - done, base::MiB));
    const auto got = ntfs_attr_pread(file.data.get(), s64(offset + done), wanted, bytes.data() + done);
    if (got <= 0 || got > wanted) throw cannot_read(path, got < 0 ? errno : EIO);
    done += std::size_t(got);
  }
  return bytes;
}

std::string Ntfs::read_link(std::string_view path) {
  const Inode inode = find(path);
  auto point = inode && is_reparse_point(inode) ? reparse_point(inode) : ntfs::ReparsePoint{};
  if (point.kind != ntfs::ReparseKind::link) throw not_there(path, "is no symbolic link");
  return std::move(point.target);
}

}  // namespace

std::unique_ptr<FileSystem> open_ntfs(block::BlockDevice& device) { return std::make_unique<Ntfs>(device); }

}  // namespace hrvm::fs
