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
  void many(const std::string& folder, int count) {
    ntfs_inode* parent = open(folder);
    for (int i = 0; i < count; ++i) {
      const Wide name(fmt::format("file number {}", i));
      ntfs_inode* made = ntfs_create(parent, 0, name.text, name.length, S_IFREG);
      REQUIRE(made);
      REQUIRE(ntfs_inode_close_in_dir(made, parent) == 0);
    }
    CHECK(ntfs_inode_close(parent) == 0);
  }
  void stream(const std::string& path, const std::string& name, std::string_view bytes) {
    Wide wide(name);
    ntfs_inode* file = open(path);
    REQUIRE(ntfs_attr_add(file, AT_DATA, wide.text, wide.length, nullptr, 0) == 0);
    ntfs_attr* data = ntfs_attr_open(file, AT_DATA, wide.text, wide.length);
    REQUIRE(data);
    CHECK(ntfs_attr_pwrite(data, 0, s64(bytes.size()), bytes.data()) == s64(bytes.size()));
    ntfs_attr_close(data);
    CHECK(ntfs_inode_close(file) == 0);
  }
  // Without a hole, and without writing what is new.
  void grow(const std::string& path, std::uint64_t bytes) {
    ntfs_inode* file = open(path);
    ntfs_attr* data = ntfs_attr_open(file, AT_DATA, AT_UNNAMED, 0);
    REQUIRE(data);
    CHECK(ntfs_attr_truncate_solid(data, s64(bytes)) == 0);
    ntfs_attr_close(data);
    CHECK(ntfs_inode_close(file) == 0);
  }
  void link(const std::string& path, const std::string& name) {
    const Wide wide(name);
    ntfs_inode* file = open(path);
    ntfs_inode* folder = open("/");
    CHECK(ntfs_link(file, folder, wide.text, wide.length) == 0);
    CHECK(ntfs_inode_close(file) == 0);
    CHECK(ntfs_inode_close(folder) == 0);
  }
  void dos_name(const std::string& path, const std::string& name) {  // of what lies in the root
    ntfs_inode* file = open(path);                                   // before the root, which has to be open once only
    ntfs_inode* root = open("/");
    CHECK(ntfs_set_ntfs_dos_name(file, root, name.data(), name.size(), 0) == 0);
  }
  void remove(const std::string& path) {  // of what lies in the root
    const Wide wide(path);
    ntfs_inode* file = open(path);
    ntfs_inode* root = open("/");
    CHECK(ntfs_delete(volume_, nullptr, file, root, wide.text, wide.length) == 0);
  }
  void set_attributes(const std::string& path, std::uint32_t flags) {
    ntfs_inode* file = open(path);
    const auto value = le(flags, 4);
    CHECK(ntfs_set_ntfs_attrib(file, value.data(), value.size(), 0) == 0);
    CHECK(ntfs_inode_close(file) == 0);
  }
  // What is there already stays as it is.
  void call_encrypted(const std::string& path) {
    ntfs_inode* file = open(path);
    file->flags = FILE_ATTR_FLAGS(file->flags | FILE_ATTR_ENCRYPTED);
    CHECK(ntfs_attr_set_flags(file, AT_DATA, AT_UNNAMED, 0, ATTR_IS_ENCRYPTED, ATTR_IS_ENCRYPTED) == 0);
    ntfs_inode_mark_dirty(file);
    CHECK(ntfs_inode_close(file) == 0);
  }
  // In units of 100 ns since 1601.
  void set_times(const std::string& path, std::uint64_t created, std::uint64_t modified, std::uint64_t accessed) {
    ntfs_inode* file = open(path);
    const auto value = le(created, 8) + le(modified, 8) + le(accessed, 8);
    CHECK(ntfs_inode_set_times(file, value.data(), value.size(), 0) == 0);
    CHECK(ntfs_inode_close(file) == 0);
  }
  std::uint64_t record_of(const std::string& path) {
    ntfs_inode* file = open(path);
    const std::uint64_t record = file->mft_no;
    CHECK(ntfs_inode_close(file) == 0);
    return record;
  }
  void mark_dirty() { CHECK(ntfs_volume_write_flags(volume_, volume_->flags | VOLUME_IS_DIRTY) == 0); }

 private:
  struct Wide {
    explicit Wide(const std::string& name) : length(std::uint8_t(ntfs_mbstoucs(name.c_str(), &text))) {
      REQUIRE(length);
    }
    Wide(const Wide&) = delete;
    Wide& operator=(const Wide&) = delete;
    ~Wide() { std::free(text); }

    ntfschar* text = nullptr;
    std::uint8_t length;
  };

  ntfs_inode* open(const std::string& path) {
    ntfs_inode* inode = ntfs_pathname_to_inode(volume_, nullptr, path.c_str());
    REQUIRE(inode);
    return inode;
  }
  ntfs_inode* create(const std::string& path, mode_t kind) {
    const auto slash = path.rfind('/');
    parent_ = open(slash == path.npos ? "/" : path.substr(0, slash));
    const Wide name(slash == path.npos ? path : path.substr(slash + 1));
    ntfs_inode* made = ntfs_create(parent_, 0, name.text, name.length, kind);
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

// An image, and the filesystem that is read of it.
struct Made {
  TemporaryDirectory folder;
  std::unique_ptr<block::BlockDevice> device;
  std::unique_ptr<FileSystem> files;

  Path image() const { return folder / "image"; }
  FileSystem& open() {
    files.reset();
    device = block::open_device(image());
    files = open_ntfs(*device);
    return *files;
  }
  void put(std::uint64_t offset, const std::string& bytes) const {
    std::fstream file(image(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(std::streamoff(offset)) << bytes;
  }
};

// Counts what is read of another device.
class CountingDevice final : public block::BlockDevice {
 public:
  explicit CountingDevice(block::BlockDevice& device) : device_(device) {}
  std::uint64_t size() const override { return device_.size(); }
  void read(std::uint64_t offset, std::span<std::byte> out) override {
    ++reads;
    bytes += out.size();
    device_.read(offset, out);
  }
  const std::string& name() const override { return device_.name(); }
  std::uint64_t reads = 0, bytes = 0;

 private:
  block::BlockDevice& device_;
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
