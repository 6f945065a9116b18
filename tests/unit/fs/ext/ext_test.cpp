#include <set>

#include "fs/ext/hash.hpp"
#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/block/read_cache.hpp"
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
  // What debugfs answers to one request; it writes into the image.
  std::string ask(const std::string& request) const { return output_of({"debugfs", "-w", "-R", request, image()}); }
  Node node(std::string_view path) const { return find(*files, path).value(); }
};

std::string bytes_at(block::BlockDevice& device, const FileExtent& extent) {
  std::string bytes(std::size_t(extent.length), '\0');
  device.read(extent.device_offset, std::as_writable_bytes(std::span(bytes)));
  return bytes;
}

std::vector<FileExtent> extents(FileSystem& files, Node file, std::uint64_t limit = ~0ull) {
  std::vector<FileExtent> told;
  std::uint64_t offset = 0;
  while (const auto extent = files.extent_at(file, offset, limit)) {
    REQUIRE(extent->offset == offset);
    REQUIRE(extent->length > 0);
    told.push_back(*extent);
    offset += extent->length;
  }
  return told;
}

// The pieces of a file hold its bytes, where they say.
void check_extents(Made& made, std::string_view path) {
  const auto file = made.node(path);
  const auto whole = read_all(*made.files, path);
  std::uint64_t end = 0;
  for (const auto& extent : extents(*made.files, file)) {
    const auto piece = whole.substr(std::size_t(extent.offset), std::size_t(extent.length));
    if (extent.stored == Stored::plain) REQUIRE((bytes_at(*made.device, extent) == piece));
    if (extent.stored == Stored::zeros) REQUIRE((piece == std::string(piece.size(), '\0')));
    end = extent.offset + extent.length;
  }
  CHECK(end == whole.size());
}

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
      check_extents(made, path);
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
    {"-t", "ext2", "-b", "1024", "-I", "128", "-r", "0"},
    {"-t", "ext2", "-b", "65536"},
    {"-t", "ext4", "-b", "65536", "-O", "^has_journal"},
    {"-t", "ext4", "-b", "1024", "-O", "inline_data,ea_inode,large_dir,casefold,encrypt,verity", "-I", "512"},
    {"-t", "ext4", "-b", "1024", "-O", "sparse_super2,metadata_csum_seed,^resize_inode", "-g", "1024"},
    {"-t", "ext4", "-b", "1024", "-O", "^sparse_super,^resize_inode,^flex_bg,meta_bg", "-g", "1024"},
    {"-t", "ext4", "-b", "4096", "-O", "fast_commit,orphan_file,quota,project"},
};

// Names of some length, one in three with characters beyond ASCII.
std::string many_name(int i) { return fmt::format("{}-{:05}.conf", i % 3 == 0 ? "größe" : "size", i); }

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

TEST_CASE("what an inode tells is told, with all the bits of each number") {
  Made made;
  made.make({"-t", "ext4"});
  for (const auto* field : {"mode 0106751", "uid 70000", "gid 3000000", "links_count 3", "generation 77",
                            "atime @1600000000", "ctime @1700000000", "crtime @1500000000", "blocks 24"})
    made.ask(fmt::format("sif /etc/hostname {}", field));
  made.ask("sif /etc/hostname mtime_extra 0x75bcd155");  // 493826133 ns, and 2^32 s
  made.ask("sif /etc/hostname mtime 0x80000000");
  made.open();
  const auto stat = made.files->stat(made.node("/etc/hostname"));
  CHECK(stat.node.generation == 77);
  CHECK(stat.kind == FileKind::regular);
  CHECK(stat.mode == 06751);
  CHECK(stat.uid == 70000);
  CHECK(stat.gid == 3000000);
  CHECK(stat.links == 3);
  CHECK(stat.size_bytes == 4);
  CHECK(stat.allocated_bytes == 24 * 512);
  CHECK((stat.times.modified == Time{(1ll << 32) - (1ll << 31), 0x75bcd155 >> 2}));
  CHECK(stat.times.accessed->seconds == 1600000000);
  CHECK(stat.times.changed->seconds == 1700000000);
  CHECK(stat.times.created->seconds == 1500000000);
}

TEST_CASE("an inode of 128 bytes has no time of creation and no nanoseconds") {
  Made made;
  made.make({"-t", "ext2", "-I", "128"});
  made.open();
  const auto stat = made.files->stat(made.node("/etc/hostname"));
  CHECK_FALSE(stat.times.created.has_value());
  CHECK(stat.times.modified.nanoseconds == 0);
}

