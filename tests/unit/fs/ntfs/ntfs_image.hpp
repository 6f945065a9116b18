// NTFS filesystems made by mkntfs and filled by libntfs-3g, in a file of their own.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "unit/fs/trees.hpp"

#include "fs/ntfs/library.hpp"

extern "C" {
#include <ntfs-3g/reparse.h>
#include <ntfs-3g/security.h>
}

namespace hrvm::fs::test {

constexpr std::uint32_t mount_point_tag = 0xa0000003, symlink_tag = 0xa000000c, compact_tag = 0x80000017;

inline std::string utf16(std::string_view ascii) {
  std::string wide;
  for (const char c : ascii) wide += {c, '\0'};
  return wide;
}

inline std::string le(std::uint64_t value, unsigned bytes) {
  std::string text;
  for (unsigned i = 0; i < bytes; ++i) text += char(value >> (8 * i));
  return text;
}

// A reparse point's value as Windows writes it for a junction (without flags) or a symbolic link.
inline std::string link_point(std::uint32_t tag, std::string_view name, std::optional<std::uint32_t> flags = {}) {
  const auto wide = utf16(name);
  auto data = le(0, 2) + le(wide.size(), 2) + le(wide.size() + 2, 2) + le(0, 2);
  if (flags) data += le(*flags, 4);
  data += wide + std::string(4, '\0');
  return le(tag, 4) + le(data.size(), 2) + le(0, 2) + data;
}

// Folders are made before what lies in them, and paths are without a slash at the start: "Windows/System32".
class NtfsWriter {
 public:
  explicit NtfsWriter(const Path& image) : volume_(ntfs_mount(image.c_str(), 0)) { REQUIRE(volume_); }
  NtfsWriter(const NtfsWriter&) = delete;
  NtfsWriter& operator=(const NtfsWriter&) = delete;
  ~NtfsWriter() { ntfs_umount(volume_, FALSE); }

  void folder(const std::string& path, bool compressed = false) {
    ntfs_inode* made = create(path, S_IFDIR);
    if (compressed) {
      const auto flags = le(0x810, 4);
      CHECK(ntfs_set_ntfs_attrib(made, flags.data(), flags.size(), 0) == 0);
    }
    close(made);
  }
  void file(const std::string& path, std::string_view bytes, std::uint64_t at = 0) {
    ntfs_inode* made = create(path, S_IFREG);
    ntfs_attr* data = ntfs_attr_open(made, AT_DATA, AT_UNNAMED, 0);
    REQUIRE(data);
    for (std::size_t done = 0; done < bytes.size();) {
      const auto wrote = ntfs_attr_pwrite(data, s64(at + done), s64(bytes.size() - done), bytes.data() + done);
      REQUIRE(wrote > 0);
      done += std::size_t(wrote);
    }
    if (made->flags & FILE_ATTR_COMPRESSED) ntfs_attr_pclose(data);
    ntfs_attr_close(data);
    close(made);
  }
  void reparse(const std::string& path, const std::string& value, bool is_folder) {
    ntfs_inode* made = create(path, is_folder ? S_IFDIR : S_IFREG);
    made->flags = FILE_ATTR_FLAGS(made->flags | 0x40000);  // without it libntfs-3g takes no socket
    CHECK(ntfs_set_ntfs_reparse_data(made, value.data(), value.size(), 0) == 0);
    close(made);
  }
  void mark_dirty() { CHECK(ntfs_volume_write_flags(volume_, volume_->flags | VOLUME_IS_DIRTY) == 0); }

 private:
  ntfs_inode* create(const std::string& path, mode_t kind) {
    const auto slash = path.rfind('/');
    const auto parent = slash == path.npos ? "/" : path.substr(0, slash);
    const auto name = slash == path.npos ? path : path.substr(slash + 1);
    parent_ = ntfs_pathname_to_inode(volume_, nullptr, parent.c_str());
    REQUIRE(parent_);
    ntfschar* wide = nullptr;
    const int length = ntfs_mbstoucs(name.c_str(), &wide);
    REQUIRE(length > 0);
    ntfs_inode* made = ntfs_create(parent_, 0, wide, std::uint8_t(length), kind);
    std::free(wide);
    REQUIRE(made);
    return made;
  }
  void close(ntfs_inode* made) {
    CHECK(ntfs_inode_close_in_dir(made, parent_) == 0);
    CHECK(ntfs_inode_close(parent_) == 0);
  }

  ntfs_volume* volume_;
  ntfs_inode* parent_ = nullptr;
};

inline void make_ntfs(const Path& image, std::uint64_t bytes, std::vector<std::string> options = {}) {
  std::ofstream(image).flush();
  std::filesystem::resize_file(image, bytes);
  options.insert(options.begin(), {"mkntfs", "-F", "-Q", "-q", "-p", "0", "-H", "16", "-S", "63"});
  if (std::ranges::find(options, "-s") == options.end()) options.insert(options.end(), {"-s", "512"});
  options.push_back(image);
  output_of(options);
}

}  // namespace hrvm::fs::test
