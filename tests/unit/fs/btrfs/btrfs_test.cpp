// btrfs filled by mkfs itself, whole and damaged. What the kernel fills (compression, subvolumes, several devices) is
// compared by the system tests.
#include <functional>
#include <random>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "support/btrfs_disk.hpp"
#include "unit/fs/btrfs/images.hpp"
#include "unit/fs/trees.hpp"

namespace hrvm::fs::test {
namespace {

using base::ErrorKind;

// Nodes of 4 KiB, each once.
FewBlocks make_few(const TemporaryDirectory& folder) {
  return few_blocks_of(*block::open_device(make_btrfs(folder, {"-n", "4096", "-m", "single", "-d", "single"})));
}

constexpr std::uint32_t super_block = 16;  // its number

btrfs::SuperBlock super_of(FewBlocks& few) { return base::load<btrfs::SuperBlock>(few.block(super_block)); }

// The root of a tree that has two levels or more, as it is now (mkfs leaves older ones); at level 0 its first leaf.
std::span<std::byte> node_of(FewBlocks& few, std::uint64_t owner, unsigned level) {
  std::span<std::byte> newest;
  for (auto& [number, block] : few.blocks()) {
    const auto header = base::load<btrfs::NodeHeader>(block);
    const bool is_root = number != super_block && header.filesystem == super_of(few).filesystem &&
                         header.owner == owner && header.level == 1;
    if (is_root && (newest.empty() || base::load<btrfs::NodeHeader>(newest).generation < header.generation))
      newest = block;
  }
  if (newest.empty()) throw std::runtime_error("there is no such tree");
  if (level == 1) return newest;
  const auto first = base::load<btrfs::KeyPointer>(newest, sizeof(btrfs::NodeHeader));
  for (auto& [number, block] : few.blocks()) {
    const auto header = base::load<btrfs::NodeHeader>(block);
    if (header.logical == first.logical && header.generation == first.generation && header.owner == owner) return block;
  }
  throw std::runtime_error("there is no such leaf");
}

void walk(FileSystem& files, const std::string& folder, int depth) {
  for (const auto& entry : files.list(folder.empty() ? "/" : folder, 20)) {
    const auto path = folder + "/" + entry.name;
    const auto info = files.info(path);
    if (!info) continue;
    if (info->kind == FileKind::directory && depth > 0) walk(files, path, depth - 1);
    if (info->kind == FileKind::symlink) files.read_link(path);
    if (info->kind == FileKind::regular) files.read(path, info->size_bytes / 2, 4096);
  }
}

std::string outcome(block::BlockDevice& device) {
  try {
    Resummed resummed(device);
    const auto files = open_btrfs(resummed);
    walk(*files, "", 4);
    files->subvolumes();
    return "reads";
  } catch (const base::Error& error) {
    CHECK_FALSE(error.message().empty());
    return std::string(base::word(error.kind()));
  }
}

}  // namespace

TEST_CASE("btrfs made of a tree reads as that tree, whatever its nodes and checksums") {
  for (const auto& options : std::vector<Words>{
           {}, {"-n", "4096"}, {"--mixed"}, {"--csum", "xxhash"}, {"--csum", "sha256"}, {"--csum", "blake2"}}) {
    CAPTURE(options);
    const TemporaryDirectory folder;
    write_tree(folder);
    const auto device = block::open_device(make_btrfs(folder, options));
    const auto files = open_file_system("btrfs", *device);
    REQUIRE(files);
    CHECK(files->type() == "btrfs");
    CHECK_FALSE(files->needs_recovery());
    CHECK(try_read(*files, "/etc/os-release") == "ID=debian\n");
    CHECK(files->read_link("/etc/absolute") == "/usr/lib/os-release");
    CHECK(files->read_link("/etc/long-link") == std::string(40, '.') + "/" + std::string(200, 'x'));
    CHECK((files->read("/boot/vmlinuz", 0, 4'000'000) == long_text(3'000'000)));
    CHECK((files->read("/boot/vmlinuz", 1'234'567, 2'000'00) == long_text(3'000'000).substr(1'234'567, 2'000'00)));
    CHECK(files->read("/boot/vmlinuz", 2'999'990, 100).size() == 10);
    CHECK(files->read("/boot/vmlinuz", 4'000'000, 100).empty());
    CHECK(files->read("/boot/sparse", 8'999'990, 100) == std::string(10, '\0') + "end");
    CHECK(files->read("/etc/empty", 0, 10).empty());
    CHECK(listing(*files, "/usr/lib/many").size() == 300);
    CHECK(files->info("/")->kind == FileKind::directory);
    CHECK_FALSE(files->info("/etc/hostname/x"));
    CHECK_FALSE(files->info("/nothing"));
    CHECK(kind_of([&] { files->list("/etc/hostname"); }) == ErrorKind::not_found);
    CHECK(kind_of([&] { files->read("/etc", 0, 1); }) == ErrorKind::not_found);
    CHECK(kind_of([&] { files->read_link("/etc"); }) == ErrorKind::not_found);
    const auto subvolumes = files->subvolumes();
    REQUIRE(subvolumes.size() == 1);
    CHECK(subvolumes[0].id == 5);
    CHECK(subvolumes[0].path.empty());
    CHECK(subvolumes[0].is_default);
    CHECK(kind_of([&] { files->open_subvolume(256); }) == ErrorKind::not_found);
    CHECK(kind_of([&] { files->open_subvolume(7); }) == ErrorKind::not_found);
  }
}

TEST_CASE("a byte that is wrong is noticed by the checksum over it: of the superblock, a node, a file") {
  const TemporaryDirectory folder;
  write_tree(folder);
  auto few = make_few(folder);
  const auto sound = few;
  few.block(super_block)[0x48] ^= std::byte{1};
  // The copies behind it serve as well, as long as there is one.
  CHECK(open_btrfs(few)->list("/").size() == 3);
  few.block(16384)[0x48] ^= std::byte{1};
  CHECK(kind_of([&] { open_btrfs(few); }) == ErrorKind::corrupt);

  few = sound;
  node_of(few, btrfs::file_tree, 1)[200] ^= std::byte{1};
  CHECK(kind_of([&] { open_btrfs(few)->list("/"); }) == ErrorKind::corrupt);

  few = sound;
  for (auto& [number, block] : few.blocks())
    if (std::memcmp(block.data(), "line 0\n", 7) == 0) block[5000 % 4096] ^= std::byte{1};
  const auto files = open_btrfs(few);
  CHECK(kind_of([&] { files->read("/boot/vmlinuz", 0, 4096); }) == ErrorKind::corrupt);
  CHECK(files->read("/boot/vmlinuz", 8192, 4096) == long_text(16384).substr(8192, 4096));
}

TEST_CASE("what is wrong behind right checksums ends as it must") {
  using namespace btrfs;
  const TemporaryDirectory folder;
  write_tree(folder);
  const auto sound = make_few(folder);
  const auto in_super = [](std::size_t offset, auto value) {
    return [=](FewBlocks& few) { base::store(few.block(super_block), offset, value); };
  };
  const auto in_node = [](std::uint64_t owner, unsigned level, std::size_t offset, auto value) {
    return [=](FewBlocks& few) { base::store(node_of(few, owner, level), offset, value); };
  };
  using base::le16, base::le32, base::le64;
  constexpr auto items = offsetof(NodeHeader, items), head = sizeof(NodeHeader);
  struct Case {
    std::string name, outcome;
    std::function<void(FewBlocks&)> damage;
  };
  const std::vector<Case> cases = {
      {"nothing", "reads", [](FewBlocks&) {}},
      {"a log to replay", "reads", in_super(offsetof(SuperBlock, log_root), le64(1 << 20))},
      {"zones", "unsupported", in_super(offsetof(SuperBlock, incompatible), le64(1 << 12))},
      {"a feature to come", "unsupported", in_super(offsetof(SuperBlock, incompatible), le64(1ull << 40))},
      {"checksums to come", "unsupported", in_super(offsetof(SuperBlock, checksum_type), le16(4))},
      {"nodes of 0 bytes", "corrupt", in_super(offsetof(SuperBlock, node_bytes), le32(0))},
      {"nodes of 3 sectors", "corrupt", in_super(offsetof(SuperBlock, node_bytes), le32(12288))},
      {"nodes of 2 GiB", "corrupt", in_super(offsetof(SuperBlock, node_bytes), le32(1u << 31))},
      {"sectors of 1 byte", "corrupt", in_super(offsetof(SuperBlock, sector_bytes), le32(1))},
      {"a root nowhere", "corrupt", in_super(offsetof(SuperBlock, root), le64(largest))},
      {"a root of another generation", "corrupt", in_super(offsetof(SuperBlock, generation), le64(77))},
      {"a root of 9 levels", "corrupt", in_super(offsetof(SuperBlock, root_level), std::uint8_t(9))},
      {"a chunk tree in no chunk", "corrupt", in_super(offsetof(SuperBlock, chunk_root), le64(1ull << 50))},
      {"system chunks of 2 GiB", "corrupt", in_super(offsetof(SuperBlock, system_chunks_bytes), le32(1u << 31))},
      {"system chunks that are cut", "corrupt", in_super(offsetof(SuperBlock, system_chunks_bytes), le32(20))},
      {"no system chunks", "corrupt", in_super(offsetof(SuperBlock, system_chunks_bytes), le32(0))},
      {"a system chunk of no stripes", "corrupt",
       in_super(offsetof(SuperBlock, system_chunks) + 17 + offsetof(DiskChunk, stripes), le16(0))},
      {"a system chunk of 65535 stripes", "corrupt",
       in_super(offsetof(SuperBlock, system_chunks) + 17 + offsetof(DiskChunk, stripes), le16(0xffff))},
      {"a system chunk of RAID6", "unsupported",
       in_super(offsetof(SuperBlock, system_chunks) + 17 + offsetof(DiskChunk, type),
                le64(chunk_system | profile_raid6))},
      {"a system chunk on another device", "not_found",
       in_super(offsetof(SuperBlock, system_chunks) + 17 + sizeof(DiskChunk), le64(9))},
      {"a system chunk off the device", "corrupt",
       in_super(offsetof(SuperBlock, system_chunks) + 17 + sizeof(DiskChunk) + 8, le64(1ull << 62))},
      {"a node of more items than it has room for", "corrupt", in_node(file_tree, 0, items, le32(10'000))},
      {"a node of 4 billion items", "corrupt", in_node(file_tree, 0, items, le32(0xffffffff))},
      {"an inner node without items", "corrupt", in_node(file_tree, 1, items, le32(0))},
      {"a node that says that it is another", "corrupt", in_node(file_tree, 0, offsetof(NodeHeader, logical), le64(0))},
      {"a leaf that says that it is none", "corrupt",
       in_node(file_tree, 0, offsetof(NodeHeader, level), std::uint8_t(3))},
      {"an item whose data leave the leaf", "corrupt",
       in_node(file_tree, 0, head + offsetof(LeafItem, offset), le32(0xfffffff0))},
      {"an item longer than the leaf", "corrupt",
       in_node(file_tree, 0, head + offsetof(LeafItem, length), le32(0xfffffff0))},
      {"keys that do not ascend", "corrupt", in_node(file_tree, 0, head + sizeof(LeafItem), le64(1))},
      {"a node that leads to itself", "corrupt",
       [](FewBlocks& few) {
         const auto node = node_of(few, file_tree, 1);
         base::store(node, head + offsetof(KeyPointer, logical), base::load<NodeHeader>(node).logical);
       }},
      {"a node that leads to one child twice", "corrupt",
       [](FewBlocks& few) {
         const auto node = node_of(few, file_tree, 1);
         const auto first = base::load<KeyPointer>(node, head);
         base::store(node, head + sizeof first + offsetof(KeyPointer, logical), first.logical);
       }},
  };
  for (const auto& [name, expected, damage] : cases) {
    CAPTURE(name);
    auto few = sound;
    damage(few);
    CHECK(outcome(few) == expected);
  }
}

TEST_CASE("a btrfs with any of its bytes wrong and the checksums right is read, or refused by an error") {
  std::mt19937_64 random(5);
  const TemporaryDirectory folder;
  write_tree(folder);
  const auto sound = make_few(folder);
  unsigned refused = 0;
  constexpr int rounds = 100;
  for (int round = 0; round < rounds; ++round) {
    auto few = sound;
    std::vector<std::uint32_t> nodes;
    for (const auto& [number, block] : few.blocks())
      if (base::load<btrfs::NodeHeader>(block).filesystem == super_of(few).filesystem) nodes.push_back(number);
    for (int i = 0; i < 10; ++i) {
      const auto block = few.block(round % 4 == 0 ? super_block : nodes[random() % nodes.size()]);
      block[random() % (round % 2 ? 1024 : 4096)] = random() % 2 ? std::byte(random()) : std::byte{0xff};
    }
    refused += outcome(few) != "reads";
  }
  CHECK(refused > rounds / 20);
  CHECK(refused < rounds);
}

TEST_CASE("what is no btrfs, and one that is cut off, is corrupt") {
  FewBlocks none(1 << 20), tiny(100);
  CHECK(kind_of([&] { open_btrfs(none); }) == ErrorKind::corrupt);
  CHECK(kind_of([&] { open_btrfs(tiny); }) == ErrorKind::corrupt);
  const TemporaryDirectory folder;
  write_tree(folder);
  const auto whole = block::open_device(make_btrfs(folder, {}));
  const auto cut = block::slice(*whole, 0, 1 << 20, "cut");
  CHECK(kind_of([&] { open_btrfs(*cut)->list("/"); }) == ErrorKind::corrupt);
}

// Named as those of corpus_test.cpp, with the blocks packed.
TEST_CASE("every damaged btrfs ends as its name says") {
  const auto folder = Path(HRVM_SOURCE_DIR) / "tests/corpus/btrfs";
  for (const auto& file : sys::list_directory(folder)) {
    CAPTURE(file);
    const auto packed = sys::read_file(folder / file, base::MiB);
    FewBlocks few(std::as_bytes(std::span(packed)), 128 * base::MiB);
    const auto found = outcome(few);
    const auto expected = Path(file).extension().string();
    if (!expected.empty()) CHECK("." + found == expected);
  }
}

TEST_CASE("compressed files, holes, reserved room and subvolumes that the kernel has made are read") {
  const auto packed = sys::read_file(Path(HRVM_SOURCE_DIR) / "tests/corpus/btrfs/sound.reads", base::MiB);
  FewBlocks few(std::as_bytes(std::span(packed)), 128 * base::MiB);
  const auto files = open_btrfs(few);
  const auto numbers = [](int last) {
    std::string text;
    for (int i = 1; i <= last; ++i) text += fmt::format("{}\n", i);
    return text;
  };
  for (const std::string kind : {"zlib", "lzo", "zstd"}) {
    CAPTURE(kind);
    CHECK(read_all(*files, "/etc/" + kind + "-inline") == numbers(200));
    CHECK(read_all(*files, "/etc/" + kind) == numbers(6000));
    CHECK(files->read("/etc/" + kind, 20'000, 3000) == numbers(6000).substr(20'000, 3000));
  }
  CHECK(read_all(*files, "/etc/plain") == numbers(1500));
  CHECK(read_all(*files, "/etc/hole") == std::string(1 << 20, '\0'));
  CHECK(read_all(*files, "/etc/reserved") == std::string(64 << 10, '\0'));
  CHECK(try_read(*files, "/etc/os-release") == "ID=debian\n");
  CHECK(try_read(*files, "/@/home/file") == "x\n");
  CHECK(listing(*files, "/@snap/home").empty());
  const auto subvolumes = files->subvolumes();
  REQUIRE(subvolumes.size() == 4);
  CHECK(subvolumes[1].path == "@");
  CHECK(subvolumes[1].is_default);
  CHECK(subvolumes[2].path == "@/home");
  CHECK(subvolumes[3].path == "@snap");
  CHECK((subvolumes[3].is_read_only && subvolumes[3].is_snapshot && !subvolumes[2].is_snapshot));
  const auto root = files->open_subvolume(subvolumes[1].id);
  CHECK(try_read(*root, "/home/file") == "x\n");
  CHECK(try_read(*root, "/root") == "y\n");
  CHECK_FALSE(root->info("/@"));
}

TEST_CASE("of several devices the one that is not here is named, unless another has a copy") {
  const TemporaryDirectory folder;
  const auto image = [&](int i) { return folder / ("image" + std::to_string(i)); };
  for (const auto& [profile, outcome] : std::map<std::string, std::string>{{"raid0", "not_found"},
                                                                           {"raid1", "reads"},
                                                                           {"raid1c3", "reads"},
                                                                           {"raid10", "reads"},
                                                                           {"raid5", "unsupported"}}) {
    CAPTURE(profile);
    Words command = {"mkfs.btrfs", "-q", "-f", "-m", profile, "-d", "single"};
    for (int i = 0; i < 4; ++i) {
      std::ofstream(image(i)).flush();
      std::filesystem::resize_file(image(i), 256 * base::MiB);
      command.push_back(image(i));
    }
    output_of(command);
    std::vector<std::unique_ptr<block::BlockDevice>> devices;
    for (int i = 0; i < 4; ++i) devices.push_back(block::open_device(image(i)));
    const auto read = [&](std::vector<int> here) {
      std::vector<block::BlockDevice*> some;
      for (const int i : here) some.push_back(devices[std::size_t(i)].get());
      try {
        return open_btrfs(some)->list("/").empty() ? std::string("reads") : "reads too much";
      } catch (const base::Error& error) {
        if (error.kind() == ErrorKind::not_found) CHECK(error.message().find("of the 4") != std::string::npos);
        return std::string(base::word(error.kind()));
      }
    };
    CHECK(read({2, 0, 3, 1}) == (profile == "raid5" ? "unsupported" : "reads"));
    std::string worst = "reads";
    for (const auto& here : std::vector<std::vector<int>>{{1, 2, 3}, {0, 2, 3}, {0, 1, 3}, {0, 1, 2}})
      if (const auto found = read(here); found != "reads") worst = found;
    CHECK(worst == outcome);
  }
}

}  // namespace hrvm::fs::test
