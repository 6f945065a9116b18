// What stat tells of an inode, held against what mkfs was told and what xfs_db finds.
#include "fs/xfs/format.hpp"
#include "unit/fs/xfs/xfs_image.hpp"

namespace hrvm::fs::test {
namespace {

using xfs::DiskInode;

constexpr auto special_files =
    "chr c--640 5 6 511 1000\nblk b--600 0 0 8 70000\npipe p--644 7 70000\nsuid -ug751 1000 70000 /dev/null\n"
    "d d--755 0 0\nin d--700 1 2\n$\n$\nlink l--777 0 0 ../x\n";

}  // namespace

TEST_CASE("stat of an XFS tells kind, permissions, owners, links and device numbers") {
  for (const auto& options : std::vector<Options>{{}, {"-m", "crc=0"}}) {
    const TemporaryDirectory folder;
    const auto device = block::open_device(make_xfs(folder, special_files, options));
    const auto files = open_xfs(*device);
    const auto stat = [&](std::string_view path) { return files->stat(node_of(*files, path)); };
    CHECK(stat("/chr").kind == FileKind::character_device);
    CHECK(stat("/chr").device == DeviceNumber{511, 1000});
    CHECK((stat("/chr").uid == 5 && stat("/chr").gid == 6 && stat("/chr").mode == 0640));
    CHECK(stat("/blk").kind == FileKind::block_device);
    CHECK(stat("/blk").device == DeviceNumber{8, 70000});
    CHECK(stat("/pipe").kind == FileKind::fifo);
    CHECK(stat("/pipe").gid == 70000);
    CHECK(stat("/suid").mode == 06751);
    CHECK(stat("/suid").device == DeviceNumber{});
    CHECK(stat("/d").links == 3);
    CHECK((stat("/d").kind == FileKind::directory && stat("/d/in").mode == 0700));
    CHECK((stat("/link").kind == FileKind::symlink && stat("/link").size_bytes == 4));
    CHECK(stat("/").links == 3);
  }
}

TEST_CASE("an entry of an XFS folder has the number and the kind that stat tells, types in folders or not") {
  for (const auto& options : std::vector<Options>{{}, {"-m", "crc=0", "-n", "ftype=0"}}) {
    const TemporaryDirectory folder;
    const auto image = make_xfs(folder, special_files, options);
    const auto device = block::open_device(image);
    const auto files = open_xfs(*device);
    unsigned met = 0;
    files->visit(files->root(), [&](const DirectoryEntry& entry) {
      const Stat stat = files->stat(entry.node);
      CHECK(entry.kind == stat.kind);
      CHECK(entry.node.id == stat.node.id);
      CHECK(entry.node.id == number_after(ask_xfs_db(image, {fmt::format("path /{}", entry.name), "addr"}), "inode "));
      return ++met > 0;
    });
    CHECK(met == 6);
  }
}

TEST_CASE("what an XFS file takes on the disk is its blocks, the tree of its extents among them") {
  const TemporaryDirectory folder;
  folder.write("data", long_text(20'000));
  const auto device =
      block::open_device(make_xfs(folder, fmt::format("f ---644 0 0 {}\n", (folder / "data").string()), {}));
  const auto files = open_xfs(*device);
  CHECK(files->stat(node_of(*files, "/f")).size_bytes == 20'000);
  CHECK(files->stat(node_of(*files, "/f")).allocated_bytes == 5 * 4096);
}

TEST_CASE("times of an XFS count nanoseconds forward, before 1970 too, in both of its forms") {
  const TemporaryDirectory folder;
  const auto image = make_xfs(folder, special_files, {});
  const auto at = offset_by_xfs_db(image, {"path /suid"});
  const auto whole = block::open_device(image);
  Damaged device(*whole);
  const std::uint64_t second = 1'000'000'000;
  device.put(at + offsetof(DiskInode, modified), base::be64(((1ull << 31) - 2) * second + 7));
  device.put(at + offsetof(DiskInode, changed), base::be64(((1ull << 31) + 5) * second + 999'999'999));
  device.put(at + offsetof(DiskInode, accessed), base::be64(((1ull << 31) + 16'299'260'425) * second));
  device.put(at + offsetof(DiskInode, created), base::be64(0));
  const auto times = [&] {
    const auto files = open_xfs(device);
    return files->stat(node_of(*files, "/suid")).times;
  };
  CHECK((times().modified == Time{-2, 7}));
  CHECK((times().changed == Time{5, 999'999'999}));
  CHECK((times().accessed == Time{16'299'260'425, 0}));
  CHECK((times().created == Time{-(1ll << 31), 0}));

  device.put(at + offsetof(DiskInode, flags2), base::be64(0));
  device.put(at + offsetof(DiskInode, modified), base::be64(std::uint64_t(std::uint32_t(-3)) << 32 | 123'456'789));
  device.put(at + offsetof(DiskInode, changed), base::be64(0x7fffffffull << 32 | 1));
  CHECK((times().modified == Time{-3, 123'456'789}));
  CHECK((times().changed == Time{0x7fffffff, 1}));
}

TEST_CASE("inodes of version 1 count their links where version 2 has nothing, and keep no birth") {
  const TemporaryDirectory folder;
  const auto image = make_xfs(folder, special_files, {"-m", "crc=0"});
  const auto at = offset_by_xfs_db(image, {"path /suid"});
  const auto whole = block::open_device(image);
  Damaged device(*whole);
  CHECK_FALSE(open_xfs(device)->stat(node_of(*open_xfs(device), "/suid")).times.created);
  device.put(at + offsetof(DiskInode, version), std::uint8_t(1));
  device.put(at + offsetof(DiskInode, links_of_version_1), base::be16(77));
  device.put(at + offsetof(DiskInode, links), base::be32(0));
  CHECK(open_xfs(device)->stat(node_of(*open_xfs(device), "/suid")).links == 77);
}

TEST_CASE("a node of XFS is told by its generation, and what was freed is not found") {
  const TemporaryDirectory folder;
  const auto image = make_xfs(folder, special_files, {});
  const auto at = offset_by_xfs_db(image, {"path /suid"});
  const auto whole = block::open_device(image);
  Damaged device(*whole);
  device.put(at + offsetof(DiskInode, generation), base::be32(0x12345678));
  const auto files = open_xfs(device);
  Node node = node_of(*files, "/suid");
  CHECK(node.generation == 0);
  CHECK(files->stat(node).node == Node{0, node.id, 0x12345678});
  CHECK(files->stat(files->stat(node).node).mode == 06751);
  node.generation = 0x12345679;
  CHECK(kind_of([&] { files->stat(node); }) == base::ErrorKind::not_found);
  CHECK(kind_of([&] { files->attributes(node); }) == base::ErrorKind::not_found);
  CHECK(kind_of([&] { files->stat({1, node.id, 0}); }) == base::ErrorKind::not_found);
  device.put(at + offsetof(DiskInode, mode), base::be16(0));
  CHECK(kind_of([&] { open_xfs(device)->stat({0, node.id, 0}); }) == base::ErrorKind::not_found);
  CHECK(kind_of([&] { open_xfs(device)->stat({0, 1ull << 60, 0}); }) == base::ErrorKind::corrupt);
}

}  // namespace hrvm::fs::test
