#include "hrvm/fs/walk.hpp"

#include <set>

#include "hrvm/base/error.hpp"
#include "unit/fs/trees.hpp"

namespace hrvm::fs::test {
namespace {

using base::Error, base::ErrorKind;
using Lines = std::vector<std::string>;

struct NumberedFile {
  FileKind kind = FileKind::regular;
  std::vector<std::pair<std::string, Node>> entries{};  // of a folder
  std::uint64_t data = 0;                               // where they begin
  bool is_broken = false;
};

// Files by number.
class Numbered : public FileSystem {
 public:
  std::string_view type() const override { return "numbered"; }
  Node root() override { return {0, 1, 0}; }
  std::optional<Node> find(Node folder, std::string_view name) override {
    for (const auto& [each, node] : file(folder).entries)
      if (each == name) return node;
    return std::nullopt;
  }
  Stat stat(Node node) override {
    if (file(node).is_broken) throw Error(ErrorKind::corrupt, "broken");
    return {.node = node, .kind = file(node).kind};
  }
  void visit(Node folder, const EntryVisitor& visitor) override {
    ++visits;
    for (const auto& [name, node] : file(folder).entries)
      if (!visitor({name, node, file(node).kind})) return;
  }
  std::size_t read(Node, std::uint64_t, std::span<std::byte>) override { return 0; }
  std::string read_link(Node) override { return {}; }
  std::optional<FileExtent> extent_at(Node node, std::uint64_t offset, std::uint64_t) override {
    if (offset != 0) return FileExtent{offset, 1, Stored::plain, file(node).data};
    return FileExtent{0, 10, Stored::zeros};
  }

  // In the folder of this number.
  Numbered& add(std::uint64_t folder, const std::string& name, std::uint64_t number, NumberedFile what = {},
                std::uint64_t tree = 0) {
    files[number].kind = what.kind;
    files[number].data = what.data;
    files[number].is_broken = what.is_broken;
    return link(folder, name, number, tree);
  }
  Numbered& link(std::uint64_t folder, const std::string& name, std::uint64_t number, std::uint64_t tree = 0) {
    files[folder].kind = FileKind::directory;
    files[folder].entries.emplace_back(name, Node{tree, number, 0});
    return *this;
  }

  std::map<std::uint64_t, NumberedFile> files;
  unsigned visits = 0;

 private:
  NumberedFile& file(Node node) {
    const auto found = files.find(node.id);
    if (found == files.end()) throw Error(ErrorKind::not_found, "there is no such file");
    return found->second;
  }
};

const NumberedFile folder{.kind = FileKind::directory};

struct Told : WalkVisitor {
  WalkStep enter(const WalkedFile& file) override {
    lines.push_back(fmt::format("{} {}", file.depth, file.path));
    if (file.path == stop_at) return WalkStep::stop;
    return skipped.contains(std::string(file.path)) ? WalkStep::skip_folder : WalkStep::go_on;
  }
  void leave(const WalkedFile& left) override { lines.push_back(fmt::format("{} {} left", left.depth, left.path)); }
  void failed(std::string_view path, const Error& error) override {
    if (!goes_on) throw error;
    lines.push_back(fmt::format("{} failed", path));
  }

