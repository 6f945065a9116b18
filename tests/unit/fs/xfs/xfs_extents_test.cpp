// The pieces of files, and the targets of links that do not fit into an inode.
#include "fs/xfs/format.hpp"
#include "unit/fs/xfs/xfs_image.hpp"

namespace hrvm::fs::test {
namespace {

using xfs::DiskInode, xfs::ExtentRecord;

constexpr std::uint64_t file_bytes = 20'000;

struct OneFile {
  explicit OneFile(const Options& options) : image(make_with(folder, options)), whole(block::open_device(image)) {}

  static Path make_with(const TemporaryDirectory& folder, const Options& options) {
    folder.write("data", long_text(file_bytes));
    return make_xfs(folder, fmt::format("f ---644 0 0 {}\n", (folder / "data").string()), options);
  }
  std::uint64_t inode() const { return offset_by_xfs_db(image, {"path /f"}); }

  TemporaryDirectory folder;
  Path image;
  std::unique_ptr<block::BlockDevice> whole;
};

// The only extent of a file, in its record.
ExtentRecord record(bool unwritten, std::uint64_t file_block, std::uint64_t volume_block, std::uint64_t blocks) {
  return {std::uint64_t(unwritten) << 63 | file_block << 9 | volume_block >> 43, volume_block << 21 | blocks};
}

}  // namespace

TEST_CASE("an extent of an XFS file says where its bytes lie on the device") {
  for (const auto& options : std::vector<Options>{{}, {"-b", "size=1024"}, {"-m", "crc=0"}}) {
    const OneFile file(options);
    const auto files = open_xfs(*file.whole);
    const Node node = node_of(*files, "/f");
    std::string text;
    for (std::uint64_t at = 0; at < file_bytes;) {
      const auto piece = files->extent_at(node, at, 7000);
      REQUIRE(piece);
      REQUIRE(piece->stored == Stored::plain);
      REQUIRE((piece->offset == at && piece->length <= 7000 && piece->length > 0));
      const auto bytes = file.whole->read(piece->device_offset, std::size_t(piece->length));
      text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
      at += piece->length;
    }
    CHECK((text == long_text(file_bytes)));
    CHECK_FALSE(files->extent_at(node, file_bytes, 1));
    CHECK(kind_of([&] { files->extent_at(files->root(), 0, 1); }) == base::ErrorKind::not_found);
  }
}

TEST_CASE("holes and what was not written are zeros, and end where data begin") {
  const OneFile file({});
  const auto at = file.inode();
  const auto old = base::load<ExtentRecord>(file.whole->read(at + sizeof(DiskInode), sizeof(ExtentRecord)));
  const std::uint64_t block = (old.high & 0x1ff) << 43 | old.low >> 21;
  Damaged device(*file.whole);
  device.put(at + sizeof(DiskInode), record(false, 3, block, 2));
  device.put(at + sizeof(DiskInode) + sizeof(ExtentRecord), record(true, 5, block + 2, 3));
  device.put(at + offsetof(DiskInode, extents), base::be32(2));
  device.put(at + offsetof(DiskInode, size), base::be64(100'000));
  const auto files = open_xfs(device);
  const Node node = node_of(*files, "/f");
  const auto piece = [&](std::uint64_t offset) { return files->extent_at(node, offset, 1 << 20).value(); };
  CHECK((piece(0).stored == Stored::zeros && piece(0).length == 3 * 4096));
  CHECK((piece(3 * 4096).stored == Stored::plain && piece(3 * 4096).length == 2 * 4096));
  CHECK((piece(4 * 4096 + 1).stored == Stored::plain && piece(4 * 4096 + 1).length == 4095));
  CHECK((piece(5 * 4096).stored == Stored::zeros && piece(5 * 4096).length == 3 * 4096));
  CHECK((piece(8 * 4096).stored == Stored::zeros && piece(8 * 4096).length == 100'000 - 8 * 4096));
  const std::string expected =
      std::string(3 * 4096, '\0') + long_text(2 * 4096) + std::string(100'000 - 5 * 4096, '\0');
  CHECK((files->read("/f", 0, 200'000) == expected));
}

TEST_CASE("extents that leave the device or their group, or are none, are corrupt") {
  const OneFile file({});
  const auto at = file.inode();
  const auto outcome = [&](const ExtentRecord& wrong) {
    Damaged device(*file.whole);
    device.put(at + sizeof(DiskInode), wrong);
    return kind_of([&] { open_xfs(device)->read("/f", 0, file_bytes); });
  };
  CHECK(outcome(record(false, 0, 1ull << 50, 5)) == base::ErrorKind::corrupt);
  CHECK(outcome(record(false, 0, 24, 1 << 20)) == base::ErrorKind::corrupt);
  CHECK(outcome(record(false, (1ull << 54) - 1, 24, 5)) == base::ErrorKind::corrupt);
  Damaged device(*file.whole);
  device.put(at + offsetof(DiskInode, extents), base::be32(1'000'000));
  CHECK(kind_of([&] { open_xfs(device)->read("/f", 0, 1); }) == base::ErrorKind::corrupt);
  device.put(at + offsetof(DiskInode, format), std::uint8_t(xfs::format_local));
  CHECK(kind_of([&] { open_xfs(device)->read("/f", 0, 1); }) == base::ErrorKind::corrupt);
}

TEST_CASE("a tree of extents that leads to itself, or to other levels, is corrupt") {
  const OneFile file({});
  const auto at = file.inode();
  // In the place of the first block of the file's data a node of the tree, of which the root in the inode is the
  // parent.
  const auto old = base::load<ExtentRecord>(file.whole->read(at + sizeof(DiskInode), sizeof(ExtentRecord)));
  const std::uint64_t block = (old.high & 0x1ff) << 43 | old.low >> 21;
  const std::uint64_t offset = block * 4096;  // it lies in the first group
  const std::size_t room = (512 - sizeof(DiskInode) - sizeof(xfs::TreeRoot)) / 16;
  const auto outcome = [&](unsigned root_level, unsigned level, unsigned count, std::uint64_t child) {
    Damaged device(*file.whole);
    device.put(at + offsetof(DiskInode, format), std::uint8_t(xfs::format_btree));
    device.put(at + sizeof(DiskInode), xfs::TreeRoot{std::uint16_t(root_level), std::uint16_t(1)});
    device.put(at + sizeof(DiskInode) + sizeof(xfs::TreeRoot), base::be64(0));
    device.put(at + sizeof(DiskInode) + sizeof(xfs::TreeRoot) + room * 8, base::be64(child));
    device.put(offset, xfs::TreeBlock{xfs::tree_magic_5, std::uint16_t(level), std::uint16_t(count), ~0ull, ~0ull});
    device.put(offset + xfs::tree_header_5, base::be64(0));
    device.put(offset + xfs::tree_header_5 + (4096 - xfs::tree_header_5) / 16 * 8, base::be64(child));
    return kind_of([&] { open_xfs(device)->read("/f", 0, 1); });
  };
  CHECK(outcome(2, 1, 1, block) == base::ErrorKind::corrupt);       // to itself
  CHECK(outcome(1, 1, 1, block) == base::ErrorKind::corrupt);       // a node where a leaf should be
  CHECK(outcome(13, 12, 1, block) == base::ErrorKind::corrupt);     // too deep
  CHECK(outcome(0, 0, 1, block) == base::ErrorKind::corrupt);       // a root that is a leaf
  CHECK(outcome(1, 0, 0, block) == base::ErrorKind::corrupt);       // an empty leaf
  CHECK(outcome(1, 0, 999, block) == base::ErrorKind::corrupt);     // one with more than there is room for
  CHECK(outcome(1, 0, 1, 1ull << 40) == base::ErrorKind::corrupt);  // out of the device
}

// mkfs makes such links of version 5 without a header, so a file is made one.
TEST_CASE("a link's target may take several blocks, with one header for those that lie together") {
  const std::string target = std::string(600, 'a') + std::string(423, 'b');
  for (const auto& options : std::vector<Options>{{}, {"-b", "size=1024"}}) {
    const TemporaryDirectory folder;
    folder.write("data", std::string(xfs::link_header_5, 'h') + target);
    const auto image = make_xfs(folder, fmt::format("l ---644 0 0 {}\n", (folder / "data").string()), options);
    const auto whole = block::open_device(image);
    Damaged device(*whole);
    const auto at = offset_by_xfs_db(image, {"path /l"});
    device.put(at + offsetof(DiskInode, mode), base::be16(0120777));
    device.put(at + offsetof(DiskInode, size), base::be64(target.size()));
    CHECK(open_xfs(device)->read_link("/l") == target);
  }
  for (const auto& options : std::vector<Options>{{"-m", "crc=0"}, {"-m", "crc=0", "-b", "size=512"}}) {
    const TemporaryDirectory folder;
    const auto device = block::open_device(make_xfs(folder, "l l--777 0 0 " + target + "\n", options));
    CHECK(open_xfs(*device)->read_link("/l") == target);
  }
}

TEST_CASE("a link that is longer than any is corrupt") {
  const TemporaryDirectory folder;
  const auto image = make_xfs(folder, "l l--777 0 0 target\n", {});
  const auto whole = block::open_device(image);
  Damaged device(*whole);
  for (const std::uint64_t size : {std::uint64_t(1000), std::uint64_t(1025), ~std::uint64_t(0)}) {
    device.put(offset_by_xfs_db(image, {"path /l"}) + offsetof(DiskInode, size), base::be64(size));
    CHECK(kind_of([&] { open_xfs(device)->read_link("/l"); }) == base::ErrorKind::corrupt);
  }
}

TEST_CASE("a file on a realtime device is told, and not read") {
  const OneFile file({});
  Damaged device(*file.whole);
  device.put(file.inode() + offsetof(DiskInode, flags), base::be16(xfs::flag_realtime));
  const auto files = open_xfs(device);
  CHECK(files->stat(node_of(*files, "/f")).size_bytes == file_bytes);
  CHECK(kind_of([&] { files->read("/f", 0, 1); }) == base::ErrorKind::unsupported);
}

}  // namespace hrvm::fs::test
