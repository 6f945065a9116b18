#include "hrvm/base/byte_size.hpp"
#include "unit/fs/trees.hpp"

namespace hrvm::fs::test {
namespace {

// A small system on ext4, with links of every kind.
struct System {
  TemporaryDirectory folder;
  std::unique_ptr<block::BlockDevice> device;
  std::unique_ptr<FileSystem> files;

  System() {
    folder.write("tree/usr/lib/os-release", "ID=debian\n");
    folder.link("tree/etc/os-release", "../usr/lib/os-release");
    folder.link("tree/lib", "usr/lib");
    folder.link("tree/absolute", "/lib/os-release");
    folder.link("tree/above", "../../../../lib/os-release");
    folder.link("tree/nowhere", "/none");
    folder.link("tree/self", "self");
    folder.link("tree/ping", "pong");
    folder.link("tree/pong", "ping");
    for (int i = 0; i < 45; ++i) folder.link(fmt::format("tree/hop{}", i), fmt::format("hop{}", i + 1));
    folder.write("tree/hop45", "there");
    output_of({"mke2fs", "-F", "-q", "-t", "ext4", "-d", folder / "tree", folder / "image", "8M"});
    device = block::open_device(folder / "image");
    files = open_ext(*device);
  }
};

}  // namespace

TEST_CASE("links are followed as by a system whose root this is") {
  System system;
  auto where = [&](std::string_view path) { return resolve(*system.files, path).value_or("nowhere"); };
  CHECK(where("/etc/os-release") == "/usr/lib/os-release");
  CHECK(where("/lib/os-release") == "/usr/lib/os-release");
  CHECK(where("/absolute") == "/usr/lib/os-release");
  CHECK(where("/above") == "/usr/lib/os-release");
  CHECK(where("/etc/../lib/./../lib//os-release/") == "/usr/lib/os-release");
  CHECK(where("/lib/../lib") == "/usr/lib");
  CHECK(where("/..") == "/");
  CHECK(where("") == "/");
}

TEST_CASE("a path that ends nowhere or turns in circles is nowhere") {
  System system;
  for (const auto* path :
       {"/none", "/nowhere", "/self", "/ping", "/etc/none/os-release", "/usr/lib/os-release/below"}) {
    CAPTURE(path);
    CHECK_FALSE(resolve(*system.files, path).has_value());
    CHECK_FALSE(exists(*system.files, path));
  }
}

TEST_CASE("forty links are followed, and no more") {
  System system;
  CHECK(resolve(*system.files, "/hop5") == "/hop45");
  CHECK_FALSE(resolve(*system.files, "/hop4").has_value());
}

TEST_CASE("a small file is read whole through links, and one that is larger than asked for is not") {
  System system;
  CHECK(try_read(*system.files, "/etc/os-release") == "ID=debian\n");
  CHECK(try_read(*system.files, "/etc/os-release", 10) == "ID=debian\n");
  CHECK_FALSE(try_read(*system.files, "/etc/os-release", 9).has_value());
  CHECK_FALSE(try_read(*system.files, "/usr").has_value());
  CHECK_FALSE(try_read(*system.files, "/none").has_value());
}

TEST_CASE("readers are found by the names that libblkid gives, and other filesystems have none") {
  System system;
  for (const auto* type : {"ext2", "ext3", "ext4"}) CHECK(open_file_system(type, *system.device) != nullptr);
  CHECK(kind_of([&] { open_file_system("vfat", *system.device); }) == base::ErrorKind::corrupt);
  for (const auto* type : {"reiserfs", ""}) CHECK(open_file_system(type, *system.device) == nullptr);
}

}  // namespace hrvm::fs::test
