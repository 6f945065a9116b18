// A filesystem that the kernel has filled, compared with the tree that it shows. The system tests make both, and name
// them.
#include <cstdlib>

#include "hrvm/base/byte_size.hpp"
#include "trees.hpp"

namespace hrvm::fs::test {
namespace {

void compare(FileSystem& files, const Path& tree) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(tree)) {
    const auto path = "/" + entry.path().lexically_relative(tree).string();
    if (path.starts_with("/many/") && !path.ends_with("77")) continue;
    CAPTURE(path);
    const auto info = files.info(path);
    REQUIRE(info.has_value());
    if (entry.is_symlink()) {
      CHECK(info->kind == FileKind::symlink);
      CHECK(files.read_link(path) == std::filesystem::read_symlink(entry).string());
    } else if (entry.is_directory()) {
      CHECK(info->kind == FileKind::directory);
      std::map<std::string, FileKind> names;
      for (const auto& inner : std::filesystem::directory_iterator(entry))
        names[inner.path().filename()] = inner.is_symlink()     ? FileKind::symlink
                                         : inner.is_directory() ? FileKind::directory
                                                                : FileKind::regular;
      CHECK((listing(files, path) == names));
    } else {
      CHECK(info->kind == FileKind::regular);
      CHECK(info->size_bytes == entry.file_size());
      REQUIRE((read_all(files, path) == sys::read_file(entry.path(), 64 * base::MiB)));
    }
  }
}

}  // namespace

TEST_CASE("a filesystem shows what the kernel shows of it", "[.kernel]") {
  const char* image = std::getenv("HRVM_TEST_IMAGE");
  const char* type = std::getenv("HRVM_TEST_TYPE");
  const char* tree = std::getenv("HRVM_TEST_TREE");
  REQUIRE((image && type && tree));
  const auto device = block::open_device(image);
  const auto files = open_file_system(type, *device);
  REQUIRE(files);
  CHECK(files->needs_recovery() == (std::getenv("HRVM_TEST_UNCLEAN") != nullptr));
  compare(*files, tree);
}

}  // namespace hrvm::fs::test