TEST_CASE("device files have their numbers, in the old form and in the new one") {
  Made made;
  made.make({"-t", "ext4"});
  made.ask("mknod old c 4 65");
  made.ask("mknod new b 259 4097");
  made.ask("mknod pipe p");
  made.open();
  const auto listed = listing(*made.files, "/");
  const auto old_one = made.files->stat(made.node("/old")), new_one = made.files->stat(made.node("/new"));
  CHECK(old_one.kind == FileKind::character_device);
  CHECK((old_one.device == DeviceNumber{4, 65}));
  CHECK(new_one.kind == FileKind::block_device);
  CHECK((new_one.device == DeviceNumber{259, 4097}));
  CHECK(made.files->stat(made.node("/pipe")).kind == FileKind::fifo);
  CHECK(listed.at("old") == FileKind::character_device);
  CHECK(listed.at("new") == FileKind::block_device);
  CHECK(listed.at("pipe") == FileKind::fifo);
}

TEST_CASE("a node of another generation, or of no file, is not found") {
  Made made;
  made.make({"-t", "ext4"});
  made.ask("sif /etc/hostname generation 77");
  made.open();
  auto node = made.node("/etc/hostname");
  CHECK(node.generation == 0);
  node.generation = 77;
  CHECK(made.files->stat(node).size_bytes == 4);
  node.generation = 78;
  CHECK(kind_of([&] { made.files->stat(node); }) == ErrorKind::not_found);
  for (const Node none : {Node{0, 0, 0}, Node{0, 10000, 0}, Node{0, ~0ull, 0}, Node{1, 2, 0}})
    CHECK(kind_of([&] { made.files->stat(none); }) == ErrorKind::not_found);
}

TEST_CASE("attributes lie in the inode, in a block, and in inodes of their own") {
  Made made;
  made.make({"-t", "ext4", "-b", "4096", "-O", "ea_inode"});
  const std::string large = long_text(3000), huge = long_text(4096);  // debugfs takes one block at most
  made.folder.write("large", large);
  made.folder.write("huge", huge);
  made.ask("ea_set /etc/hostname user.mime_type text/plain");
  made.ask("ea_set /etc/hostname trusted.empty \"\"");
  made.ask(fmt::format("ea_set -f {} /etc/hostname user.large", (made.folder / "large").string()));
  made.ask(fmt::format("ea_set -f {} /etc/hostname security.huge", (made.folder / "huge").string()));
  made.open();
  const auto told = made.files->attributes(made.node("/etc/hostname"));
  const std::vector<Attribute> expected = {
      {"security.huge", huge}, {"trusted.empty", ""}, {"user.large", large}, {"user.mime_type", "text/plain"}};
  CHECK((told == expected));
  CHECK(made.files->attributes(made.node("/etc/empty")).empty());
}

TEST_CASE("an ACL is told in the form that getxattr(2) gives") {
  using namespace std::string_literals;
  const auto entry = [](char tag, char bits, const std::string& id) { return ""s + tag + "\0"s + bits + "\0"s + id; };
  const std::string nobody = "\xff\xff\xff\xff"s, someone = "\x70\x11\x01\x00"s;
  const std::string acl = "\x02\0\0\0"s + entry(1, 6, nobody) + entry(2, 4, someone) + entry(4, 4, nobody) +
                          entry(8, 6, someone) + entry(16, 6, nobody) + entry(32, 0, nobody);
  Made made;
  made.make({"-t", "ext4"});
  made.folder.write("acl", acl);
  made.ask(fmt::format("ea_set -f {} /etc system.posix_acl_access", (made.folder / "acl").string()));
  made.open();
  const std::vector<Attribute> expected = {{"system.posix_acl_access", acl}};
  CHECK((made.files->attributes(made.node("/etc")) == expected));
}

TEST_CASE("what lies in an inode is read from there, and is told to lie there") {
  Made made;
  made.folder.write("tree/small", long_text(100));
  made.make({"-t", "ext4", "-O", "inline_data", "-I", "256"});
  made.open();
  const auto file = made.node("/small");
  CHECK(read_all(*made.files, "/small") == long_text(100));
  const auto pieces = extents(*made.files, file);
  REQUIRE(pieces.size() == 1);
  CHECK(pieces[0].stored == Stored::inside);
  CHECK(made.files->attributes(file).empty());
  CHECK(made.files->stat(file).allocated_bytes == 512);
  const auto inode = made.ask("imap /small");  // "... located at block N, offset 0x..."
  unsigned long long block = 0, offset = 0;
  REQUIRE(std::sscanf(inode.substr(inode.find("located")).c_str(), "located at block %llu, offset 0x%llx", &block,
                      &offset) == 2);
  CHECK(pieces[0].device_offset == block * 1024 + offset);
  CHECK(listing(*made.files, "/etc").size() == 5);
  CHECK_FALSE(made.files->info("/etc/none").has_value());
}