  Lines lines;
  std::set<std::string> skipped;
  std::string stop_at = "none";
  bool goes_on = false;
};

Lines walked(FileSystem& files, const WalkOptions& options = {}) {
  Told told;
  const bool is_whole = walk(files, files.root(), told, options);
  CHECK(is_whole);
  return told.lines;
}

Numbered small() {
  Numbered files;
  files.add(1, "b", 2, folder).add(1, "c", 3, {.data = 7}).add(1, "a", 4, {.data = 9}).add(2, "z", 5).add(2, "y", 6);
  return files;
}

// The names in the order in which they were entered.
Lines names_of(const Lines& lines) {
  Lines names;
  for (const auto& line : lines)
    if (line.starts_with("1 ") && !line.ends_with(" left")) names.push_back(line.substr(3));
  return names;
}

}  // namespace

TEST_CASE("a walk enters each file once, a folder before what lies in it, and leaves it after that") {
  auto files = small();
  CHECK(walked(files) == Lines{"0 ", "1 /b", "2 /b/z", "2 /b/y", "1 /b left", "1 /c", "1 /a", "0  left"});
}

TEST_CASE("a walk goes by the bytes of names where it is asked to") {
  auto files = small();
  files.add(1, "\xff", 7).add(1, "B", 8);
  CHECK(walked(files, {.order = WalkOrder::names}) ==
        Lines{"0 ", "1 /B", "1 /a", "1 /b", "2 /b/y", "2 /b/z", "1 /b left", "1 /c", "1 /\xff", "0  left"});
}

TEST_CASE("a walk takes folders first and then files by where their data begin where it is asked to") {
  auto files = small();
  CHECK(names_of(walked(files, {.order = WalkOrder::data})) == Lines{"b", "c", "a"});
}

TEST_CASE("a folder that is too large for a batch is walked in several passes, in order and without a loss") {
  Numbered files;
  Lines names;
  for (unsigned i = 0; i < 1000; ++i) {
    names.push_back(fmt::format("{:04}", i * 7919 % 1000));
    files.add(1, names.back(), 10 + i, i % 100 == 0 ? folder : NumberedFile{});
  }
  CHECK(names_of(walked(files, {.most_names = 64})) == names);
  CHECK(files.visits >= 1000 / 64);
  auto sorted = names;
  std::ranges::sort(sorted);
  CHECK(names_of(walked(files, {.order = WalkOrder::names, .most_names = 64})) == sorted);
  CHECK(names_of(walked(files, {.order = WalkOrder::names, .most_bytes = 1})) == sorted);
  auto by_data = names_of(walked(files, {.order = WalkOrder::data, .most_names = 64}));
  std::ranges::sort(by_data);
  CHECK(by_data == sorted);
}

TEST_CASE("a folder that is skipped is left at once, and a walk that is stopped leaves nothing") {
  auto files = small();
  Told told;
  told.skipped = {"/b", "/c"};
  CHECK(walk(files, files.root(), told));
  CHECK(told.lines == Lines{"0 ", "1 /b", "1 /b left", "1 /c", "1 /a", "0  left"});
  Told stopped;
  stopped.stop_at = "/b/z";
  CHECK_FALSE(walk(files, files.root(), stopped));
  CHECK(stopped.lines == Lines{"0 ", "1 /b", "2 /b/z"});
}

TEST_CASE("a walk may begin at any file") {
  auto files = small();
  Told told;
  CHECK(walk(files, Node{0, 3, 0}, told));
  CHECK(told.lines == Lines{"0 "});
}

TEST_CASE("a walk goes into another tree only where it is asked to") {
  Numbered files;
  files.add(1, "sub", 2, folder, 9).link(2, "file", 3, 9).files[3];
  CHECK(walked(files) == Lines{"0 ", "1 /sub", "1 /sub left", "0  left"});
  CHECK(walked(files, {.crosses_trees = true}) == Lines{"0 ", "1 /sub", "2 /sub/file", "1 /sub left", "0  left"});
}

TEST_CASE("a folder that lies within itself ends a walk by an error") {
  for (const std::uint64_t target : {1, 2, 3}) {
    CAPTURE(target);
    Numbered files;
    files.add(1, "a", 2, folder).add(2, "b", 3, folder).link(3, "again", target);
    CHECK(kind_of([&] { walked(files); }) == ErrorKind::corrupt);
  }
}

TEST_CASE("folders that double at each level end a walk by an error, and not after an age") {
  Numbered files;
  for (std::uint64_t i = 1; i < 64; ++i) files.add(i, "one", i + 1, folder).link(i, "two", i + 1);
  CHECK(kind_of([&] { walked(files); }) == ErrorKind::corrupt);
  Told told;
  told.goes_on = true;
  CHECK(walk(files, files.root(), told));
  CHECK(told.lines.size() < 1000);
}

TEST_CASE("a folder without folders may be met twice") {
  Numbered files;
  files.add(1, "a", 2, folder).link(1, "b", 2).add(2, "x", 3);
  CHECK(walked(files) == Lines{"0 ", "1 /a", "2 /a/x", "1 /a left", "1 /b", "2 /b/x", "1 /b left", "0  left"});
}

TEST_CASE("a walk takes folders on one another up to a bound, and no stack for them") {
  Numbered files;
  for (std::uint64_t i = 1; i <= deepest_walk; ++i) files.add(i, "d", i + 1, folder);
  CHECK(walked(files).size() == 2 * (deepest_walk + 1));
  files.add(deepest_walk + 1, "d", deepest_walk + 2, folder);
  CHECK(kind_of([&] { walked(files); }) == ErrorKind::unsupported);
}

TEST_CASE("what cannot be told is told to the visitor, and the walk goes on behind it") {
  auto files = small();
  files.add(2, "bad", 9, {.is_broken = true}).add(2, "after", 10);
  Told told;
  told.goes_on = true;
  CHECK(walk(files, files.root(), told));
  CHECK(told.lines ==
        Lines{"0 ", "1 /b", "2 /b/z", "2 /b/y", "/b/bad failed", "2 /b/after", "1 /b left", "1 /c", "1 /a", "0  left"});
  CHECK(kind_of([&] { walked(files); }) == ErrorKind::corrupt);
}

}  // namespace hrvm::fs::test
