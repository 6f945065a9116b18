// XFS filled by mkfs itself, whole and damaged. What the kernel fills is compared by the system tests.
#include "unit/fs/xfs/xfs_image.hpp"

namespace hrvm::fs::test {
namespace {

std::string prototype_of(const Path& folder) {
  std::string text;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const auto name = entry.path().filename().string();
    if (entry.is_symlink())
      text += fmt::format("{} l--777 0 0 {}\n", name, std::filesystem::read_symlink(entry).string());
    else if (entry.is_directory())
      text += name + " d--755 0 0\n" + prototype_of(entry) + "$\n";
    else
      text += fmt::format("{} ---644 0 0 {}\n", name, entry.path().string());
  }
  return text;
}

// A filesystem with the tree in it, which is a sparse file.
Path make(const TemporaryDirectory& folder, const Options& options) {
  write_tree(folder);
  return make_xfs(folder, prototype_of(folder / "tree"), options);
}

void look_at(FileSystem& files, const DirectoryEntry& entry) {
  const Stat stat = files.stat(entry.node);
  files.attributes(entry.node);
  if (stat.kind == FileKind::symlink) files.read_link(entry.node);
  if (stat.kind != FileKind::regular) return;
  std::array<std::byte, 4096> bytes;
  files.read(entry.node, stat.size_bytes / 2, bytes);
  std::uint64_t at = 0;
  for (int pieces = 0; pieces < 20; ++pieces) {
    const auto piece = files.extent_at(entry.node, at, 1 << 30);
    if (!piece) break;
    at += piece->length;
  }
}

void walk(FileSystem& files, Node folder, int depth) {
  int left = 20;
  files.visit(folder, [&](const DirectoryEntry& entry) {
    try {
      files.find(folder, entry.name);
      look_at(files, entry);
      if (depth > 0 && entry.kind == FileKind::directory) walk(files, entry.node, depth - 1);
    } catch (const base::Error&) {
    }
    return --left > 0;
  });
}

// Offsets of the first bytes of what is stored: superblocks, inodes, folders, the tree's blocks.
std::vector<std::uint64_t> stored_sectors(block::BlockDevice& device) {
  std::vector<std::uint64_t> offsets;
  for (std::uint64_t at = 0; at < device.size();) {
    const auto extent = device.extent_at(at);
    const auto end = std::min(extent.length, 256 * base::KiB);
    for (std::uint64_t in = 0; extent.kind == block::ExtentKind::data && in < end; in += 512)
      offsets.push_back(at + in);
    at += extent.length;
  }
  return offsets;
}

}  // namespace

TEST_CASE("XFS made of a tree reads as that tree") {
  for (const auto& options : std::vector<Options>{
           {}, {"-b", "size=1024"}, {"-m", "crc=0", "-n", "ftype=0"}, {"-m", "crc=0", "-n", "ftype=1"}}) {
    CAPTURE(options);
    const TemporaryDirectory folder;
    const auto device = block::open_device(make(folder, options));
    const auto files = open_xfs(*device);
    CHECK(files->type() == "xfs");
    CHECK(files->journal() == JournalState::clean);
    CHECK(try_read(*files, "/etc/os-release") == "ID=debian\n");
    CHECK(files->read_link("/etc/absolute") == "/usr/lib/os-release");
    CHECK(files->read_link("/etc/long-link") == std::string(40, '.') + "/" + std::string(200, 'x'));
    CHECK((files->read("/boot/vmlinuz", 0, 4'000'000) == long_text(3'000'000)));
    CHECK(files->read("/boot/vmlinuz", 2'999'990, 100).size() == 10);
    CHECK(files->read("/boot/vmlinuz", 4'000'000, 100).empty());
    CHECK(files->read("/etc/empty", 0, 10).empty());
    CHECK(listing(*files, "/usr/lib/many").size() == 300);
    CHECK_FALSE(files->info("/etc/hostname/x"));
    CHECK_FALSE(files->info("/nothing"));
    CHECK(kind_of([&] { files->list("/etc/hostname"); }) == base::ErrorKind::not_found);
    CHECK(kind_of([&] { files->read("/etc", 0, 1); }) == base::ErrorKind::not_found);
    CHECK(kind_of([&] { files->read_link("/etc"); }) == base::ErrorKind::not_found);
  }
}

TEST_CASE("an XFS with any of its bytes wrong is read, or refused by an error") {
  std::mt19937_64 random(5);
  for (const auto& options : std::vector<Options>{{}, {"-m", "crc=0"}}) {
    const TemporaryDirectory folder;
    const auto whole = block::open_device(make(folder, options));
    const auto sectors = stored_sectors(*whole);
    REQUIRE(sectors.size() > 100);
    unsigned refused = 0;
    for (int round = 0; round < 120; ++round) {
      Damaged device(*whole);
      // The superblock in every fourth round, else anywhere; single bytes, mostly of the fields that lead somewhere.
      for (int i = 0; i < 40; ++i) {
        const auto sector = round % 4 == 0 ? 0 : sectors[random() % sectors.size()];
        device.wrong[sector + random() % 512] = random() % 2 ? std::byte(random()) : std::byte{0xff};
        if (round % 4 == 0 && i == 2) break;
      }
      try {
        const auto files = open_xfs(device);
        walk(*files, files->root(), 4);
      } catch (const base::Error&) {
        ++refused;
      }
    }
    CHECK(refused > 2);
    CHECK(refused < 115);
  }
}

TEST_CASE("what is no XFS, and one that is cut off, is corrupt") {
  const auto none = block::memory_device(std::vector<std::byte>(4096), "none");
  CHECK(kind_of([&] { open_xfs(*none); }) == base::ErrorKind::corrupt);
  const auto tiny = block::memory_device(std::vector<std::byte>(100), "tiny");
  CHECK(kind_of([&] { open_xfs(*tiny); }) == base::ErrorKind::corrupt);
  const TemporaryDirectory folder;
  const auto whole = block::open_device(make(folder, {}));
  const auto cut = block::slice(*whole, 0, 4096, "cut");
  CHECK(kind_of([&] { open_xfs(*cut)->list("/"); }) == base::ErrorKind::corrupt);
}

}  // namespace hrvm::fs::test
