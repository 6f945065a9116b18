// A filesystem that the kernel has filled, compared with the tree that it shows. The system tests make both, and name
// them.
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <cstdlib>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/sys/fd.hpp"
#include "unit/fs/trees.hpp"

namespace hrvm::fs::test {
namespace {

constexpr std::size_t longest_xattr = 64 * base::KiB, most_bytes = 64 * base::MiB;

// The images that a test names, several of one filesystem with ":" between them.
class Images {
 public:
  explicit Images(const std::string& names) {
    for (const auto name : base::split(names, ':')) {
      devices_.push_back(block::open_device(std::string(name)));
      pointers_.push_back(devices_.back().get());
    }
  }
  std::unique_ptr<FileSystem> open(std::string_view type) const {
    return pointers_.size() == 1 ? open_file_system(type, *pointers_[0]) : open_btrfs(pointers_);
  }
  block::BlockDevice& device(std::uint32_t i) const { return *pointers_.at(i); }

 private:
  std::vector<std::unique_ptr<block::BlockDevice>> devices_;
  std::vector<block::BlockDevice*> pointers_;
};

FileKind kind_of_mode(mode_t mode) {
  static const std::map<mode_t, FileKind> kinds = {
      {S_IFREG, FileKind::regular},      {S_IFDIR, FileKind::directory},        {S_IFLNK, FileKind::symlink},
      {S_IFBLK, FileKind::block_device}, {S_IFCHR, FileKind::character_device}, {S_IFIFO, FileKind::fifo},
      {S_IFSOCK, FileKind::socket}};
  return kinds.at(mode & S_IFMT);
}

Time time_of(const timespec& time) { return {time.tv_sec, std::uint32_t(time.tv_nsec)}; }

std::vector<Attribute> attributes_of(const Path& path) {
  std::string names(longest_xattr, '\0'), value(longest_xattr, '\0');
  const auto length = llistxattr(path.c_str(), names.data(), names.size());
  REQUIRE(length >= 0);
  names.resize(std::size_t(length));
  std::vector<Attribute> told;
  for (const auto name : base::split(names, '\0')) {
    if (name.empty() || name.starts_with("trusted.SGI_ACL_")) continue;  // XFS lists ACLs twice, once as they lie
    const auto got = lgetxattr(path.c_str(), std::string(name).c_str(), value.data(), value.size());
    REQUIRE(got >= 0);
    told.push_back({std::string(name), value.substr(0, std::size_t(got))});
  }
  std::ranges::sort(told);
  return told;
}

// Where a file's bytes that are stored in one way end, and the way.
using Stretches = std::vector<std::pair<std::uint64_t, Stored>>;

void add(Stretches& stretches, std::uint64_t end, Stored stored) {
  if (!stretches.empty() && stretches.back().second == stored) stretches.pop_back();
  stretches.emplace_back(end, stored);
}

Stored stored_by(std::uint32_t flags) {
  return flags & FIEMAP_EXTENT_UNWRITTEN     ? Stored::zeros
         : flags & FIEMAP_EXTENT_DATA_INLINE ? Stored::inside
         : flags & FIEMAP_EXTENT_ENCODED     ? Stored::packed
                                             : Stored::plain;
}

// As FIEMAP tells it.
Stretches stretches_of(const Path& path, std::uint64_t size) {
  constexpr std::uint32_t most = 4096;
  std::vector<std::byte> room(sizeof(fiemap) + most * sizeof(fiemap_extent));
  auto* map = new (room.data()) fiemap{};
  const sys::Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  map->fm_length = FIEMAP_MAX_OFFSET;
  map->fm_extent_count = most;
  REQUIRE(::ioctl(file.get(), FS_IOC_FIEMAP, map) == 0);
  REQUIRE(map->fm_mapped_extents < most);
  Stretches stretches;
  std::uint64_t at = 0;
  for (std::uint32_t i = 0; i < map->fm_mapped_extents && at < size; ++i) {
    const auto& extent = map->fm_extents[i];
    if (extent.fe_logical > at) add(stretches, std::min<std::uint64_t>(extent.fe_logical, size), Stored::zeros);
    at = std::min<std::uint64_t>(extent.fe_logical + extent.fe_length, size);
    if (extent.fe_logical < size) add(stretches, at, stored_by(extent.fe_flags));
  }
  if (at < size) add(stretches, size, Stored::zeros);
  return stretches;
}

std::optional<Time> birth_of(const Path& path) {
  struct statx told {};
  REQUIRE(::statx(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW, STATX_BTIME, &told) == 0);
  if (!(told.stx_mask & STATX_BTIME)) return std::nullopt;
  return Time{told.stx_btime.tv_sec, told.stx_btime.tv_nsec};
}

// By path.
class Paths {
 public:
  Paths(FileSystem& files, const Path& tree) : files_(files), tree_(tree) {}

