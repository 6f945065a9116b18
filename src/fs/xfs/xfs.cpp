// XFS of versions 4 and 5: the root of RHEL and its kin.
#include <fmt/core.h>

#include <algorithm>

#include "fs/path.hpp"
#include "fs/xfs/directory.hpp"
#include "fs/xfs/log.hpp"
#include "fs/xfs/volume.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/fs/file_system.hpp"

namespace hrvm::fs {
namespace {

using xfs::DirectoryEntry, xfs::File;

constexpr std::uint64_t longest_link = 4096;
constexpr std::int64_t big_time_start = -(1ll << 31);  // 1901
constexpr std::uint64_t nanoseconds = 1'000'000'000;

FileKind kind_by_mode(const File& file) {
  if (file.is_directory()) return FileKind::directory;
  if (file.is_regular()) return FileKind::regular;
  return file.is_link() ? FileKind::symlink : FileKind::other;
}

std::int64_t modified(const xfs::Inode& inode) {
  const std::uint64_t time = inode.modified;
  if (inode.version == 3 && (inode.flags2 & xfs::flag2_big_time))
    return std::int64_t(time / nanoseconds) + big_time_start;
  return std::int32_t(time >> 32);
}

class Xfs final : public FileSystem {
 public:
  explicit Xfs(block::BlockDevice& device) : volume_(device), needs_recovery_(xfs::has_log_to_replay(volume_)) {}

  std::string_view type() const override { return "xfs"; }
  bool needs_recovery() const override { return needs_recovery_; }

  std::optional<FileInfo> info(std::string_view path) override {
    const auto file = find(path);
    if (!file) return std::nullopt;
    return FileInfo{kind_by_mode(*file), file->inode.size, modified(file->inode)};
  }

  std::vector<Entry> list(std::string_view path) override {
    const auto folder = find(path);
    if (!folder || !folder->is_directory()) throw not_there(path, "is no folder");
    std::vector<Entry> entries;
    for (auto& entry : xfs::read_directory(volume_, *folder)) {
      const auto kind = kind_of(entry);
      entries.push_back({std::move(entry.name), kind});
    }
    return entries;
  }

  std::string read(std::string_view path, std::uint64_t offset, std::size_t length) override {
    const auto file = find(path);
    if (!file || !file->is_regular()) throw not_there(path, "is no file");
    return read(*file, offset, length);
  }

  std::string read_link(std::string_view path) override {
    const auto file = find(path);
    if (!file || !file->is_link()) throw not_there(path, "is no symbolic link");
    return link_target(*file);
  }

 private:
  base::Error not_there(std::string_view path, std::string_view why) const {
    return base::Error(base::ErrorKind::not_found, fmt::format("{} {} on {}", path, why, volume_.device().name()))
        .on(std::string(path));
  }

  static std::string text_of(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

  std::string read(const File& file, std::uint64_t offset, std::size_t length) {
    const std::uint64_t size = file.inode.size;
    if (offset >= size) return {};
    return text_of(volume_.read(file, offset, std::size_t(std::min<std::uint64_t>(length, size - offset))));
  }

  std::string link_target(const File& file) {
    const auto size = std::min<std::uint64_t>(file.inode.size, longest_link);
    if (file.inode.format == xfs::format_local) return text_of(file.local).substr(0, size);
    if (!volume_.is_version_5()) return read(file, 0, size);
    std::string target;
    const auto block = volume_.block_bytes();
    for (std::uint64_t at = 0; target.size() < size && at <= longest_link; at += block) {
      const auto bytes = volume_.read(file, at, block);
      target += text_of(std::span(bytes).subspan(xfs::link_header_5)).substr(0, size - target.size());
    }
    return target;
  }

  FileKind kind_of(const DirectoryEntry& entry) {
    switch (entry.type) {
      case 0:
        return kind_by_mode(volume_.file(entry.inode));
      case 1:
        return FileKind::regular;
      case 2:
        return FileKind::directory;
      case 7:
        return FileKind::symlink;
      default:
        return FileKind::other;
    }
  }

  std::optional<File> find(std::string_view path) {
    auto here = volume_.file(volume_.root());
    for (const auto& name : components(path)) {
      if (!here.is_directory()) return std::nullopt;
      const auto entries = xfs::read_directory(volume_, here);
      const auto found = std::ranges::find(entries, name, &DirectoryEntry::name);
      if (found == entries.end()) return std::nullopt;
      here = volume_.file(found->inode);
    }
    return here;
  }

  xfs::Volume volume_;
  bool needs_recovery_;
};

}  // namespace

std::unique_ptr<FileSystem> open_xfs(block::BlockDevice& device) { return std::make_unique<Xfs>(device); }

}  // namespace hrvm::fs
