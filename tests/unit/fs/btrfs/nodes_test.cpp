// The files of a btrfs by their nodes.
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "fs/btrfs/checksum.hpp"
#include "fs/btrfs/inode.hpp"
#include "support/btrfs_disk.hpp"
#include "unit/fs/btrfs/images.hpp"
#include "unit/fs/extents.hpp"

namespace hrvm::fs::test {
namespace {

using base::ErrorKind;

// As mkfs fills it from a folder.
struct Made {
  TemporaryDirectory folder;
  std::unique_ptr<block::BlockDevice> device;
  std::unique_ptr<CountedDevice> counted;
  std::unique_ptr<FileSystem> files;

  void make(const Words& options = {}) {
    device = block::open_device(make_btrfs(folder, options));
    counted = std::make_unique<CountedDevice>(*device);
    files = open_btrfs(*counted);
  }
  Node node(std::string_view path) { return find(*files, path).value(); }
};

// As the kernel filled it (tests/corpus).
FewBlocks made_by_kernel() {
  const auto packed = sys::read_file(Path(HRVM_SOURCE_DIR) / "tests/corpus/btrfs/sound.reads", base::MiB);
  return FewBlocks(std::as_bytes(std::span(packed)), 128 * base::MiB);
}

std::vector<std::string> names_in(FileSystem& files, Node folder) {
  std::vector<std::string> names;
  files.visit(folder, [&](const DirectoryEntry& entry) {
    names.emplace_back(entry.name);
    return true;
  });
  return names;
}

bool is_root() { return ::geteuid() == 0; }

}  // namespace

TEST_CASE("a btrfs tells of a file what stat told of it when it was put in") {
  Made made;
  made.folder.write("tree/a/file", long_text(70'000));
  made.folder.write("tree/a/small", "x");
  made.folder.link("tree/a/link", "file");
  const auto tree = made.folder / "tree";
  REQUIRE(::mkfifo((tree / "a/pipe").c_str(), 0620) == 0);
  if (is_root()) {
    REQUIRE(::mknod((tree / "a/device").c_str(), S_IFCHR | 0600, makedev(4095, 0x12345)) == 0);
    REQUIRE(::mknod((tree / "a/disk").c_str(), S_IFBLK | 0600, makedev(8, 1)) == 0);
    REQUIRE(::chown((tree / "a/file").c_str(), 1234, 70'000) == 0);
  }
  REQUIRE(::chmod((tree / "a/file").c_str(), 06751) == 0);
  REQUIRE(::chmod((tree / "a").c_str(), 01770) == 0);
  const timespec times[] = {{-5, 7}, {1'234'567'890, 987'654'321}};
  REQUIRE(::utimensat(-1, (tree / "a/small").c_str(), times, 0) == 0);
  made.make();
  const std::map<std::string, FileKind> kinds = {
      {"a", FileKind::directory},        {"a/file", FileKind::regular}, {"a/small", FileKind::regular},
      {"a/link", FileKind::symlink},     {"a/pipe", FileKind::fifo},    {"a/device", FileKind::character_device},
      {"a/disk", FileKind::block_device}};
  for (const auto& [path, kind] : kinds) {
    CAPTURE(path);
    struct stat st {};
    if (::lstat((tree / path).c_str(), &st) != 0) continue;
    const auto stat = made.files->stat(made.node(path));
    CHECK(stat.kind == kind);
    CHECK(stat.mode == (st.st_mode & 07777));
    CHECK(stat.uid == st.st_uid);
    CHECK(stat.gid == st.st_gid);
    CHECK(stat.times.modified.seconds == st.st_mtim.tv_sec);  // mkfs keeps no more
    CHECK(stat.times.accessed.has_value());
    CHECK(stat.times.changed.has_value());
    CHECK(stat.node.tree == 5);
    CHECK(stat.node.generation != 0);
    if (kind != FileKind::directory) CHECK(stat.size_bytes == std::uint64_t(st.st_size));
  }
  CHECK(made.files->stat(made.node("a/small")).times.modified.seconds == 1'234'567'890);
  CHECK(made.files->stat(made.node("a/small")).allocated_bytes == 4096);
  CHECK(made.files->stat(made.node("a/file")).allocated_bytes == 73'728);
}

TEST_CASE("the number of a device file of a btrfs is told, and of no other file") {
  btrfs::InodeItem inode{};
  inode.device = 4095ull << 20 | 0x12345;
  for (const std::uint32_t mode : {0020600, 0060600}) {
    inode.mode = mode;
    CHECK((btrfs::stat_of({}, inode, 4096).device == DeviceNumber{4095, 0x12345}));
  }
  inode.mode = 0100600;
  CHECK((btrfs::stat_of({}, inode, 4096).device == DeviceNumber{}));
}

TEST_CASE("times of a btrfs are told to the nanosecond, before 1970 too, and never with more of these than there are") {
  btrfs::InodeItem inode{};
  inode.modified = {std::uint64_t(-5), 7};
  inode.changed = {std::uint64_t(1) << 40, 999'999'999};
  inode.accessed = {1, 0xffffffff};
  const auto times = btrfs::stat_of({}, inode, 4096).times;
  CHECK((times.modified == Time{-5, 7}));
  CHECK((times.changed == Time{std::int64_t(1) << 40, 999'999'999}));
  CHECK((times.accessed == Time{1, 999'999'999}));
  CHECK_FALSE(times.created.has_value());
  inode.created = {0, 1};
  CHECK((btrfs::stat_of({}, inode, 4096).times.created == Time{0, 1}));
}

TEST_CASE("a btrfs tells a file's attributes as getxattr does, in the order of their names") {
  Made made;
  const auto path = made.folder.write("tree/file", "x");
  made.folder.write("tree/none", "x");
  const std::string binary("a\0b", 3), large(3000, 'v');
  for (const auto& [name, value] : std::map<std::string, std::string>{
           {"user.z", "last"}, {"user.a", binary}, {"user.large", large}, {"user.e", ""}})
    if (::setxattr(path.c_str(), name.c_str(), value.data(), value.size(), 0) != 0) return;  // a folder without any
  made.make();
  const auto found = made.files->attributes(made.node("file"));
  CHECK(
      (found == std::vector<Attribute>{{"user.a", binary}, {"user.e", ""}, {"user.large", large}, {"user.z", "last"}}));
  CHECK(made.files->attributes(made.node("none")).empty());
}

TEST_CASE("two names of one hash in a btrfs folder are told apart") {
  const std::string first = "collides-1371838", second = "collides-2000402";
  const auto hash = [](const std::string& name) { return btrfs::name_hash(std::as_bytes(std::span(name))); };
  REQUIRE(hash(first) == hash(second));
  Made made;
  made.folder.write("tree/" + first, "1");
  made.folder.write("tree/" + second, "2");
  made.make();
  CHECK(made.node(first) != made.node(second));
  CHECK(read_all(*made.files, first) == "1");
  CHECK(read_all(*made.files, second) == "2");
}

TEST_CASE("neighbours in a btrfs are told without reading a node of its trees twice") {
  Made made;
  write_tree(made.folder);
  made.make({"-n", "4096"});
  const auto folder = made.node("/usr/lib/many");
  made.counted->reads = 0;
  unsigned files = 0;
  const auto look = [&] {
    made.files->visit(folder, [&](const DirectoryEntry& entry) {
      files += made.files->stat(entry.node).kind == FileKind::regular;
      return true;
    });
  };
  look();
  CHECK(files == 300);
  CHECK(made.counted->reads < 60);
  made.counted->reads = 0;
  look();
  CHECK(made.counted->reads == 0);
}

TEST_CASE("a name is found in a btrfs folder by one way down its tree") {
  Made made;
  for (int i = 0; i < 3000; ++i) made.folder.write(fmt::format("tree/many/a-name-that-takes-its-room-{:05}", i), "");
  made.make({"-n", "4096"});
  for (const int i : {0, 1500, 2999}) {
    const auto fresh = open_btrfs(*made.counted);
    const auto folder = find(*fresh, "many").value();
    made.counted->reads = 0;
    CHECK(fresh->find(folder, fmt::format("a-name-that-takes-its-room-{:05}", i)));
    CHECK(made.counted->reads <= 4);
  }
  CHECK_FALSE(made.files->find(made.node("many"), "a-name-that-takes-its-room"));
  CHECK(names_in(*made.files, made.node("many")).size() == 3000);
}

TEST_CASE("a visit to a btrfs folder ends when the visitor says so") {
  Made made;
  write_tree(made.folder);
  made.make();
  unsigned seen = 0;
  made.files->visit(made.node("/usr/lib/many"), [&](const DirectoryEntry&) { return ++seen < 5; });
  CHECK(seen == 5);
}

TEST_CASE("the bytes of a btrfs's files lie where it says") {
  Made made;
  write_tree(made.folder);
  made.make();
  CHECK(check_extents(*made.files, "/boot/vmlinuz", *made.device)[Stored::plain] == 3'000'000);
  CHECK(check_extents(*made.files, "/boot/vmlinuz", *made.device, 4097)[Stored::plain] == 3'000'000);
  CHECK(check_extents(*made.files, "/etc/hostname", *made.device)[Stored::inside] == 4);
  CHECK(check_extents(*made.files, "/etc/empty", *made.device).empty());
  const auto inside = made.files->extent_at(made.node("/etc/hostname"), 0, 100).value();
  const auto leaf = made.device->read(inside.device_offset, 16 << 10);
  CHECK(btrfs::is_intact(btrfs::checksum_crc32c, leaf));
  CHECK(kind_of([&] { made.files->extent_at(made.node("/etc"), 0, 1); }) == ErrorKind::not_found);
}

TEST_CASE("compressed pieces, holes and reserved room of a btrfs are told as such") {
  auto few = made_by_kernel();
  const auto files = open_btrfs(few);
  for (const std::string kind : {"zlib", "lzo", "zstd"}) {
    CAPTURE(kind);
    auto stored = check_extents(*files, "/etc/" + kind, few);
    CHECK(stored.size() == 1);
    CHECK(stored[Stored::packed] == 28'893);
    CHECK(check_extents(*files, "/etc/" + kind + "-inline", few).contains(Stored::inside));
    const auto piece = files->extent_at(find(*files, "/etc/" + kind).value(), 20'000, 100).value();
    CHECK(piece.length == 100);
    CHECK(piece.stored_bytes % 4096 == 0);
    CHECK(piece.stored_bytes < 28'893);
  }
  CHECK(check_extents(*files, "/etc/hole", few)[Stored::zeros] == 1 << 20);
  CHECK(check_extents(*files, "/etc/reserved", few)[Stored::zeros] == 64 << 10);
  CHECK(check_extents(*files, "/etc/plain", few).contains(Stored::plain));
}

TEST_CASE("a node of a btrfs bears its subvolume, and is the same in every view of it") {
  auto few = made_by_kernel();
  const auto files = open_btrfs(few);
  const auto subvolumes = files->subvolumes();
  const auto root = find(*files, "@").value();
  CHECK((root == Node{subvolumes.at(1).id, 256, 0}));
  const auto view = files->open_subvolume(subvolumes.at(1).id);
  CHECK((view->root() == root));
  CHECK((find(*view, "home/file") == find(*files, "@/home/file")));
  CHECK(find(*view, "home/file")->tree == subvolumes.at(2).id);
}

TEST_CASE("where a snapshot's origin had a subvolume is an empty folder that can be told") {
  auto few = made_by_kernel();
  const auto files = open_btrfs(few);
  const auto empty = find(*files, "@snap/home").value();
  CHECK(empty.id == 2);
  const auto stat = files->stat(empty);
  CHECK(stat.kind == FileKind::directory);
  CHECK(stat.mode == 0755);
  CHECK((stat.node == empty));
  CHECK(names_in(*files, empty).empty());
  CHECK_FALSE(files->find(empty, "file"));
  CHECK(files->attributes(empty).empty());
}

TEST_CASE("a btrfs node that leads to no file, or to another generation's, is not found") {
  Made made;
  write_tree(made.folder);
  made.make();
  auto& files = *made.files;
  const auto there = files.stat(made.node("/etc/hostname")).node;
  CHECK((files.stat(there).node == there));
  for (const auto& node : {Node{there.tree, there.id, there.generation + 1}, Node{there.tree, 99'999, 0},
                           Node{7, there.id, 0}, Node{300, 256, 0}, Node{there.tree, 2, 1}}) {
    CHECK(kind_of([&] { files.stat(node); }) == ErrorKind::not_found);
    CHECK(kind_of([&] { files.attributes(node); }) == ErrorKind::not_found);
  }
  CHECK(kind_of([&] { files.find(there, "x"); }) == ErrorKind::not_found);
  CHECK(kind_of([&] { names_in(files, there); }) == ErrorKind::not_found);
}

TEST_CASE("a btrfs with a log to replay says that what is read may be older") {
  Made made;
  write_tree(made.folder);
  made.make();
  CHECK(made.files->journal() == JournalState::clean);
  auto few = made_by_kernel();
  base::store(few.block(16), offsetof(btrfs::SuperBlock, log_root), base::le64(1 << 20));
  Resummed resummed(few);
  const auto unclean = open_btrfs(resummed);
  CHECK(unclean->journal() == JournalState::ignored);
  CHECK(unclean->needs_recovery());
}

}  // namespace hrvm::fs::test