  void compare() {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(tree_)) {
      const auto path = "/" + entry.path().lexically_relative(tree_).string();
      if (path.starts_with("/many/") && !path.ends_with("77")) continue;
      CAPTURE(path);
      const auto info = files_.info(path);
      REQUIRE(info.has_value());
      compare(path, entry, *info);
    }
  }

 private:
  void compare(const std::string& path, const std::filesystem::directory_entry& entry, const FileInfo& info) {
    if (entry.is_symlink()) {
      CHECK(info.kind == FileKind::symlink);
      CHECK(files_.read_link(path) == std::filesystem::read_symlink(entry).string());
    } else if (entry.is_directory()) {
      CHECK(info.kind == FileKind::directory);
      CHECK((names_in(path) == names_in(entry)));
    } else if (entry.is_regular_file()) {
      CHECK(info.kind == FileKind::regular);
      CHECK(info.size_bytes == entry.file_size());
      REQUIRE((read_all(files_, path) == sys::read_file(entry.path(), most_bytes)));
    }
  }

  // Readers by path need not tell one kind of special file from another.
  static FileKind plain(FileKind kind) {
    const bool is_plain = kind == FileKind::regular || kind == FileKind::directory || kind == FileKind::symlink;
    return is_plain ? kind : FileKind::other;
  }
  std::map<std::string, FileKind> names_in(const std::string& path) {
    auto names = listing(files_, path);
    for (auto& [name, kind] : names) kind = plain(kind);
    return names;
  }
  static std::map<std::string, FileKind> names_in(const std::filesystem::directory_entry& folder) {
    std::map<std::string, FileKind> names;
    for (const auto& inner : std::filesystem::directory_iterator(folder))
      names[inner.path().filename()] = inner.is_symlink()        ? FileKind::symlink
                                       : inner.is_directory()    ? FileKind::directory
                                       : inner.is_regular_file() ? FileKind::regular
                                                                 : FileKind::other;
    return names;
  }

  FileSystem& files_;
  Path tree_;
};

// By node: every file with all that lstat(2) and getxattr(2) tell of it, and where its bytes lie. `tree` is a mount of
// the same filesystem. Another filesystem below it is left out.
class Nodes {
 public:
  Nodes(FileSystem& files, const Images& images, const Path& tree) : files_(files), images_(images) {
    struct ::stat top;
    REQUIRE(lstat(tree.c_str(), &top) == 0);
    device_ = top.st_dev;
    compare(files.root(), tree, top);
  }

 private:
  void compare(Node node, const Path& path, const struct ::stat& shown) {
    const std::string shown_path = path;
    CAPTURE(shown_path);
    const Stat stat = files_.stat(node);
    compare_stat(stat, shown);
    CHECK((stat.times.created == birth_of(path)));
    CHECK((files_.attributes(node) == attributes_of(path)));
    if (S_ISDIR(shown.st_mode)) compare_folder(node, path);
    if (S_ISLNK(shown.st_mode)) CHECK(files_.read_link(node) == std::filesystem::read_symlink(path).string());
    if (S_ISREG(shown.st_mode)) {
      compare_data(node, sys::read_file(path, most_bytes));
      CHECK((stretches_of(node) == fs::test::stretches_of(path, std::uint64_t(shown.st_size))));
    }
  }

  static void compare_stat(const Stat& stat, const struct ::stat& shown) {
    CHECK(stat.node.id == shown.st_ino);
    CHECK(stat.kind == kind_of_mode(shown.st_mode));
    CHECK(stat.mode == (shown.st_mode & 07777));
    CHECK(stat.uid == shown.st_uid);
    CHECK(stat.gid == shown.st_gid);
    CHECK(stat.links == shown.st_nlink);
    CHECK((stat.device == DeviceNumber{major(shown.st_rdev), minor(shown.st_rdev)}));
    CHECK(stat.size_bytes == std::uint64_t(shown.st_size));
    CHECK(stat.allocated_bytes == std::uint64_t(shown.st_blocks) * 512);
    CHECK((stat.times.modified == time_of(shown.st_mtim)));
    CHECK((stat.times.changed == time_of(shown.st_ctim)));
    CHECK((stat.times.accessed == time_of(shown.st_atim)));
  }

  void compare_folder(Node folder, const Path& path) {
    std::map<std::string, DirectoryEntry> visited;
    files_.visit(folder, [&](const DirectoryEntry& entry) {
      CHECK(visited.emplace(entry.name, entry).second);
      return true;
    });
    std::size_t shown = 0;
    for (const auto& inner : std::filesystem::directory_iterator(path)) {
      struct ::stat status;
      REQUIRE(lstat(inner.path().c_str(), &status) == 0);
      ++shown;
      const std::string name = inner.path().filename();
      CAPTURE(name);
      REQUIRE(visited.contains(name));
      if (status.st_dev != device_) continue;
      CHECK(visited[name].kind == kind_of_mode(status.st_mode));
      const auto found = files_.find(folder, name);
      REQUIRE(found.has_value());
      CHECK(found->id == visited[name].node.id);
      compare(*found, inner.path(), status);
    }
    CHECK(visited.size() == shown);
    CHECK_FALSE(files_.find(folder, "no such name").has_value());
  }