TEST_CASE("a file of several pieces ends each where the limit or the piece ends") {
  Made made;
  made.make({"-t", "ext4", "-b", "1024"});
  made.open();
  const auto file = made.node("/boot/vmlinuz");
  const auto first = made.files->extent_at(file, 5000, 100);
  CHECK(first->offset == 5000);
  CHECK(first->length == 100);
  const auto block = std::stoull(made.ask("bmap /boot/vmlinuz 4"));
  CHECK(first->device_offset == block * 1024 + 5000 % 1024);
  CHECK_FALSE(made.files->extent_at(file, 3'000'000, 1).has_value());
  CHECK(made.files->extent_at(file, 2'999'999, ~0ull)->length == 1);
}

TEST_CASE("pointers of three levels are followed, and what they leave out costs nothing") {
  Made made;
  std::filesystem::create_directories(made.folder / "tree");
  std::ofstream(made.folder / "tree/sparse").seekp(70'000'000) << "end";
  made.make({"-t", "ext2", "-b", "1024"});
  REQUIRE(made.ask("stat /sparse").find("(TIND)") != std::string::npos);
  made.open();
  const auto file = made.node("/sparse");
  std::array<std::byte, 8> end{};
  CHECK(made.files->read(file, 69'999'998, end) == 5);
  CHECK(std::string_view(reinterpret_cast<const char*>(end.data()), 5) == std::string_view("\0\0end", 5));
  const auto pieces = extents(*made.files, file);
  CHECK(pieces.size() < 20);
  CHECK(pieces.back().stored == Stored::plain);
  const auto block = std::stoull(made.ask(fmt::format("bmap /sparse {}", 70'000'000 / 1024)));
  CHECK(pieces.back().device_offset == block * 1024);
}

TEST_CASE("a folder whose size is that of a hole of terabytes lists what it has") {
  for (const auto* layout : {"large_dir", "large_dir,^extent,^64bit"}) {
    Made made;
    made.make({"-t", "ext4", "-b", "1024", "-O", layout});
    made.ask("sif /usr/lib/many size 0x3ffffffffff");
    made.open();
    CHECK(listing(*made.files, "/usr/lib/many").size() == 300);
    CHECK_FALSE(made.files->info("/usr/lib/many/none").has_value());
  }
}

TEST_CASE("a folder whose blocks lead in circles is corrupt, and what it has is given before") {
  Made made;
  made.make({"-t", "ext2", "-b", "1024"});
  const auto block = std::stoull(made.ask("bmap /etc 0"));
  const auto circle = std::stoull(made.ask("bmap /boot/vmlinuz 2000"));
  // A block of pointers, each of which leads to the block itself.
  std::fstream image(made.image(), std::ios::in | std::ios::out | std::ios::binary);
  image.seekp(std::streamoff(circle * 1024));
  for (int i = 0; i < 256; ++i)
    for (int byte = 0; byte < 4; ++byte) image.put(char(circle >> 8 * byte & 0xff));
  image.close();
  made.ask(fmt::format("sif /etc block[TIND] {}", circle));
  made.ask("sif /etc size 0xffffffff");
  made.open();
  std::set<std::string> names;
  const auto visit_all = [&] {
    made.files->visit(made.node("/etc"), [&](const DirectoryEntry& entry) { return names.emplace(entry.name).second; });
  };
  CHECK(kind_of(visit_all) == ErrorKind::corrupt);
  CHECK(names.size() == 5);
  CHECK(block != circle);
}

TEST_CASE("a block of a folder that holds none does not hide the others") {
  Made made;
  made.make({"-t", "ext4", "-b", "1024"});
  made.ask("zap_block -f /usr/lib/many -p 255 3");
  made.open();
  std::size_t given = 0;
  const auto count = [&](const DirectoryEntry&) { return ++given != 0; };
  CHECK(kind_of([&] { made.files->visit(made.node("/usr/lib/many"), count); }) == ErrorKind::corrupt);
  CHECK(given > 250);
  CHECK(given < 300);
  CHECK_NOTHROW(made.files->visit(made.node("/usr/lib/many"), [](const DirectoryEntry&) { return false; }));
}

TEST_CASE("the target of a link ends at its first zero, as Linux ends it") {
  Made made;
  made.make({"-t", "ext4"});
  made.ask("zap_block -f /etc/long-link -o 30 -l 2 -p 0 0");
  made.open();
  CHECK(made.files->read_link("/etc/long-link") == std::string(30, '.'));
}

