// Folders of XFS of all forms, their names one by one and by hash.
#include <algorithm>

#include "fs/xfs/directory_format.hpp"
#include "unit/fs/xfs/xfs_image.hpp"

namespace hrvm::fs::test {
namespace {

std::string name_of(int i) {
  return fmt::format("entry-{}-{}", i * 7919 % 10007, std::string(std::size_t(i % 40), 'n'));
}

std::string folder_of(std::string_view name, int count) {
  std::string lines = fmt::format("{} d--755 0 0\n", name);
  for (int i = 0; i < count; ++i) lines += fmt::format("{} l--777 0 0 {}\n", name_of(i), i);
  return lines + "$\n";
}

// In the inode, in one block, with one leaf, with a tree of leaves.
struct Form {
  std::string_view path;
  int count;
};
constexpr std::array forms = {Form{"/short", 4}, Form{"/block", 40}, Form{"/leaf", 300}, Form{"/tree", 3000}};

std::string all_forms() {
  std::string lines;
  for (const auto& form : forms) lines += folder_of(form.path.substr(1), form.count);
  return lines + folder_of("none", 0);
}

const std::vector<Options> layouts = {
    {}, {"-b", "size=1024"}, {"-n", "size=16384"}, {"-m", "crc=0", "-n", "ftype=0"}, {"-m", "crc=0", "-b", "size=512"}};

// Where the hashes of a folder begin.
constexpr auto root_of_hashes = "dblock 8388608";  // 32 GiB in blocks of 4 KiB

}  // namespace

TEST_CASE("a folder of any form gives each of its names once") {
  for (const auto& options : layouts) {
    CAPTURE(options);
    const TemporaryDirectory folder;
    const auto device = block::open_device(make_xfs(folder, all_forms(), options));
    const auto files = open_xfs(*device);
    for (const auto& form : forms) {
      auto names = names_in(*files, node_of(*files, form.path));
      std::vector<std::string> expected;
      for (int i = 0; i < form.count; ++i) expected.push_back(name_of(i));
      std::ranges::sort(names);
      std::ranges::sort(expected);
      CHECK((names == expected));
    }
    CHECK(names_in(*files, node_of(*files, "/none")).empty());
  }
}

TEST_CASE("a name is found in a folder of any form, and one that is not there is not") {
  for (const auto& options : layouts) {
    CAPTURE(options);
    const TemporaryDirectory folder;
    const auto device = block::open_device(make_xfs(folder, all_forms(), options));
    const auto files = open_xfs(*device);
    for (const auto& form : forms) {
      const Node node = node_of(*files, form.path);
      unsigned found = 0;
      for (int i = 0; i < form.count; ++i) {
        const auto there = files->find(node, name_of(i));
        found += there && files->read_link(*there) == std::to_string(i);
      }
      CHECK(found == unsigned(form.count));
      for (const auto* absent : {"nothing", "", ".", "..", "entry-0", "\xff\xff\xff\xff\xff"})
        CHECK_FALSE(files->find(node, absent));
    }
  }
}

TEST_CASE("a name of a large folder is found by a few of its blocks") {
  const TemporaryDirectory folder;
  const auto whole = block::open_device(make_xfs(folder, folder_of("large", 10'000), {}));
  Damaged device(*whole);
  const Node large = node_of(*open_xfs(device), "/large");
  const auto read_by = [&](auto&& what) {
    const auto files = open_xfs(device);
    device.bytes_read = 0;
    what(*files);
    return device.bytes_read;
  };
  CHECK(read_by([&](FileSystem& files) { CHECK(files.find(large, name_of(7777))); }) <= 5 * 32 * base::KiB);
  CHECK(read_by([&](FileSystem& files) { names_in(files, large); }) > 400 * base::KiB);
}

TEST_CASE("names of one hash are told apart") {
  // The bits of a byte beyond the seventh fall onto those of the byte before it.
  const std::string lines = "d d--755 0 0\nAB l--777 0 0 first\n@\xc2 l--777 0 0 second\n";
  std::string filler;
  for (int i = 0; i < 500; ++i) filler += fmt::format("{} l--777 0 0 x\n", name_of(i));
  for (const auto& more : {std::string(), filler}) {
    const TemporaryDirectory folder;
    const auto device = block::open_device(make_xfs(folder, lines + more + "$\n", {}));
    const auto files = open_xfs(*device);
    CHECK(files->read_link("/d/AB") == "first");
    CHECK(files->read_link("/d/@\xc2") == "second");
  }
}

TEST_CASE("a folder without case finds a name in any") {
  const TemporaryDirectory folder;
  const auto device = block::open_device(make_xfs(folder, folder_of("Folder", 300), {"-n", "version=ci"}));
  const auto files = open_xfs(*device);
  CHECK(files->find(node_of(*files, "/folder"), "ENTRY-0-") == files->find(node_of(*files, "/FOLDER"), "entry-0-"));
  CHECK(files->find(node_of(*files, "/folder"), "ENTRY-0-"));
  CHECK_FALSE(files->find(node_of(*files, "/folder"), "ENTRY-0"));
}

TEST_CASE("a visit ends when its visitor says so") {
  const TemporaryDirectory folder;
  const auto device = block::open_device(make_xfs(folder, all_forms(), {}));
  const auto files = open_xfs(*device);
  for (const auto& form : forms) {
    int met = 0;
    files->visit(node_of(*files, form.path), [&](const DirectoryEntry&) { return ++met < 3; });
    CHECK(met == 3);
  }
}

TEST_CASE("a visitor may look at anything of the filesystem") {
  const TemporaryDirectory folder;
  const auto device = block::open_device(make_xfs(folder, all_forms(), {}));
  const auto files = open_xfs(*device);
  const Node tree = node_of(*files, "/tree"), leaf = node_of(*files, "/leaf");
  std::vector<std::string> names;
  files->visit(tree, [&](const DirectoryEntry& entry) {
    if (names.size() % 100 == 0) names_in(*files, leaf);
    CHECK(files->find(tree, entry.name)->id == entry.node.id);
    names.emplace_back(entry.name);
    return true;
  });
  CHECK((names == names_in(*files, tree)));
}

TEST_CASE("a tree of hashes that leads to itself, down or along, is corrupt") {
  const TemporaryDirectory folder;
  const auto image = make_xfs(folder, all_forms(), {});
  const auto whole = block::open_device(image);
  const Node tree = node_of(*open_xfs(*whole), "/tree");
  const auto root = offset_by_xfs_db(image, {"path /tree", root_of_hashes});
  const auto outcome = [&](std::uint64_t offset, auto value) {
    Damaged device(*whole);
    device.put(offset, value);
    const auto files = open_xfs(device);
    return kind_of([&] {
      for (int i = 0; i < 3000; ++i) files->find(tree, name_of(i));
      files->find(tree, "\xff\xff\xff\xff\xff");
    });
  };
  const std::uint64_t count = root + xfs::hash_header_5, first = root + xfs::hash_entries_5;
  CHECK(outcome(first + 4, base::be32(8388608)) == base::ErrorKind::corrupt);
  CHECK(outcome(count + 2, base::be16(6)) == base::ErrorKind::corrupt);
  CHECK(outcome(count + 2, base::be16(2)) == base::ErrorKind::corrupt);
  CHECK(outcome(count, base::be16(0xffff)) == base::ErrorKind::corrupt);
  CHECK(outcome(count, base::be16(0)) == base::ErrorKind::corrupt);

  // All names have one hash in a ring of two leaves, none of which is the one that is looked for.
  Damaged device(*whole);
  const auto leaves = std::vector{offset_by_xfs_db(image, {"path /tree", "dblock 8388609"}),
                                  offset_by_xfs_db(image, {"path /tree", "dblock 8388610"})};
  for (std::size_t i = 0; i < 2; ++i) {
    device.put(leaves[i], base::be32(std::uint32_t(8388610 - i)));
    for (std::uint64_t entry = 0; entry < 500; ++entry)
      device.put(leaves[i] + xfs::hash_entries_5 + entry * 8, std::array<base::be32, 2>{base::be32(0), base::be32(0)});
    device.put(leaves[i] + xfs::hash_header_5, base::be16(400));
  }
  device.put(count, base::be16(1));
  device.put(first, std::array<base::be32, 2>{base::be32(0), base::be32(8388609)});
  CHECK(kind_of([&] { open_xfs(device)->find(tree, "x"); }) == base::ErrorKind::corrupt);
}

TEST_CASE("names that cannot be are corrupt, and what stood before them is given") {
  const TemporaryDirectory folder;
  const auto image = make_xfs(folder, all_forms(), {});
  const auto whole = block::open_device(image);
  const Node node = node_of(*open_xfs(*whole), "/block");
  const auto block = offset_by_xfs_db(image, {"path /block", "dblock 0"});
  const std::uint64_t third = block + xfs::data_header_5 + 2 * 16;  // behind "." and ".."
  const auto outcome = [&](std::uint64_t offset, auto value) {
    Damaged device(*whole);
    device.put(offset, value);
    return kind_of([&] { names_in(*open_xfs(device), node); });
  };
  CHECK(outcome(third + 8, std::uint8_t(0)) == base::ErrorKind::corrupt);
  CHECK(outcome(third + 9, '/') == base::ErrorKind::corrupt);
  CHECK(outcome(third + 9, '\0') == base::ErrorKind::corrupt);
  CHECK(outcome(third, std::array<base::be16, 2>{base::be16(0xffff), base::be16(0)}) == base::ErrorKind::corrupt);
  CHECK(outcome(third, std::array<base::be16, 2>{base::be16(0xffff), base::be16(0xfff8)}) == base::ErrorKind::corrupt);
  CHECK(outcome(block, base::be32(0)) == base::ErrorKind::corrupt);
  CHECK(outcome(block + 4096 - 8, base::be32(0xffffffff)) == base::ErrorKind::corrupt);
}

}  // namespace hrvm::fs::test