  Stretches stretches_of(Node file) {
    Stretches stretches;
    std::uint64_t offset = 0;
    while (const auto extent = files_.extent_at(file, offset, most_bytes))
      add(stretches, offset += extent->length, extent->stored);
    return stretches;
  }

  // The pieces follow one another to the end of the file, and the device has the bytes of those that lie on it plainly.
  void compare_data(Node file, const std::string& data) {
    std::string bytes(data.size(), '\0');
    CHECK(files_.read(file, 0, std::as_writable_bytes(std::span(bytes))) == data.size());
    CHECK((bytes == data));
    std::uint64_t offset = 0;
    while (const auto extent = files_.extent_at(file, offset, most_bytes)) {
      REQUIRE(extent->offset == offset);
      REQUIRE(extent->length > 0);
      REQUIRE(extent->length <= data.size() - offset);
      const std::string piece = data.substr(std::size_t(offset), std::size_t(extent->length));
      if (extent->stored == Stored::plain && !is_damaged_) {
        std::string there(piece.size(), '\0');
        images_.device(extent->device).read(extent->device_offset, std::as_writable_bytes(std::span(there)));
        REQUIRE((there == piece));
      }
      if (extent->stored == Stored::zeros) REQUIRE((piece == std::string(piece.size(), '\0')));
      offset += extent->length;
    }
    CHECK(offset == data.size());
  }

  FileSystem& files_;
  const Images& images_;
  dev_t device_ = 0;
  const bool is_damaged_ = std::getenv("HRVM_TEST_DAMAGED") != nullptr;
};

// What goes by path is told in terms of nodes: one of the two is enough, and reading all twice takes its time.
void compare(FileSystem& files, const Images& images, const Path& tree) {
  if (std::getenv("HRVM_TEST_COPY"))
    Paths(files, tree).compare();
  else
    Nodes(files, images, tree);
}

}  // namespace

// HRVM_TEST_COPY says that the tree is no mount of the image, and has the same files with inodes of its own;
// HRVM_TEST_DAMAGED that of several copies of a file's bytes the one that is named may be wrong.
TEST_CASE("a filesystem shows what the kernel shows of it", "[.kernel]") {
  const char* image = std::getenv("HRVM_TEST_IMAGE");
  const char* type = std::getenv("HRVM_TEST_TYPE");
  const char* tree = std::getenv("HRVM_TEST_TREE");
  REQUIRE((image && type && tree));
  const Images images(image);
  const auto files = images.open(type);
  REQUIRE(files);
  CHECK(files->needs_recovery() == (std::getenv("HRVM_TEST_UNCLEAN") != nullptr));
  if (std::getenv("HRVM_TEST_REPLAYED")) CHECK(files->journal() == JournalState::replayed);
  compare(*files, images, tree);
}

// For folders that are too large to compare all of. HRVM_TEST_TREE lies at the top of the filesystem.
TEST_CASE("each name in a large folder leads to what the kernel finds by it", "[.folder]") {
  const char* image = std::getenv("HRVM_TEST_IMAGE");
  const char* type = std::getenv("HRVM_TEST_TYPE");
  const char* tree = std::getenv("HRVM_TEST_TREE");
  REQUIRE((image && type && tree));
  const Images images(image);
  const auto files = images.open(type);
  const Node folder = files->find(files->root(), Path(tree).filename().string()).value();
  std::size_t visited = 0, shown = 0;
  files->visit(folder, [&](const DirectoryEntry&) { return ++visited != 0; });
  for (const auto& entry : std::filesystem::directory_iterator(tree)) {
    if (++shown % 97 != 0) continue;
    struct ::stat status;
    REQUIRE(lstat(entry.path().c_str(), &status) == 0);
    const auto found = files->find(folder, entry.path().filename().string());
    REQUIRE(found.has_value());
    REQUIRE(found->id == status.st_ino);
  }
  CHECK(visited == shown);
}

// HRVM_TEST_SUBVOLUMES has a line for each: id, default or -, read-only or -, snapshot or -, path.
TEST_CASE("the subvolumes are those that the kernel tells, and each shows its files", "[.subvolumes]") {
  const char* image = std::getenv("HRVM_TEST_IMAGE");
  const char* tree = std::getenv("HRVM_TEST_TREE");
  const char* expected = std::getenv("HRVM_TEST_SUBVOLUMES");
  REQUIRE((image && tree && expected));
  const Images images(image);
  const auto files = images.open("btrfs");
  std::string told;
  for (const auto& each : files->subvolumes()) {
    told += fmt::format("{} {} {} {} {}\n", each.id, each.is_default ? "default" : "-",
                        each.is_read_only ? "read-only" : "-", each.is_snapshot ? "snapshot" : "-", each.path);
    compare(*files->open_subvolume(each.id), images, Path(tree) / each.path);
  }
  CHECK(told == expected);
}

}  // namespace hrvm::fs::test
