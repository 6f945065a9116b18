#include "hrvm/base/byte_size.hpp"
#include "unit/fs/ntfs/ntfs_image.hpp"

namespace hrvm::fs::test {
namespace {

using base::ErrorKind;

// Where $LogFile lies on an image that mkntfs has just made: its first page is all ones.
std::uint64_t log_offset(const Path& image) {
  const auto bytes = sys::read_file(image, 64 * base::MiB);
  return bytes.find(std::string(4096, '\xff'));
}

// A restart page of the log as ntfs.sys writes it, without what comes behind its client.
std::string restart_page(unsigned major, unsigned flags, std::uint64_t log_bytes) {
  unsigned bits = 0;
  for (auto size = log_bytes; size; size >>= 1) ++bits;
  std::string client =
      le(0, 8) + le(0, 8) + le(0xffff, 2) + le(0xffff, 2) + le(0, 2) + std::string(6, '\0') + le(8, 4) + utf16("NTFS");
  client.resize(160);
  auto area = le(1, 8) + le(1, 2) + le(0xffff, 2) + le(0, 2) + le(flags, 2) + le(67 - bits, 4) + le(64 + 160, 2) +
              le(64, 2) + le(log_bytes, 8) + le(0, 4) + le(48, 2) + le(64, 2) + le(0, 4);
  area.resize(64);
  auto page = "RSTR" + le(0x1e, 2) + le(9, 2) + le(0, 8) + le(4096, 4) + le(4096, 4) + le(0x30, 2) +
              le(major == 1 ? 1 : 0, 2) + le(major, 2) + le(1, 2);
  page.resize(0x30);
  page += area + client;
  page.resize(4096);
  for (std::size_t sector = 1; sector <= 8; ++sector) page.replace(sector * 512 - 2, 2, le(1, 2));
  return page;
}

}  // namespace

TEST_CASE("what libntfs-3g wrote into NTFS is read, whatever the size of its sectors and clusters") {
  const auto text = long_text(3'000'000);
  for (const auto& options : std::vector<std::vector<std::string>>{
           {}, {"-s", "4096"}, {"-c", "512"}, {"-c", "65536"}, {"-s", "1024", "-c", "2048"}}) {
    CAPTURE(options);
    Made made;
    make_ntfs(made.image(), 24 * base::MiB, options);
    {
      NtfsWriter writer(made.image());
      writer.folder("Windows");
      writer.folder("Windows/System32");
      writer.file("Windows/System32/ntoskrnl.exe", text);
      writer.file("Windows/small", "resident");
      writer.file("Windows/empty", "");
      writer.file("sparse", "end", 9'000'000);
      writer.folder("many");
      for (int i = 0; i < 400; ++i) writer.file(fmt::format("many/entry number {}", i), std::to_string(i));
    }
    auto& files = made.open();
    CHECK(files.type() == "ntfs");
    CHECK_FALSE(files.needs_recovery());
    CHECK(listing(files, "/") == std::map<std::string, FileKind>{{"Windows", FileKind::directory},
                                                                 {"many", FileKind::directory},
                                                                 {"sparse", FileKind::regular}});
    CHECK(listing(files, "/many").size() == 400);
    CHECK(read_all(files, "/many/entry number 377") == "377");
    CHECK(read_all(files, "/Windows/small") == "resident");
    CHECK(read_all(files, "/Windows/empty").empty());
    CHECK((read_all(files, "/Windows/System32/ntoskrnl.exe") == text));
    CHECK((files.read("/Windows/System32/ntoskrnl.exe", 1'234'567, 100'000) == text.substr(1'234'567, 100'000)));
    CHECK(files.read("/Windows/small", 8, 10).empty());
    CHECK(files.info("/sparse")->size_bytes == 9'000'003);
    CHECK(files.read("/sparse", 8'999'990, 100) == std::string(10, '\0') + "end");
    CHECK(files.info("/Windows")->kind == FileKind::directory);
    CHECK(files.info("/Windows/small")->modified > 1'700'000'000);
  }
}

TEST_CASE("names on NTFS are shown as they were given, and found in any case") {
  Made made;
  make_ntfs(made.image(), 4 * base::MiB);
  {
    NtfsWriter writer(made.image());
    writer.folder("Größe-日本");
    writer.file("Größe-日本/Ünïcode.TXT", "u");
    writer.file("Größe-日本/" + std::string(255, 'x'), "long");
  }
  auto& files = made.open();
  CHECK(listing(files, "/").count("Größe-日本") == 1);
  CHECK(read_all(files, "/gRÖßE-日本/ünÏCODE.txt") == "u");
}

TEST_CASE("metafiles of NTFS are not listed") {
  Made made;
  make_ntfs(made.image(), 4 * base::MiB);
  CHECK(made.open().list("/").empty());
}

TEST_CASE("what is not on an NTFS is absent, and what is of another kind is not found in it") {
  Made made;
  make_ntfs(made.image(), 4 * base::MiB);
  {
    NtfsWriter writer(made.image());
    writer.file("file", "x");
    writer.folder("folder");
  }
  auto& files = made.open();
  CHECK_FALSE(files.info("/none").has_value());
  CHECK_FALSE(files.info("/file/none").has_value());
  CHECK_FALSE(files.info("/" + std::string(300, 'x')).has_value());
  CHECK_FALSE(files.info("/no\xff UTF-8").has_value());
  CHECK(kind_of([&] { files.list("/file"); }) == ErrorKind::not_found);
  CHECK(kind_of([&] { files.read("/folder", 0, 1); }) == ErrorKind::not_found);
  CHECK(kind_of([&] { files.read("/none", 0, 1); }) == ErrorKind::not_found);
  CHECK(kind_of([&] { files.read_link("/file"); }) == ErrorKind::not_found);
}

TEST_CASE("a file that NTFS compresses is read as it was written") {
  const auto text = long_text(1'500'000);
  Made made;
  make_ntfs(made.image(), 16 * base::MiB, {"-c", "4096"});
  {
    NtfsWriter writer(made.image());
    writer.folder("packed", true);
    writer.file("packed/text", text);
  }
  auto& files = made.open();
  CHECK(output_of({"ntfsinfo", "-F", "/packed/text", made.image()}).find("COMPRESSED") != std::string::npos);
  CHECK((read_all(files, "/packed/text") == text));
  CHECK((files.read("/packed/text", 700'000, 300'000) == text.substr(700'000, 300'000)));
}

TEST_CASE("links within the volume are symbolic links, those that lead elsewhere are not") {
  struct Case {
    std::string name, value;
    std::optional<std::string> target;
    bool is_folder = false;
  };
  const std::vector<Case> cases = {
      {"junction", link_point(mount_point_tag, R"(\??\C:\Users)"), "/Users", true},
      {"whole volume", link_point(mount_point_tag, R"(\??\D:\)"), "/", true},
      {"other volume", link_point(mount_point_tag, R"(\??\Volume{01234567-0000-0000-0000-000000000000}\)"), {}, true},
      {"relative", link_point(symlink_tag, R"(..\Public\x)", 1), "../Public/x"},
      {"absolute", link_point(symlink_tag, R"(\??\C:\ProgramData)", 0), "/ProgramData"},
      {"share", link_point(symlink_tag, R"(\??\UNC\server\share)", 0), {}},
      {"linux", le(0xa000001d, 4) + le(11, 2) + le(0, 2) + le(2, 4) + "/mnt/c/", "/mnt/c/"},
      {"socket", le(0x80000023, 4) + le(0, 4), {}},
  };
  Made made;
  make_ntfs(made.image(), 4 * base::MiB);
  {
    NtfsWriter writer(made.image());
    for (const auto& each : cases) writer.reparse(each.name, each.value, each.is_folder);
  }
  auto& files = made.open();
  const auto listed = listing(files, "/");
  for (const auto& each : cases) {
    CAPTURE(each.name);
    const auto kind = each.target ? FileKind::symlink : FileKind::other;
    CHECK(files.info("/" + each.name)->kind == kind);
    CHECK(listed.at(each.name) == kind);
    if (each.target) CHECK(files.read_link("/" + each.name) == *each.target);
    if (!each.target) CHECK(kind_of([&] { files.read_link("/" + each.name); }) == ErrorKind::not_found);
  }
}

TEST_CASE("what Windows keeps in a form of its own is listed, and named when it is read") {
  Made made;
  make_ntfs(made.image(), 4 * base::MiB);
  {
    NtfsWriter writer(made.image());
    writer.reparse("compact.exe", le(compact_tag, 4) + le(16, 4) + le(1, 4) + le(2, 4) + le(1, 4) + le(0, 4), false);
    writer.grow("compact.exe", 5000);
    writer.reparse("cloud.docx", le(0x9000301a, 4) + le(0, 4), false);
    writer.grow("cloud.docx", 5000);
    writer.reparse("OneDrive", le(0x9000101a, 4) + le(0, 4), true);
  }
  auto& files = made.open();
  CHECK(listing(files, "/") == std::map<std::string, FileKind>{{"compact.exe", FileKind::regular},
                                                               {"cloud.docx", FileKind::regular},
                                                               {"OneDrive", FileKind::directory}});
  const auto error = hrvm::test::error_of([&] { files.read("/compact.exe", 0, 1); });
  CHECK(error.kind() == ErrorKind::unsupported);
  CHECK(error.message().find("Compact OS") != std::string::npos);
  CHECK(kind_of([&] { files.read("/cloud.docx", 0, 1); }) == ErrorKind::unsupported);
}

TEST_CASE("a volume that is marked dirty, or whose log is open, needs recovery") {
  constexpr std::uint64_t log_bytes = 2 * base::MiB;
  Made made;
  make_ntfs(made.image(), 64 * base::MiB);
  const auto log = log_offset(made.image());
  CHECK_FALSE(made.open().needs_recovery());

  made.put(log, restart_page(1, 2, log_bytes) + restart_page(1, 2, log_bytes));
  CHECK_FALSE(made.open().needs_recovery());  // closed by Windows
  made.put(log, restart_page(1, 0, log_bytes) + restart_page(1, 0, log_bytes));
  CHECK(made.open().needs_recovery());
  made.put(log, restart_page(2, 2, log_bytes) + restart_page(2, 2, log_bytes));
  CHECK(made.open().needs_recovery());  // closed, with the rest in a memory image
  made.put(log, std::string(8192, 'x'));
  CHECK(made.open().needs_recovery());
  made.put(log, std::string(8192, '\xff'));
  CHECK_FALSE(made.open().needs_recovery());
  NtfsWriter(made.image()).mark_dirty();
  CHECK(made.open().needs_recovery());
}

TEST_CASE("a volume whose mirror of the file table does not match, or whose end is cut off, is still read") {
  Made made;
  make_ntfs(made.image(), 4 * base::MiB);
  NtfsWriter(made.image()).file("file", "here");
  const auto boot = sys::read_file(made.image(), 8 * base::MiB).substr(0, 512);
  const auto mirror = std::uint64_t(static_cast<unsigned char>(boot[0x38])) |
                      std::uint64_t(static_cast<unsigned char>(boot[0x39])) << 8;
  made.put(mirror * 4096 + 3 * 1024, std::string(1024, '\0'));
  CHECK(read_all(made.open(), "/file") == "here");
  std::filesystem::resize_file(made.image(), 4 * base::MiB - 8192);
  CHECK(read_all(made.open(), "/file") == "here");
}

TEST_CASE("what is no NTFS is corrupt, however short or long") {
  for (std::size_t bytes : {0, 1, 511, 512, 4096, 1 << 20}) {
    auto device = block::memory_device(std::vector<std::byte>(bytes), "zeros");
    CHECK(kind_of([&] { open_ntfs(*device); }) == ErrorKind::corrupt);
  }
}

TEST_CASE("a file on NTFS that is read a block at a time is looked up once") {
  Made made;
  make_ntfs(made.image(), 24 * base::MiB);
  {
    NtfsWriter writer(made.image());
    writer.folder("Windows");
    writer.file("Windows/hive", long_text(8 * base::MiB));
  }
  made.open();
  CountingDevice counting(*made.device);
  const auto files = open_ntfs(counting);
  CHECK(counting.reads <= 12);
  files->read("/Windows/hive", 0, 16384);
  const auto before = counting.bytes;
  for (std::uint64_t at = 0; at < 8 * base::MiB; at += 16384) files->read("/Windows/hive", at, 16384);
  CHECK(counting.bytes - before <= 9 * base::MiB);
}

}  // namespace hrvm::fs::test
