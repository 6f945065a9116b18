#include "hrvm/fs/tree_stream.hpp"

#include <catch2/catch.hpp>

#include <deque>
#include <filesystem>
#include <fstream>

#include "hrvm/fs/folder.hpp"
#include "hrvm/fs/tree_sinks.hpp"
#include "support/temporary_directory.hpp"

using namespace hrvm;

namespace {

struct Told : fs::TreeSink {
  std::vector<std::string> lines;
  void begin(const fs::StreamedFile& file) override { lines.push_back("begin " + file.path); }
  void data(std::uint64_t offset, std::string_view bytes) override {
    lines.push_back("data " + std::to_string(offset) + " " + std::string(bytes.substr(0, 8)));
  }
  void end(const fs::StreamedFile& file) override { lines.push_back("end " + file.path); }
  void failed(std::string_view path, std::string_view message) override {
    lines.push_back("failed " + std::string(path) + ": " + std::string(message));
  }
};

std::vector<std::string> parts_of(const std::filesystem::path& folder) {
  const auto files = fs::open_folder({folder});
  std::vector<std::string> parts;
  fs::send_tree(*files, files->root(), [&](std::string_view part) { parts.emplace_back(part); });
  return parts;
}

std::filesystem::path sample(const test::TemporaryDirectory& folder) {
  const auto top = folder / "top";
  std::filesystem::create_directories(top / "a/b");
  std::ofstream(top / "a/file") << "what is in it";
  std::ofstream(top / "empty");
  std::filesystem::create_symlink("../../elsewhere", top / "a/b/link");
  return top;
}

void take_all(fs::TreeSink& sink, const std::vector<std::string>& parts) {
  fs::TreeReceiver receiver(sink);
  for (const auto& part : parts) receiver.take(part);
}

// The same length, so that all that stands behind it stays where it is.
std::vector<std::string> renamed(std::vector<std::string> parts, std::string_view from, std::string_view to) {
  for (auto& part : parts)
    if (const auto at = part.find(from); at != part.npos && part.front() == 'B') part.replace(at, from.size(), to);
  return parts;
}

}  // namespace

TEST_CASE("a tree comes as it is, folders around what lies in them") {
  const test::TemporaryDirectory folder;
  Told told;
  take_all(told, parts_of(sample(folder)));
  const auto at = [&](const std::string& line) {
    const auto found = std::find(told.lines.begin(), told.lines.end(), line);
    REQUIRE(found != told.lines.end());
    return found;
  };
  CHECK(told.lines.front() == "begin ");
  CHECK(told.lines.back() == "end ");
  CHECK(at("begin a") < at("begin a/b"));
  CHECK(at("begin a/b/link") < at("end a/b"));
  CHECK(*std::next(at("begin a/file")) == "data 0 what is ");
  CHECK(*std::next(at("begin empty")) == "end empty");
}

TEST_CASE("names that lead elsewhere, and parts that stand where they cannot, are refused") {
  const test::TemporaryDirectory folder;
  const auto parts = parts_of(sample(folder));
  Told told;
  CHECK_THROWS_AS(take_all(told, renamed(parts, "a/b/link", "a/../../")), base::Error);
  CHECK_THROWS_AS(take_all(told, renamed(parts, "a/file", "../abc")), base::Error);
  CHECK_THROWS_AS(take_all(told, renamed(parts, "a/file", "/etc/x")), base::Error);
  CHECK_THROWS_AS(take_all(told, renamed(parts, "a/file", "b/file")), base::Error);
  CHECK_THROWS_AS(take_all(told, renamed(parts, "a/file", std::string_view("a/f\0le", 6))), base::Error);
  CHECK_THROWS_AS(take_all(told, {parts.begin() + 1, parts.end()}), base::Error);
  CHECK_THROWS_AS(take_all(told, {"E"}), base::Error);
  CHECK_THROWS_AS(take_all(told, {""}), base::Error);
  CHECK_THROWS_AS(take_all(told, {"D12345678x"}), base::Error);
  CHECK_THROWS_AS(take_all(told, {"B\xff\xff\xff\xff"}), base::Error);
}

TEST_CASE("no part that is cut off or changed does more than an error") {
  const test::TemporaryDirectory folder;
  const auto parts = parts_of(sample(folder));
  for (std::size_t i = 0; i < parts.size(); ++i)
    for (std::size_t at = 0; at < parts[i].size(); ++at) {
      auto broken = parts;
      broken[i].resize(at);
      auto changed = parts;
      changed[i][at] = char(~changed[i][at]);
      for (const auto& each : {broken, changed}) try {
          Told told;
          take_all(told, each);
        } catch (const base::Error& error) {
          CHECK(error.kind() == base::ErrorKind::corrupt);
        }
    }
}

