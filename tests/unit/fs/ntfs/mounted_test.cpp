// An NTFS that ntfs-3g has mounted, compared with what that tells of it. The system test makes both, and names them.
#include <sys/stat.h>
#include <sys/xattr.h>

#include <cstdlib>
#include <set>

#include "unit/fs/ntfs/ntfs_image.hpp"

namespace hrvm::fs::test {
namespace {

// ntfs-3g shows streams as attributes of users.
std::set<std::string> streams_on(const Path& path) {
  std::string names(65536, '\0');
  const auto length = ::llistxattr(path.c_str(), names.data(), names.size());
  std::set<std::string> streams;
  for (std::size_t at = 0; length > 0 && at < std::size_t(length);) {
    const std::string name = names.c_str() + at;
    at += name.size() + 1;
    if (name.starts_with("user.")) streams.insert(name.substr(5));
  }
  return streams;
}

void compare(FileSystem& files, Node node, const Path& path) {
  CAPTURE(path);
  struct ::stat shown {};
  REQUIRE(::lstat(path.c_str(), &shown) == 0);
  const Stat stat = files.stat(node);
  CHECK(stat.node.id == shown.st_ino);
  CHECK(stat.links == shown.st_nlink);
  CHECK(stat.times.modified == Time{shown.st_mtim.tv_sec, std::uint32_t(shown.st_mtim.tv_nsec)});
  CHECK(stat.times.changed == Time{shown.st_ctim.tv_sec, std::uint32_t(shown.st_ctim.tv_nsec)});
  CHECK(stat.times.accessed == Time{shown.st_atim.tv_sec, std::uint32_t(shown.st_atim.tv_nsec)});
  if (stat.kind != FileKind::regular) return;
  CHECK(stat.size_bytes == std::uint64_t(shown.st_size));
  if (stat.allocated_bytes) CHECK(stat.allocated_bytes == std::uint64_t(shown.st_blocks) * 512);
  std::set<std::string> streams;
  for (const Stream& stream : files.streams(node)) streams.insert(stream.name);
  CHECK(streams == streams_on(path));
}

}  // namespace

TEST_CASE("stat and the streams of NTFS are those that ntfs-3g shows", "[.mounted]") {
  const char* image = std::getenv("HRVM_TEST_IMAGE");
  const char* tree = std::getenv("HRVM_TEST_TREE");
  REQUIRE((image && tree));
  const auto device = block::open_device(image);
  const auto files = open_ntfs(*device);
  compare(*files, files->root(), tree);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(tree)) {
    const auto node = find(*files, "/" + entry.path().lexically_relative(tree).string());
    REQUIRE(node.has_value());
    compare(*files, *node, entry.path());
  }
}

}  // namespace hrvm::fs::test
