// A crashed filesystem, and the tree that a mount of its copy shows, both of them named by a system test; without a
// tree the kernel refused to mount.
#include <sys/stat.h>

#include <cstdlib>
#include <set>

#include "hrvm/base/byte_size.hpp"
#include "unit/fs/trees.hpp"

namespace hrvm::fs::test {
namespace {

// What is shown otherwise, a line each. What the kernel cannot read itself is passed over.
class Comparison {
 public:
  // `mounted`: when, in nanoseconds since 1970.
  Comparison(block::BlockDevice& device, FileSystem& files, Path tree, std::int64_t mounted)
      : device_(device), files_(files), tree_(std::move(tree)), mounted_(mounted) {}

  std::string run() {
    folder("");
    return differences_;
  }
  std::size_t compared() const { return compared_; }

 private:
  void differs(const std::string& path, std::string_view what) {
    differences_ += fmt::format("{}: {}\n", path.empty() ? "/" : path, what);
  }

  void folder(const std::string& path) {
    std::error_code error;
    std::set<std::string> theirs, ours;
    for (std::filesystem::directory_iterator at(tree_ / path.substr(path.empty() ? 0 : 1), error), end;
         !error && at != end; at.increment(error))
      theirs.insert(at->path().filename());
    if (error) return;
    for (const Entry& entry : files_.list(path.empty() ? "/" : path)) ours.insert(entry.name);
    for (const std::string& name : ours)
      if (!theirs.contains(name)) differs(path + "/" + name, "is not there");
    for (const std::string& name : theirs) {
      if (ours.contains(name))
        file(path + "/" + name);
      else
        differs(path + "/" + name, "is missed");
    }
  }

  void file(const std::string& path) {
    const Path there = tree_ / path.substr(1);
    struct stat status;
    if (::lstat(there.c_str(), &status) != 0) return;
    ++compared_;
    try {
      const auto node = find(files_, path);
      if (!node) return differs(path, "is listed and not found");
      compare(path, files_.stat(*node), status);
      if (S_ISDIR(status.st_mode)) folder(path);
      if (S_ISREG(status.st_mode)) content(path, *node, there);
      if (S_ISLNK(status.st_mode) && files_.read_link(*node) != std::filesystem::read_symlink(there))
        differs(path, "leads elsewhere");
    } catch (const base::Error& error) {
      differs(path, error.message());
    }
  }

  void compare(const std::string& path, const Stat& ours, const struct stat& theirs) {
    const auto check = [&](std::string_view what, std::uint64_t our, std::uint64_t their) {
      if (our != their) differs(path, fmt::format("has {} {}, not {}", what, our, their));
    };
    check("inode", ours.node.id, theirs.st_ino);
    check("kind", std::uint64_t(ours.kind), std::uint64_t(kind_of_mode(theirs.st_mode)));
    check("mode", ours.mode, theirs.st_mode & 07777);
    check("owner", ours.uid, theirs.st_uid);
    check("group", ours.gid, theirs.st_gid);
    check("links", ours.links, theirs.st_nlink);
    // A mount ends the cutting of a file that a crash interrupted, and dates it anew; so it does with a folder when it
    // replays what a fast commit tells of its names, by which the folder may grow.
    const auto& modified = ours.times.modified;
    const bool is_dated_anew = is_since_mount(theirs.st_mtim.tv_sec, theirs.st_mtim.tv_nsec) &&
                               !is_since_mount(modified.seconds, modified.nanoseconds);
    if (!is_dated_anew || !S_ISDIR(theirs.st_mode)) check("size", ours.size_bytes, std::uint64_t(theirs.st_size));
    if (is_dated_anew) return;
    check("seconds", std::uint64_t(ours.times.modified.seconds), std::uint64_t(theirs.st_mtim.tv_sec));
    check("nanoseconds", ours.times.modified.nanoseconds, std::uint64_t(theirs.st_mtim.tv_nsec));
  }

  // Small inodes have whole seconds.
  bool is_since_mount(std::int64_t seconds, std::int64_t nanoseconds) const {
    constexpr std::int64_t second = 1'000'000'000;
    return nanoseconds == 0 ? seconds >= mounted_ / second : seconds * second + nanoseconds >= mounted_;
  }

  static FileKind kind_of_mode(mode_t mode) {
    if (S_ISREG(mode)) return FileKind::regular;
    if (S_ISDIR(mode)) return FileKind::directory;
    return S_ISLNK(mode) ? FileKind::symlink : FileKind::other;
  }

  void content(const std::string& path, Node node, const Path& there) {
    std::string theirs;
    try {
      theirs = sys::read_file(there, 256 * base::MiB);
    } catch (const base::Error&) {
      return;
    }
    std::string ours(theirs.size(), '\0');
    const auto length = files_.read(node, 0, std::as_writable_bytes(std::span(ours)));
    if (length != theirs.size() || ours != theirs) differs(path, "has another content");
    if (by_extents(node, theirs) != theirs) differs(path, "has another content where its extents lie");
  }

  // What cannot be read on the device as it lies is taken from `otherwise`.
  std::string by_extents(Node node, const std::string& otherwise) {
    std::string bytes;
    while (const auto extent = files_.extent_at(node, bytes.size(), 1 << 20)) {
      if (extent->stored == Stored::plain) {
        for (std::byte byte : device_.read(extent->device_offset, std::size_t(extent->length))) bytes += char(byte);
      } else {
        bytes += extent->stored == Stored::zeros ? std::string(std::size_t(extent->length), '\0')
                                                 : otherwise.substr(bytes.size(), std::size_t(extent->length));
      }
    }
    return bytes;
  }

  block::BlockDevice& device_;
  FileSystem& files_;
  Path tree_;
  std::string differences_;
  std::size_t compared_ = 0;
  std::int64_t mounted_;
};

constexpr std::string_view words[] = {"clean", "replayed", "ignored"};

}  // namespace

TEST_CASE("a crashed filesystem is shown as the kernel shows it once it is mounted", "[.crash]") {
  const char* image = std::getenv("HRVM_TEST_IMAGE");
  const char* tree = std::getenv("HRVM_TEST_TREE");
  const char* journal = std::getenv("HRVM_TEST_JOURNAL");
  const char* mounted = std::getenv("HRVM_TEST_MOUNTED");
  REQUIRE((image && journal && mounted));
  const auto device = block::open_device(image);
  const auto files = open_ext(*device);
  CHECK(files->needs_recovery());
  CHECK(words[std::size_t(files->journal())] == std::string_view(journal));
  if (!tree) return;
  Comparison comparison(*device, *files, tree, std::stoll(mounted));
  const std::string differences = comparison.run();
  CHECK(differences == "");
  CHECK(comparison.compared() > 0);
}

}  // namespace hrvm::fs::test