TEST_CASE("nothing is made through a link, above the folder, or in place of what is there") {
  const test::TemporaryDirectory folder;
  const auto into = folder / "into", outside = folder / "outside";
  std::filesystem::create_directory(into);
  std::filesystem::create_directory(outside);
  std::filesystem::create_symlink(outside, into / "link");
  sys::NewTree tree(into);
  CHECK_THROWS_AS(tree.make_file("link/file"), base::Error);
  CHECK_THROWS_AS(tree.make_file("link"), base::Error);
  CHECK_THROWS_AS(tree.make_file("../file"), base::Error);
  CHECK_THROWS_AS(tree.make_folder("a/../../b"), base::Error);
  CHECK_THROWS_AS(tree.make_folder(".."), base::Error);
  tree.make_folder("folder");
  CHECK_THROWS_AS(tree.make_folder("folder"), base::Error);
  CHECK_THROWS_AS(tree.make_hard_link("folder/x", "link/y"), base::Error);
  CHECK_THROWS_AS(tree.finish_folder("link", {.mode = 0777}), base::Error);
  tree.make_link("folder/link", "/etc/passwd", std::nullopt, {});
  CHECK(std::filesystem::read_symlink(into / "folder/link") == "/etc/passwd");
  CHECK(std::filesystem::is_empty(outside));
  CHECK_FALSE(std::filesystem::exists(folder / "file"));
}

TEST_CASE("what cannot be made costs itself and what lies in it, and no file stays that is not whole") {
  const test::TemporaryDirectory folder;
  sys::NewTree tree(folder / ".");
  const auto file = [](const char* path, fs::FileKind kind) {
    fs::StreamedFile made;
    made.path = path;
    made.stat.kind = kind;
    made.stat.mode = 0755;
    return made;
  };
  std::vector<std::string> told;
  {
    fs::FolderSink sink(tree, "copy", {.owners = false}, [&](auto path, auto) { told.emplace_back(path); });
    const auto top = file("", fs::FileKind::directory), twice = file("twice", fs::FileKind::regular);
    const auto in_it = file("twice/in", fs::FileKind::regular), other = file("other", fs::FileKind::regular);
    sink.begin(top);
    sink.begin(twice);
    sink.end(twice);
    sink.begin(file("twice", fs::FileKind::directory));
    sink.begin(in_it);
    sink.end(in_it);
    sink.end(file("twice", fs::FileKind::directory));
    sink.begin(other);
    sink.data(0, "whole");
    sink.end(other);
    sink.begin(file("cut-off", fs::FileKind::regular));
    sink.data(0, "half");
    CHECK(sink.count().failed == 1);
  }
  CHECK(told == std::vector<std::string>{"twice"});
  CHECK(std::filesystem::is_regular_file(folder / "copy/twice"));
  CHECK(std::filesystem::exists(folder / "copy/other"));
  CHECK_FALSE(std::filesystem::exists(folder / "copy/cut-off"));
  CHECK_THROWS_AS(fs::FolderSink(tree, "copy", {}, {}).begin(file("", fs::FileKind::directory)), base::Error);
}

TEST_CASE("an archive has what ustar has no room for in records that count themselves") {
  fs::StreamedFile file;
  file.path = std::string(200, 'n');
  file.stat.kind = fs::FileKind::regular;
  file.stat.mode = 0644;
  file.stat.size_bytes = 3;
  file.stat.times.modified = {-2, 500'000'000};
  file.attributes = {{"user.x", "y"}};
  std::string archive;
  fs::TarSink sink([&](std::string_view bytes) { archive += bytes; }, {}, {});
  sink.begin(file);
  sink.data(1, "bc");
  sink.end(file);
  sink.finish();
  CHECK(archive.size() == (1 + 1 + 1 + 1 + 2) * 512);
  CHECK(archive.find("210 path=" + file.path + "\n") != archive.npos);
  CHECK(archive.find("22 mtime=-1.500000000\n") != archive.npos);
  CHECK(archive.find("25 SCHILY.xattr.user.x=y\n") != archive.npos);
  CHECK(archive.substr(3 * 512, 4) == std::string("\0bc\0", 4));
}
