// A filesystem that the kernel has filled, compared with the tree that it shows. The system tests make both, and name
// them.
#include <cstdlib>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/text.hpp"
#include "unit/fs/trees.hpp"

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

 private:
  std::vector<std::unique_ptr<block::BlockDevice>> devices_;
  std::vector<block::BlockDevice*> pointers_;
};

}  // namespace

TEST_CASE("a filesystem shows what the kernel shows of it", "[.kernel]") {
  const char* image = std::getenv("HRVM_TEST_IMAGE");
  const char* type = std::getenv("HRVM_TEST_TYPE");
  const char* tree = std::getenv("HRVM_TEST_TREE");
  REQUIRE((image && type && tree));
  const Images images(image);
  const auto files = images.open(type);
  REQUIRE(files);
  CHECK(files->needs_recovery() == (std::getenv("HRVM_TEST_UNCLEAN") != nullptr));
  compare(*files, tree);
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
    compare(*files->open_subvolume(each.id), Path(tree) / each.path);
  }
  CHECK(told == expected);
}

}  // namespace hrvm::fs::test
