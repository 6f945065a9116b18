#include "fs/fat/format.hpp"
#include "hrvm/base/byte_size.hpp"
#include "unit/fs/extents.hpp"
#include "unit/fs/trees.hpp"

namespace hrvm::fs::test {
namespace {

using base::ErrorKind;

struct Made {
  TemporaryDirectory folder;
  std::unique_ptr<block::BlockDevice> device;
  std::unique_ptr<FileSystem> files;

  Path image() const { return folder / "image"; }

  void make(std::vector<std::string> options, std::uint64_t bytes) {
    folder.write("tree/EFI/BOOT/BOOTX64.EFI", long_text(600'000));
    folder.write("tree/EFI/proxmox/grubx64.efi", "loader");
    folder.write("tree/EFI/debian/A rather long name with blanks and dots...in it.cfg", "long");
    folder.write("tree/EFI/debian/exactly-thirteen-and-thirteen", "26 and more");
    folder.write("tree/EFI/debian/thirteen13.cfg", "14");
    folder.write("tree/EFI/debian/thirteen1.cfg", "13");
    folder.write("tree/EFI/debian/größe-日本.txt", "unicode");
    folder.write("tree/lower.txt", "l");
    folder.write("tree/UPPER.TXT", "u");
    folder.write("tree/empty", "");
    for (int i = 0; i < 300; ++i) folder.write(fmt::format("tree/many/entry number {}", i), std::to_string(i));
    std::ofstream(image()).flush();
    std::filesystem::resize_file(image(), bytes);
    options.insert(options.begin(), "mkfs.vfat");
    options.push_back(image());
    output_of(options);
    set_times();
    output_of({"mcopy", "-s", "-m", "-i", image(), folder / "tree/EFI", folder / "tree/lower.txt",
               folder / "tree/UPPER.TXT", folder / "tree/empty", folder / "tree/many", "::"});
  }
  // Each file its own, as finely as a FAT keeps them.
  void set_times() {
    std::chrono::sys_seconds time = std::chrono::sys_days(std::chrono::year(2003) / 4 / 5);
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder / "tree"))
      std::filesystem::last_write_time(entry, std::chrono::file_clock::from_sys(time += std::chrono::seconds(4322)));
  }
  void open() {
    device = block::open_device(image());
    files = open_fat(*device);
  }
  void put(std::uint64_t offset, const std::string& bytes) {
    std::fstream file(image(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(std::streamoff(offset)) << bytes;
  }
};

void check_tree(Made& made) {
  const auto tree = made.folder / "tree";
  for (const auto& entry : std::filesystem::recursive_directory_iterator(tree)) {
    auto path = "/" + entry.path().lexically_relative(tree).string();
    if (path.starts_with("/many/") && !path.ends_with("7")) continue;
    CAPTURE(path);
    auto info = made.files->info(path);
    REQUIRE(info.has_value());
    CHECK(info->kind == (entry.is_directory() ? FileKind::directory : FileKind::regular));
    if (entry.is_directory()) continue;
    CHECK(info->size_bytes == entry.file_size());
    REQUIRE((read_all(*made.files, path) == sys::read_file(entry.path())));
  }
}

// By node: all that the tree tells of its files is in the FAT, and no more.
void compare(Made& made, Node folder, const Path& tree, std::uint64_t cluster) {
  std::map<std::string, Node> nodes;
  made.files->visit(folder, [&](const DirectoryEntry& entry) {
    CHECK(nodes.emplace(entry.name, entry.node).second);
    return true;
  });
  for (const auto& entry : std::filesystem::directory_iterator(tree)) {
    const std::string name = entry.path().filename();
    CAPTURE(name);
    REQUIRE(nodes.contains(name));
    const Node node = nodes[name];
    CHECK((made.files->find(folder, name) == node));
    const auto stat = made.files->stat(node);
    CHECK((stat.node == node));
    CHECK((stat.kind == (entry.is_directory() ? FileKind::directory : FileKind::regular)));
    if (entry.is_directory()) {
      compare(made, node, entry.path(), cluster);
    } else {
      const auto time = std::chrono::file_clock::to_sys(entry.last_write_time()).time_since_epoch();
      CHECK(stat.times.modified.seconds == std::chrono::floor<std::chrono::seconds>(time).count());
      CHECK(stat.size_bytes == entry.file_size());
      CHECK(stat.allocated_bytes == base::round_up(entry.file_size(), cluster));
      block::BlockDevice* const devices[] = {made.device.get()};
      check_extents(*made.files, node, devices);
      const auto bytes = bytes_of(*made.files, node, 0, stat.size_bytes);
      REQUIRE((std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()) == sys::read_file(entry.path())));
    }
    nodes.erase(name);
  }
  CHECK(nodes.empty());
}

std::uint64_t data_offset_of(const std::vector<std::byte>& boot) {
  const auto sectors = base::load<fat::BootSector>(boot);
  return (sectors.reserved_sectors + std::uint64_t(sectors.fats) * sectors.fat_sectors_32) * sectors.bytes_per_sector;
}

struct Layout {
  std::vector<std::string> options;
  std::uint64_t bytes;
};
const std::vector<Layout> layouts = {
    {{"-F", "12"}, 2 * base::MiB},  {{"-F", "12", "-S", "4096", "-s", "1"}, 4 * base::MiB},
    {{"-F", "16"}, 32 * base::MiB}, {{"-F", "16", "-S", "2048"}, 64 * base::MiB},
    {{"-F", "32"}, 64 * base::MiB}, {{"-F", "32", "-S", "4096", "-s", "1"}, 300 * base::MiB},
};

}  // namespace

TEST_CASE("what mtools put into FAT of any width and sector size is read") {
  for (const auto& layout : layouts) {
    CAPTURE(layout.options);
    Made made;
    made.make(layout.options, layout.bytes);
    made.open();
    check_tree(made);
    CHECK(listing(*made.files, "/many").size() == 300);
    CHECK(made.files->type() == "vfat");
  }
}

TEST_CASE("every file that mtools put into a FAT is told by node as its tree has it") {
  for (const auto& layout : {layouts[0], layouts[2], layouts[4]}) {  // each width
    CAPTURE(layout.options);
    Made made;
    made.make(layout.options, layout.bytes);
    made.open();
    const auto boot = base::load<fat::BootSector>(made.device->read(0, 512));
    const std::uint64_t cluster = std::uint64_t(boot.bytes_per_sector) * boot.sectors_per_cluster;
    compare(made, made.files->root(), made.folder / "tree", cluster);
  }
}

TEST_CASE("FAT32 with fewer clusters than the specification wants is read as FAT32, as Linux and firmware do") {
  Made made;
  made.make({"-F", "32", "-s", "1"}, 64 * base::MiB);
  made.put(32, std::string("\x50\xc3\x00\x00", 4));  // 50000 sectors
  made.open();
  check_tree(made);
}

TEST_CASE("names are shown as they were given, and found in any case") {
  Made made;
  made.make({"-F", "16", "-n", "LABEL"}, 32 * base::MiB);
  made.open();
  CHECK(listing(*made.files, "/") == std::map<std::string, FileKind>{{"EFI", FileKind::directory},
                                                                     {"lower.txt", FileKind::regular},
                                                                     {"UPPER.TXT", FileKind::regular},
                                                                     {"empty", FileKind::regular},
                                                                     {"many", FileKind::directory}});
  CHECK(listing(*made.files, "/EFI/debian").count("größe-日本.txt") == 1);
  CHECK(read_all(*made.files, "/efi/boot/bootx64.efi").size() == 600'000);
  CHECK(made.files->info("/EFI/PROXMOX/GRUBX64.EFI").has_value());
}

TEST_CASE("a deleted file is gone, and one whose clusters are scattered is read in order") {
  Made made;
  made.make({"-F", "16", "-s", "1"}, 8 * base::MiB);
  for (int i = 0; i < 300; i += 2) output_of({"mdel", "-i", made.image(), fmt::format("::many/entry number {}", i)});
  auto text = long_text(150 * 512 + 70'000);
  auto file = made.folder.write("scattered", text);
  output_of({"mcopy", "-i", made.image(), file, "::scattered"});
  made.open();
  CHECK_FALSE(made.files->info("/many/entry number 0").has_value());
  CHECK(listing(*made.files, "/many").size() == 150);
  CHECK((read_all(*made.files, "/scattered") == text));
  CHECK((made.files->read("/scattered", 12345, 40000) == text.substr(12345, 40000)));
  CHECK(made.files->read("/scattered", text.size(), 1).empty());
}

TEST_CASE("what is not in a FAT is absent, and what is of another kind is not found in it") {
  Made made;
  made.make({"-F", "12"}, 2 * base::MiB);
  made.open();
  CHECK_FALSE(made.files->info("/none").has_value());
  CHECK_FALSE(made.files->info("/lower.txt/none").has_value());
  CHECK(made.files->info("/")->kind == FileKind::directory);
  CHECK(kind_of([&] { made.files->list("/lower.txt"); }) == ErrorKind::not_found);
  CHECK(kind_of([&] { made.files->read("/EFI", 0, 1); }) == ErrorKind::not_found);
  CHECK(kind_of([&] { made.files->read_link("/lower.txt"); }) == ErrorKind::not_found);
}

TEST_CASE("a chain that runs in a circle is corrupt, in a folder as in a file") {
  Made made;
  made.make({"-F", "32", "-s", "1", "-f", "1"}, 64 * base::MiB);
  made.open();
  auto boot = made.device->read(0, 512);
  auto fat_offset = (std::to_integer<std::uint64_t>(boot[14]) | std::to_integer<std::uint64_t>(boot[15]) << 8) * 512;
  // The root folder's chain leads back to itself, through a cluster full of entries so that it does not end before.
  output_of({"mcopy", "-i", made.image(), made.folder.write("loop", std::string(600'000, 'x')), "::loop"});
  made.open();
  std::string self("\x02\x00\x00\x00", 4);
  made.put(fat_offset + 8, self);
  CHECK(kind_of([&] { open_fat(*made.device)->list("/"); }) == ErrorKind::corrupt);
  // A file's too, past the clusters that it has.
  made.put(fat_offset + 8, std::string("\xff\xff\xff\x0f", 4));
  made.open();
  const auto loop = find(*made.files, "/loop").value();
  const auto first = (made.files->extent_at(loop, 0, 1)->device_offset - data_offset_of(boot)) / 512 + 2;
  std::string back(4, '\0');
  for (unsigned i = 0; i < 4; ++i) back[i] = char(first >> (8 * i));
  made.put(fat_offset + (first + 3) * 4, back);
  made.open();
  std::vector<std::byte> bytes(600'000);
  CHECK(kind_of([&] { made.files->read(loop, 0, bytes); }) == ErrorKind::corrupt);
  CHECK(kind_of([&] { made.files->extent_at(loop, 500'000, 1); }) == ErrorKind::corrupt);
}

TEST_CASE("a file of a FAT is known by where its entry lies, and told again by that alone") {
  Made made;
  made.make({"-F", "16"}, 32 * base::MiB);
  made.open();
  const auto node = find(*made.files, "/EFI/BOOT/BOOTX64.EFI").value();
  const auto entry = made.device->read(node.id * 32, 32);
  CHECK(std::memcmp(entry.data(), "BOOTX64 EFI", 11) == 0);
  const auto anew = open_fat(*made.device);
  CHECK((anew->stat(node).node == node));
  CHECK(anew->stat(node).size_bytes == 600'000);
  CHECK(anew->stat(node).allocated_bytes == 600'064);
  CHECK((anew->root() == Node{}));
  CHECK(anew->stat(anew->root()).kind == FileKind::directory);
}

TEST_CASE("what is no entry of a FAT, or lies where none can, is no file") {
  Made made;
  made.make({"-F", "16"}, 32 * base::MiB);
  made.open();
  auto& files = *made.files;
  const auto node = find(files, "/EFI/debian/thirteen13.cfg").value();
  const Node long_part{0, node.id - 1, 0}, other_tree{1, node.id, 0}, other_generation{0, node.id, 1};
  for (const auto& none : {long_part, other_tree, other_generation, Node{0, 1, 0}, Node{0, 32 * base::MiB / 32, 0},
                           Node{0, ~0ull, 0}, Node{0, ~0ull / 32 + 2, 0}}) {
    CAPTURE(none.id);
    CHECK(kind_of([&] { files.stat(none); }) == ErrorKind::not_found);
  }
  output_of({"mdel", "-i", made.image(), "::EFI/debian/thirteen13.cfg"});
  CHECK(kind_of([&] { files.stat(node); }) == ErrorKind::not_found);
}

TEST_CASE("times of a FAT are told as finely as it keeps them, and what may not be written has no bits for it") {
  Made made;
  made.make({"-F", "16"}, 32 * base::MiB);
  output_of({"mattrib", "-i", made.image(), "+r", "::lower.txt"});
  made.open();
  const auto node = find(*made.files, "/lower.txt").value();
  // 2021-03-04 05:06:08 and 1.23 s more, 2022-07-08, 2023-09-10 11:12:14.
  const std::uint8_t times[] = {123, 0xc4, 0x28, 0x64, 0x52, 0xe8, 0x54, 0, 0, 0x87, 0x59, 0x2a, 0x57};
  made.put(node.id * 32 + 13, std::string(times, times + sizeof times));
  made.open();
  const auto stat = made.files->stat(node);
  CHECK((stat.times.created == Time{1'614'834'369, 230'000'000}));
  CHECK((stat.times.accessed == Time{1'657'238'400, 0}));
  CHECK((stat.times.modified == Time{1'694'344'334, 0}));
  CHECK_FALSE(stat.times.changed.has_value());
  CHECK(stat.mode == 0444);
  CHECK(made.files->stat(find(*made.files, "/UPPER.TXT").value()).mode == 0644);
  CHECK(made.files->stat(find(*made.files, "/EFI").value()).mode == 0755);
}

TEST_CASE("the bytes of a FAT's files lie where it says, in one piece where their clusters do") {
  Made made;
  made.make({"-F", "16", "-s", "1"}, 8 * base::MiB);
  for (int i = 0; i < 300; i += 2) output_of({"mdel", "-i", made.image(), fmt::format("::many/entry number {}", i)});
  output_of(
      {"mcopy", "-i", made.image(), made.folder.write("scattered", long_text(150 * 512 + 70'000)), "::scattered"});
  made.open();
  for (const auto* path : {"/scattered", "/EFI/BOOT/BOOTX64.EFI", "/empty"})
    for (const std::uint64_t limit : {std::uint64_t(1000), ~std::uint64_t(0)})
      check_extents(*made.files, path, *made.device, limit);
  const auto loader = find(*made.files, "/EFI/BOOT/BOOTX64.EFI").value();
  CHECK(made.files->extent_at(loader, 0, ~0ull)->length == 600'000);
  CHECK(made.files->extent_at(loader, 599'999, ~0ull)->length == 1);
  CHECK_FALSE(made.files->extent_at(loader, 600'000, ~0ull));
}

TEST_CASE("a FAT file that is read from its start to its end is found in its table once") {
  Made made;
  made.make({"-F", "16", "-s", "1"}, 30 * base::MiB);
  output_of({"mcopy", "-i", made.image(), made.folder.write("large", long_text(10'000'000)), "::large"});
  made.open();
  CountedDevice counted(*made.device);
  const auto files = open_fat(counted);
  const auto node = find(*files, "/large").value();
  // The table's window of 64 KiB holds the half of it: who started anew each time would read both halves each time.
  std::vector<std::byte> piece(512);
  counted.reads = 0;
  unsigned pieces = 0;
  for (std::uint64_t at = 0; files->read(node, at, piece) == piece.size(); at += piece.size()) ++pieces;
  CHECK(pieces == 10'000'000 / 512);
  CHECK(counted.reads < 2 * pieces + 10);  // the entry and the bytes
}

TEST_CASE("what is no FAT is corrupt, however short or long") {
  for (std::size_t bytes : {0, 1, 511, 512, 4096, 1 << 20}) {
    auto device = block::memory_device(std::vector<std::byte>(bytes), "zeros");
    CHECK(kind_of([&] { open_fat(*device); }) == ErrorKind::corrupt);
  }
}

}  // namespace hrvm::fs::test