TEST_CASE("what is encrypted is listed, and its contents are not supported") {
  Made made;
  made.make({"-t", "ext4", "-O", "encrypt"});
  made.ask("sif /etc/hostname flags 0x80800");
  made.ask("sif /etc/os-release flags 0x800");
  made.open();
  const auto file = made.node("/etc/hostname");
  CHECK(made.files->stat(file).size_bytes == 4);
  CHECK(kind_of([&] { read_all(*made.files, "/etc/hostname"); }) == ErrorKind::unsupported);
  CHECK(kind_of([&] { made.files->read_link("/etc/os-release"); }) == ErrorKind::unsupported);
  const auto extent = made.files->extent_at(file, 0, ~0ull);
  CHECK(extent->stored == Stored::packed);
  CHECK(extent->stored_bytes > 0);
}

TEST_CASE("in a folder that folds case a name is found as it is written") {
  Made made;
  made.make({"-t", "ext4", "-b", "1024", "-O", "casefold"});
  sys::make_process_runner()->run({{"e2fsck", "-f", "-y", "-D", made.image()}, {}, {}}, std::chrono::minutes(1));
  made.ask("sif /usr/lib/many flags 0x40081000");
  made.open();
  CHECK(made.files->info("/usr/lib/many/file-with-a-rather-long-name-7").has_value());
  CHECK(listing(*made.files, "/usr/lib/many").size() == 300);
}

TEST_CASE("names are hashed as debugfs hashes them") {
  Made made;
  made.make({"-t", "ext4"});
  constexpr std::array<std::uint32_t, 4> usual{}, seed = {0x04030201, 0x08070605, 0x0c0b0a09, 0x100f0e0d};
  const std::array<std::pair<const char*, std::uint8_t>, 3> versions{
      {{"legacy", ext::hash_legacy}, {"half_md4", ext::hash_half_md4}, {"tea", ext::hash_tea}}};
  for (const auto& [version, number] : versions)
    for (const std::string name :
         {"a", "four", "größe", "sixteen-letters!", "a-name-of-more-than-thirty-two-letters-é"})
      for (const bool is_seeded : {false, true}) {
        CAPTURE(version, name, is_seeded);
        const auto* option = is_seeded ? "-s 01020304-0506-0708-090a-0b0c0d0e0f10 " : "";
        const auto told = made.ask(fmt::format("dx_hash -h {} {}{}", version, option, name));
        const auto hash = std::stoul(told.substr(told.find(" is ") + 4), nullptr, 16);
        CHECK(ext::name_hash(name, number, is_seeded ? seed : usual) == (hash & ~1u));
      }
  CHECK_FALSE(ext::name_hash("a", 6, usual).has_value());
}

TEST_CASE("a name among thousands is found by each kind of hash, and few blocks are read for it") {
  constexpr int names = 6000;
  Made made;
  std::filesystem::create_directories(made.folder / "tree/many");
  for (int i = 0; i < names; ++i) std::ofstream(made.folder / "tree/many" / many_name(i));
  output_of({"mke2fs", "-F", "-q", "-t", "ext4", "-b", "1024", "-d", made.folder / "tree", made.image(), "64M"});
  for (const auto* hash : {"legacy", "half_md4", "tea"})
    for (const auto* flags : {"1", "2"}) {  // signed and unsigned characters
      CAPTURE(hash, flags);
      output_of({"tune2fs", "-E", fmt::format("hash_alg={}", hash), made.image()});
      made.ask(fmt::format("ssv flags {}", flags));
      sys::make_process_runner()->run({{"e2fsck", "-f", "-y", "-D", made.image()}, {}, {}}, std::chrono::minutes(1));
      made.open();
      const auto folder = made.node("/many");
      for (int i = 0; i < names; i += 7) REQUIRE(made.files->find(folder, many_name(i)).has_value());
      block::ReadCache counted(*made.device);
      const auto files = open_ext(counted);
      CHECK(files->find(folder, many_name(names - 1)).has_value());
      CHECK_FALSE(files->find(folder, "no such name").has_value());
      CHECK(counted.count().bytes < 300 * base::KiB);  // of a folder of 200 KiB, and an inode's neighbours
    }
  std::size_t visited = 0;
  made.files->visit(made.node("/many"), [&](const DirectoryEntry&) { return ++visited != 0; });
  CHECK(visited == names);
}

TEST_CASE("opening a filesystem reads its superblock, and none of its tables") {
  Made made;
  made.make({"-t", "ext4"}, "20G");
  made.device = block::open_device(made.image());
  block::ReadCache counted(*made.device);
  const auto files = open_ext(counted);
  CHECK(counted.count().bytes <= 64 * base::KiB);
  CHECK(files->info("/etc/hostname").has_value());
  CHECK(counted.count().bytes <= 512 * base::KiB);
}

}  // namespace hrvm::fs::test
