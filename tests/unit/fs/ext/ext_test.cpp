#include "hrvm/base/byte_size.hpp"
#include "unit/fs/trees.hpp"

namespace hrvm::fs::test {
namespace {

using base::ErrorKind;

struct Made {
  TemporaryDirectory folder;
  std::unique_ptr<block::BlockDevice> device;
  std::unique_ptr<FileSystem> files;

  Path image() const { return folder / "image"; }
  void make(std::vector<std::string> options, const std::string& size = "40M") {
    write_tree(folder);
    options.insert(options.begin(), {"mke2fs", "-F", "-q", "-d", folder / "tree"});
    options.insert(options.end(), {image(), size});
    output_of(options);
  }
  void open() {
    device = block::open_device(image());
    files = open_ext(*device);
  }
};

void check_tree(Made& made) {
  const auto tree = made.folder / "tree";
  for (const auto& entry : std::filesystem::recursive_directory_iterator(tree)) {
    auto path = "/" + entry.path().lexically_relative(tree).string();
    if (path.starts_with("/usr/lib/many/")) continue;
    CAPTURE(path);
    auto info = made.files->info(path);
    REQUIRE(info.has_value());
    if (entry.is_symlink()) {
      CHECK(info->kind == FileKind::symlink);
      CHECK(made.files->read_link(path) == std::filesystem::read_symlink(entry).string());
    } else if (entry.is_directory()) {
      CHECK(info->kind == FileKind::directory);
    } else {
      CHECK(info->kind == FileKind::regular);
      CHECK(info->size_bytes == entry.file_size());
      REQUIRE((read_all(*made.files, path) == sys::read_file(entry.path(), 16 * base::MiB)));
    }
  }
}

const std::vector<std::vector<std::string>> layouts = {
    {"-t", "ext2", "-b", "1024"},
    {"-t", "ext2", "-b", "4096", "-I", "128"},
    {"-t", "ext3", "-b", "1024"},
    {"-t", "ext3", "-b", "4096"},
    {"-t", "ext4", "-b", "1024"},
    {"-t", "ext4", "-b", "4096"},
    {"-t", "ext4", "-b", "4096", "-O", "^extent,^64bit"},
    {"-t", "ext4", "-b", "4096", "-O", "64bit,meta_bg,^resize_inode"},
    {"-t", "ext4", "-b", "1024", "-O", "meta_bg,^resize_inode"},
    {"-t", "ext4", "-b", "4096", "-O", "inline_data", "-I", "256"},
    {"-t", "ext4", "-b", "4096", "-O", "^metadata_csum,uninit_bg"},
    {"-t", "ext4", "-b", "4096", "-O", "bigalloc"},
    {"-t", "ext4", "-b", "2048", "-O", "^has_journal"},
};

}  // namespace

TEST_CASE("what mke2fs put into an ext filesystem of any layout is read") {
  for (const auto& layout : layouts) {
    CAPTURE(layout);
    Made made;
    made.make(layout);
    made.open();
    check_tree(made);
    CHECK(listing(*made.files, "/usr/lib/many").size() == 300);
    CHECK(made.files->type() == layout[1]);
    CHECK_FALSE(made.files->needs_recovery());
  }
}

TEST_CASE("a folder with a hashed index lists and finds all that is in it") {
  Made made;
  made.make({"-t", "ext4", "-b", "1024"});
  // -D exits 1, because it changed something.
  sys::make_process_runner()->run({{"e2fsck", "-f", "-y", "-D", made.image()}, {}, {}}, std::chrono::minutes(1));
  REQUIRE(output_of({"debugfs", "-R", "stat /usr/lib/many", made.image()}).find("Flags: 0x81000") != std::string::npos);
  made.open();
  CHECK(listing(*made.files, "/usr/lib/many").size() == 300);
  for (int i = 0; i < 300; i += 25) {
    CHECK(made.files->info(fmt::format("/usr/lib/many/file-with-a-rather-long-name-{}", i)).has_value());
  }
  CHECK_FALSE(made.files->info("/usr/lib/many/file-with-a-rather-long-name-300").has_value());
}

TEST_CASE("a listing tells names and kinds, without the folder and its parent") {
  Made made;
  made.make({"-t", "ext4"});
  made.open();
  CHECK(listing(*made.files, "/etc") == std::map<std::string, FileKind>{{"os-release", FileKind::symlink},
                                                                        {"long-link", FileKind::symlink},
                                                                        {"absolute", FileKind::symlink},
                                                                        {"hostname", FileKind::regular},
                                                                        {"empty", FileKind::regular}});
  CHECK(listing(*made.files, "/").at("lost+found") == FileKind::directory);
}

TEST_CASE("a file is read from any offset, and ends where it ends") {
  Made made;
  made.make({"-t", "ext4", "-b", "1024"});
  made.open();
  auto whole = long_text(3'000'000);
  for (std::uint64_t offset : {0, 1, 1023, 1024, 2'999'999}) {
    CHECK((made.files->read("/boot/vmlinuz", offset, 5000) == whole.substr(std::size_t(offset), 5000)));
  }
  CHECK(made.files->read("/boot/vmlinuz", 3'000'000, 10).empty());
  CHECK(made.files->read("/boot/vmlinuz", ~0ull, 10).empty());
  CHECK(made.files->read("/etc/empty", 0, 10).empty());
}

TEST_CASE("what is not there is absent, and what is of another kind is not found") {
  Made made;
  made.make({"-t", "ext4"});
  made.open();
  CHECK_FALSE(made.files->info("/none").has_value());
  CHECK_FALSE(made.files->info("/etc/hostname/below-a-file").has_value());
  CHECK(made.files->info("/")->kind == FileKind::directory);
  CHECK(kind_of([&] { made.files->list("/etc/hostname"); }) == ErrorKind::not_found);
  CHECK(kind_of([&] { made.files->list("/none"); }) == ErrorKind::not_found);
  CHECK(kind_of([&] { made.files->read("/etc", 0, 1); }) == ErrorKind::not_found);
  CHECK(kind_of([&] { made.files->read("/etc/os-release", 0, 1); }) == ErrorKind::not_found);
  CHECK(kind_of([&] { made.files->read_link("/etc/hostname"); }) == ErrorKind::not_found);
}

TEST_CASE("times beyond 2038 and before 1970 are told") {
  Made made;
  made.make({"-t", "ext4"});
  output_of({"debugfs", "-w", "-R", "sif /etc/hostname mtime 20500102030405", made.image()});
  output_of({"debugfs", "-w", "-R", "sif /etc/empty mtime @-315521755", made.image()});
  made.open();
  CHECK(made.files->info("/etc/hostname")->modified == 2524705445);
  CHECK(made.files->info("/etc/empty")->modified == -315521755);
}

TEST_CASE("a journal that was not closed is told, and what lies in the blocks is read all the same") {
  Made made;
  made.make({"-t", "ext4"});
  output_of({"debugfs", "-w", "-R", "feature needs_recovery", made.image()});
  made.open();
  CHECK(made.files->needs_recovery());
  CHECK(read_all(*made.files, "/etc/hostname") == "pve\n");
}

TEST_CASE("a filesystem whose checksums do not match gives what can be read of it") {
  Made made;
  made.make({"-t", "ext4"});
  // A field that nothing else depends on, changed behind the checksum's back.
  std::fstream image(made.image(), std::ios::in | std::ios::out | std::ios::binary);
  image.seekp(1024 + 0x78) << "changed";
  image.close();
  made.open();
  CHECK(read_all(*made.files, "/etc/hostname") == "pve\n");
}

TEST_CASE("of a filesystem that was cut off, what lies before the cut is read and the rest is corrupt") {
  Made made;
  made.make({"-t", "ext4", "-b", "1024", "-G", "1"});  // groups of 8 MiB, each with its own inodes
  auto blocks = output_of({"debugfs", "-R", "bmap /boot/vmlinuz 2000", made.image()});
  std::filesystem::resize_file(made.image(), std::stoull(blocks) * 1024);
  made.open();
  CHECK(made.files->info("/boot/vmlinuz")->size_bytes == 3'000'000);
  CHECK((made.files->read("/boot/vmlinuz", 0, 10) == "line 0\nlin"));
  CHECK(kind_of([&] { made.files->read("/boot/vmlinuz", 2000 * 1024, 10); }) == ErrorKind::corrupt);
}

TEST_CASE("what is no ext filesystem is corrupt, however short or long") {
  for (std::size_t bytes : {0, 1, 1024, 2048, 4096, 1 << 20}) {
    auto device = block::memory_device(std::vector<std::byte>(bytes), "zeros");
    CHECK(kind_of([&] { open_ext(*device); }) == ErrorKind::corrupt);
  }
}

TEST_CASE("a superblock that claims more groups than memory holds is corrupt at once") {
  Made made;
  made.make({"-t", "ext4"});
  output_of({"debugfs", "-w", "-R", "ssv blocks_count 0xffffffffffff", made.image()});
  CHECK(kind_of([&] { made.open(); }) == ErrorKind::corrupt);
}

}  // namespace hrvm::fs::test
