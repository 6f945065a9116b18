// NTFS by node: what libntfs-3g wrote is the oracle.
#include <set>

#include "hrvm/base/byte_size.hpp"
#include "unit/fs/ntfs/ntfs_image.hpp"

namespace hrvm::fs::test {
namespace {

using base::ErrorKind;

constexpr std::uint64_t ticks_from_1601_to_1970 = 116'444'736'000'000'000;

Node node_of(FileSystem& files, std::string_view path) {
  const auto node = find(files, path);
  REQUIRE(node.has_value());
  return *node;
}

std::string read_node(FileSystem& files, Node node, std::uint64_t offset, std::size_t length) {
  std::string text(length, '\0');
  text.resize(files.read(node, offset, std::as_writable_bytes(std::span(text))));
  return text;
}

std::string bytes_at(block::BlockDevice& device, std::uint64_t offset, std::uint64_t length) {
  std::string text(std::size_t(length), '\0');
  device.read(offset, std::as_writable_bytes(std::span(text)));
  return text;
}

std::vector<FileExtent> extents_of(FileSystem& files, Node node, std::uint64_t limit = 1 << 30) {
  std::vector<FileExtent> extents;
  std::uint64_t offset = 0;
  while (const auto extent = files.extent_at(node, offset, limit)) {
    REQUIRE(extent->offset == offset);
    REQUIRE(extent->length > 0);
    REQUIRE(extent->length <= limit);
    extents.push_back(*extent);
    offset += extent->length;
  }
  CHECK(offset == files.stat(node).size_bytes);
  return extents;
}

std::set<Stored> kinds_of(const std::vector<FileExtent>& extents) {
  std::set<Stored> kinds;
  for (const auto& extent : extents) kinds.insert(extent.stored);
  return kinds;
}

// What the device holds where the extents say so, and zeros; of what is packed, what is read.
std::string assembled(Made& made, Node node, const std::vector<FileExtent>& extents) {
  std::string text;
  for (const auto& extent : extents)
    if (extent.stored == Stored::zeros) {
      text.append(std::size_t(extent.length), '\0');
    } else if (extent.stored == Stored::plain) {
      text += bytes_at(*made.device, extent.device_offset, extent.length);
    } else {
      text += read_node(*made.files, node, extent.offset, std::size_t(extent.length));
    }
  return text;
}

}  // namespace

TEST_CASE("a file of NTFS is known by its record and its sequence, in find, in visit and in stat") {
  Made made;
  make_ntfs(made.image(), 4 * base::MiB);
  std::uint64_t record = 0;
  {
    NtfsWriter writer(made.image());
    writer.file("gone", "x");
    record = writer.record_of("gone");
    writer.remove("gone");
  }
  {
    NtfsWriter writer(made.image());
    writer.file("file", "y");
    writer.folder("folder");
    CHECK(writer.record_of("file") == record);
  }
  auto& files = made.open();
  CHECK(files.root().id == 5);
  CHECK(files.root() == files.stat(files.root()).node);
  const Node node = node_of(files, "/file");
  CHECK(node.id == record);
  CHECK(node.generation == 2);
  CHECK(files.stat(node).node == node);
  std::map<std::string, Node> visited;
  files.visit(files.root(), [&](const DirectoryEntry& entry) {
    CHECK(entry.kind == files.stat(entry.node).kind);
    return visited.emplace(entry.name, entry.node).second;
  });
  CHECK(visited == std::map<std::string, Node>{{"file", node}, {"folder", node_of(files, "/folder")}});

  std::byte byte{};
  for (const Node stale :
       {Node{0, record, 1}, Node{0, record + 10, 1}, Node{0, 1 << 20, 1}, Node{0, ~0ull, 1}, Node{1, record, 2}}) {
    CAPTURE(stale.tree, stale.id, stale.generation);
    CHECK(kind_of([&] { files.stat(stale); }) == ErrorKind::not_found);
    CHECK(kind_of([&] { files.read(stale, 0, {&byte, 1}); }) == ErrorKind::not_found);
    CHECK(kind_of([&] { files.extent_at(stale, 0, 1); }) == ErrorKind::not_found);
    CHECK(kind_of([&] { files.streams(stale); }) == ErrorKind::not_found);
    CHECK(kind_of([&] { files.visit(stale, [](const auto&) { return true; }); }) == ErrorKind::not_found);
    CHECK(kind_of([&] { files.find(stale, "x"); }) == ErrorKind::not_found);
  }
  CHECK(kind_of([&] { files.visit(node, [](const auto&) { return true; }); }) == ErrorKind::not_found);
  CHECK(kind_of([&] { files.find(node, "x"); }) == ErrorKind::not_found);
  CHECK(kind_of([&] { files.read(files.root(), 0, {&byte, 1}); }) == ErrorKind::not_found);
  CHECK(kind_of([&] { files.extent_at(files.root(), 0, 1); }) == ErrorKind::not_found);
  CHECK(kind_of([&] { files.read_link(node); }) == ErrorKind::not_found);
}

TEST_CASE("a folder of NTFS is visited whatever its size, each entry once, until the visitor has enough") {
  constexpr int count = 70'000;
  Made made;
  make_ntfs(made.image(), 160 * base::MiB);
  {
    NtfsWriter writer(made.image());
    writer.folder("many");
    writer.many("many", count);
  }
  auto& files = made.open();
  const Node folder = node_of(files, "/many");
  std::set<std::string> names;
  std::set<Node> nodes;
  files.visit(folder, [&](const DirectoryEntry& entry) {
    nodes.insert(entry.node);
    return names.insert(std::string(entry.name)).second;
  });
  CHECK(names.size() == count);
  CHECK(nodes.size() == count);
  CHECK(names.count("file number 69999") == 1);
  int seen = 0;
  files.visit(folder, [&](const DirectoryEntry&) { return ++seen < 1000; });
  CHECK(seen == 1000);

  CountingDevice counting(*made.device);
  const auto counted = open_ntfs(counting);
  const Node again = node_of(*counted, "/many");
  const auto before = counting.bytes;
  CHECK(counted->find(again, "FILE NUMBER 34567") == files.find(folder, "file number 34567"));
  CHECK(counting.bytes - before < base::MiB);  // of 10 MiB
  CHECK_FALSE(counted->find(again, "file number 70000").has_value());
}

TEST_CASE("a visitor of a folder of NTFS may read other files, and throw") {
  Made made;
  make_ntfs(made.image(), 8 * base::MiB);
  {
    NtfsWriter writer(made.image());
    writer.folder("many");
    for (int i = 0; i < 40; ++i) {
      writer.folder(fmt::format("many/{}", i));
      writer.file(fmt::format("many/{}/inner", i), std::to_string(i));
    }
  }
  auto& files = made.open();
  int read = 0;
  files.visit(node_of(files, "/many"), [&](const DirectoryEntry& entry) {
    files.visit(entry.node, [&](const DirectoryEntry& inner) {
      CHECK(read_node(files, inner.node, 0, 100) == entry.name);
      return ++read > 0;
    });
    return true;
  });
  CHECK(read == 40);
  CHECK_THROWS_AS(files.visit(files.root(), [](const DirectoryEntry&) -> bool { throw 5; }), int);
  CHECK(listing(files, "/many").size() == 40);
}

TEST_CASE("of names on NTFS that differ in case alone the one that is asked for is found") {
  Made made;
  make_ntfs(made.image(), 4 * base::MiB);
  {
    NtfsWriter writer(made.image());
    for (const std::string name : {"Readme", "README", "readme"}) writer.file(name, name);
  }
  auto& files = made.open();
  for (const std::string name : {"/Readme", "/README", "/readme"}) CHECK("/" + read_all(files, name) == name);
  CHECK(files.find(files.root(), "rEADME").has_value());
  for (const std::string name : {".", "..", "", "a/b"}) CHECK_FALSE(files.find(files.root(), name).has_value());
}

TEST_CASE("stat tells of NTFS times to 100 ns, permissions, links without names for DOS, and what is allocated") {
  Made made;
  make_ntfs(made.image(), 24 * base::MiB, {"-c", "4096"});
  {
    NtfsWriter writer(made.image());
    writer.folder("folder");
    writer.file("a file with a long name", long_text(10'000));
    writer.file("small", "resident");
    writer.file("sparse", "end", 9'000'000);
    writer.set_attributes("small", 1);
    writer.set_attributes("folder", 1);
    writer.set_times("sparse", ticks_from_1601_to_1970 + 12'345'678'901'234'567, ticks_from_1601_to_1970 - 1, 0);
    writer.folder("many");
    writer.many("many", 500);
  }
  NtfsWriter(made.image()).dos_name("a file with a long name", "AFILE~1");
  NtfsWriter(made.image()).link("a file with a long name", "second");
  auto& files = made.open();
  const Stat file = files.stat(node_of(files, "/a file with a long name"));
  CHECK(file.kind == FileKind::regular);
  CHECK(file.mode == 0644);
  CHECK(file.uid == 0);
  CHECK(file.links == 2);
  CHECK(file.size_bytes == 10'000);
  CHECK(file.allocated_bytes == 12'288);
  CHECK(node_of(files, "/AFILE~1") == file.node);
  CHECK(node_of(files, "/second") == file.node);
  CHECK(listing(files, "/").count("AFILE~1") == 0);
  CHECK(listing(files, "/").size() == 6);

  const Stat small = files.stat(node_of(files, "/small"));
  CHECK(small.mode == 0444);
  CHECK(small.links == 1);
  CHECK(small.allocated_bytes == 0);

  const Stat sparse = files.stat(node_of(files, "/sparse"));
  CHECK(sparse.size_bytes == 9'000'003);
  CHECK(sparse.allocated_bytes < 1'000'000);
  CHECK(sparse.times.created == Time{1'234'567'890, 123'456'700});
  CHECK(sparse.times.modified == Time{-1, 999'999'900});
  CHECK(sparse.times.accessed == Time{-11'644'473'600, 0});
  CHECK(sparse.times.changed->seconds > 1'700'000'000);

  const Stat folder = files.stat(node_of(files, "/folder"));
  CHECK(folder.kind == FileKind::directory);
  CHECK(folder.mode == 0755);
  CHECK(folder.allocated_bytes == 0);
  CHECK(files.stat(node_of(files, "/many")).allocated_bytes >= 32'768);
}

TEST_CASE("the streams of a file of NTFS are named with their sizes, and read from any offset") {
  const auto text = long_text(1'500'000);
  Made made;
  make_ntfs(made.image(), 16 * base::MiB);
  {
    NtfsWriter writer(made.image());
    writer.file("download.exe", "own");
    writer.stream("download.exe", "Zone.Identifier", "[ZoneTransfer]\r\nZoneId=3\r\n");
    writer.stream("download.exe", "big", text);
    writer.folder("folder");
    writer.stream("folder", "of a folder", "x");
    writer.file("many", "own");
    for (int i = 0; i < 300; ++i) writer.stream("many", fmt::format("stream {:03}", i), fmt::format("stream {:03}", i));
  }
  auto& files = made.open();
  const Node node = node_of(files, "/download.exe");
  const auto streams = files.streams(node);
  REQUIRE(streams.size() == 2);
  CHECK(streams[0].name == "Zone.Identifier");
  CHECK(streams[0].size_bytes == 26);
  CHECK(streams[1].name == "big");
  CHECK(streams[1].size_bytes == text.size());
  const auto read = [&](std::string_view name, std::uint64_t offset, std::size_t length) {
    std::string bytes(length, '\0');
    bytes.resize(files.read_stream(node, name, offset, std::as_writable_bytes(std::span(bytes))));
    return bytes;
  };
  CHECK(read("Zone.Identifier", 16, 100) == "ZoneId=3\r\n");
  CHECK((read("big", 700'000, 500'000) == text.substr(700'000, 500'000)));
  CHECK(read("big", text.size(), 1).empty());
  CHECK(kind_of([&] { read("none", 0, 1); }) == ErrorKind::not_found);
  CHECK(kind_of([&] { read("", 0, 1); }) == ErrorKind::not_found);
  CHECK(read_all(files, "/download.exe") == "own");
  CHECK(files.streams(node_of(files, "/folder")).size() == 1);
  CHECK(files.streams(files.root()).empty());

  const Node many = node_of(files, "/many");
  const auto all = files.streams(many);
  REQUIRE(all.size() == 300);
  std::string bytes(10, '\0');
  for (const auto& [name, size] : all) {
    CHECK(files.read_stream(many, name, 0, std::as_writable_bytes(std::span(bytes))) == 10);
    CHECK(bytes == name);
  }
}

TEST_CASE("the extents of a file of NTFS lead to its bytes on the device") {
  const auto text = long_text(300'000);
  Made made;
  make_ntfs(made.image(), 24 * base::MiB, {"-c", "4096"});
  {
    NtfsWriter writer(made.image());
    writer.file("plain", text);
    writer.file("small", "resident");
    writer.file("empty", "");
    writer.file("sparse", "end", 9'000'000);
    writer.file("grown", text);
    writer.grow("grown", 1'000'000);
  }
  auto& files = made.open();
  const std::map<std::string, std::set<Stored>> expected = {{"/plain", {Stored::plain}},
                                                            {"/small", {Stored::inside}},
                                                            {"/empty", {}},
                                                            {"/sparse", {Stored::zeros, Stored::plain}},
                                                            {"/grown", {Stored::zeros, Stored::plain}}};
  for (const auto& [path, kinds] : expected)
    for (const std::uint64_t limit : {1ull << 30, 1000ull, 4096ull, 70'000ull}) {
      CAPTURE(path, limit);
      const Node node = node_of(files, path);
      const auto extents = extents_of(files, node, limit);
      CHECK(kinds_of(extents) == kinds);
      CHECK((assembled(made, node, extents) == read_all(files, path)));
    }
  CHECK((read_all(files, "/grown") == text + std::string(700'000, '\0')));
  const auto inside = extents_of(files, node_of(files, "/small")).at(0);
  const auto record = bytes_at(*made.device, inside.device_offset, 1024);
  CHECK(record.starts_with("FILE"));
  CHECK(record.find("resident") != std::string::npos);
}

TEST_CASE("a compressed file of NTFS is packed by units, those of zeros are holes, and what does not pack is plain") {
  constexpr std::size_t unit = 16 * 4096;
  std::string noise(unit, '\0');
  for (std::uint32_t state = 1; auto& c : noise) c = char((state = state * 1664525 + 1013904223) >> 24);
  const auto text = long_text(unit) + noise + std::string(unit, '\0') + long_text(unit / 2);
  Made made;
  make_ntfs(made.image(), 16 * base::MiB, {"-c", "4096"});
  {
    NtfsWriter writer(made.image());
    writer.folder("packed", true);
    writer.file("packed/file", text);
  }
  auto& files = made.open();
  const Node node = node_of(files, "/packed/file");
  CHECK((read_all(files, "/packed/file") == text));
  const auto extents = extents_of(files, node);
  CHECK((assembled(made, node, extents) == text));
  std::map<std::uint64_t, Stored> by_unit;
  for (const auto& extent : extents) by_unit.emplace(extent.offset / unit, extent.stored);
  CHECK(by_unit == std::map<std::uint64_t, Stored>{
                       {0, Stored::packed}, {1, Stored::plain}, {2, Stored::zeros}, {3, Stored::packed}});
  CHECK(extents[0].length == unit);
  CHECK(extents[0].stored_bytes > 0);
  CHECK(extents[0].stored_bytes < unit);
  CHECK(extents[0].stored_bytes % 4096 == 0);
  // A sub-block of LZNT1 begins with its length, less 3, and the signature 3 with the bit for "compressed".
  CHECK((std::uint8_t(bytes_at(*made.device, extents[0].device_offset, 2)[1]) & 0xf0) == 0xb0);
  const auto within = files.extent_at(node, 1000, 500);
  REQUIRE(within.has_value());
  CHECK(within->offset == 1000);
  CHECK(within->length == 500);
  CHECK(within->device_offset == extents[0].device_offset);
  CHECK(within->stored_bytes == extents[0].stored_bytes);
}

TEST_CASE("an encrypted file of NTFS cannot be read, and is packed where it lies") {
  const auto text = long_text(100'000);
  Made made;
  make_ntfs(made.image(), 16 * base::MiB, {"-c", "4096"});
  {
    NtfsWriter writer(made.image());
    writer.file("secret", text);
    writer.call_encrypted("secret");
  }
  auto& files = made.open();
  const Node node = node_of(files, "/secret");
  std::byte byte{};
  CHECK(kind_of([&] { files.read(node, 0, {&byte, 1}); }) == ErrorKind::unsupported);
  const auto extent = files.extent_at(node, 1000, 2000);
  REQUIRE(extent.has_value());
  CHECK(extent->stored == Stored::packed);
  CHECK(extent->length == 2000);
  CHECK(extent->stored_bytes == 2560);  // bytes 512 to 3072
  CHECK(bytes_at(*made.device, extent->device_offset, 2560) == text.substr(512, 2560));
}

TEST_CASE("a file of NTFS stays open from one read to the next, also where others are read between") {
  Made made;
  make_ntfs(made.image(), 24 * base::MiB);
  {
    NtfsWriter writer(made.image());
    for (int i = 0; i < 8; ++i) writer.file(fmt::format("file {}", i), long_text(base::MiB));
  }
  made.open();
  CountingDevice counting(*made.device);
  const auto files = open_ntfs(counting);
  std::vector<Node> nodes;
  for (int i = 0; i < 8; ++i) nodes.push_back(node_of(*files, fmt::format("/file {}", i)));
  for (const Node node : nodes) read_node(*files, node, 0, base::MiB);
  for (const Node node : nodes) {  // nothing of what lies on the disk is in the reader's cache any more
    read_node(*files, nodes[0], 0, base::MiB);
    read_node(*files, nodes[1], 0, base::MiB);
    const auto before = counting.bytes;
    read_node(*files, node, 0, base::MiB);
    CHECK(counting.bytes - before <= base::MiB + 32 * base::KiB);
    CHECK(files->stat(node).size_bytes == base::MiB);
  }
}

}  // namespace hrvm::fs::test
