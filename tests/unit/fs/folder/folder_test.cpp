// Folders of the host by nodes.
#include "hrvm/fs/folder.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <set>

#include "fs/folder/seen_paths.hpp"
#include "hrvm/fs/walk.hpp"
#include "unit/fs/extents.hpp"

namespace hrvm::fs::test {
namespace {

using base::ErrorKind;

struct Host {
  Host() {
    folder.write("tree/etc/file", "text");
    folder.write("tree/etc/deep/inner", "inner");
    folder.link("tree/etc/link", "file");
    files = open_folder({folder / "tree"});
  }
  Node node(std::string_view path) { return find(*files, path).value(); }
  Path path(std::string_view path) const { return folder / ("tree/" + std::string(path)); }

  TemporaryDirectory folder;
  std::unique_ptr<FileSystem> files;
};

struct stat stat_of(const Path& path) {
  struct stat st {};
  REQUIRE(::lstat(path.c_str(), &st) == 0);
  return st;
}

Time time_of(const timespec& time) { return {time.tv_sec, std::uint32_t(time.tv_nsec)}; }

std::set<std::string> names_in(FileSystem& files, Node folder) {
  std::set<std::string> names;
  files.visit(folder, [&](const DirectoryEntry& entry) {
    CHECK(names.emplace(entry.name).second);
    return true;
  });
  return names;
}

}  // namespace

TEST_CASE_METHOD(Host, "a folder tells of its files what stat tells") {
  REQUIRE(::mkfifo(path("etc/pipe").c_str(), 0600) == 0);
  REQUIRE(::chmod(path("etc/file").c_str(), 04751) == 0);
  REQUIRE(::link(path("etc/file").c_str(), path("etc/hard").c_str()) == 0);
  const timespec times[] = {{-5, 7}, {1'234'567'890, 987'654'321}};
  REQUIRE(::utimensat(-1, path("etc/file").c_str(), times, 0) == 0);
  for (const auto& [name, kind] : std::map<std::string, FileKind>{{"etc", FileKind::directory},
                                                                  {"etc/file", FileKind::regular},
                                                                  {"etc/hard", FileKind::regular},
                                                                  {"etc/link", FileKind::symlink},
                                                                  {"etc/pipe", FileKind::fifo}}) {
    CAPTURE(name);
    const auto st = stat_of(path(name));
    const auto stat = files->stat(node(name));
    CHECK((stat.node == Node{0, st.st_ino, 0}));
    CHECK(stat.kind == kind);
    CHECK(stat.mode == (st.st_mode & 07777));
    CHECK(stat.uid == st.st_uid);
    CHECK(stat.gid == st.st_gid);
    CHECK(stat.links == st.st_nlink);
    CHECK(stat.size_bytes == std::uint64_t(st.st_size));
    CHECK(stat.allocated_bytes == std::uint64_t(st.st_blocks) * 512);
    CHECK((stat.times.modified == time_of(st.st_mtim)));
    CHECK((stat.times.accessed == time_of(st.st_atim)));
    CHECK((stat.times.changed == time_of(st.st_ctim)));
  }
  CHECK((node("etc/file") == node("etc/hard")));
}

TEST_CASE_METHOD(Host, "a folder's node is the same for another reader, once that has met the file") {
  const auto file = node("etc/file");
  const auto other = open_folder({folder / "tree"});
  CHECK(kind_of([&] { other->stat(file); }) == ErrorKind::not_found);
  CHECK((find(*other, "etc/file") == file));
  CHECK(other->stat(file).size_bytes == 4);
}

TEST_CASE_METHOD(Host, "a node whose path leads to another file by now is not found") {
  const auto file = node("etc/file");
  std::filesystem::rename(path("etc/file"), path("etc/moved"));
  CHECK(kind_of([&] { files->stat(file); }) == ErrorKind::not_found);
  folder.write("tree/etc/file", "another");
  CHECK(kind_of([&] { files->stat(file); }) == ErrorKind::not_found);
  CHECK((node("etc/moved") == file));
  CHECK(files->stat(file).size_bytes == 4);
}

TEST_CASE_METHOD(Host, "no node of a folder leads out of it through a link") {
  folder.write("secret", "the host's");
  folder.link("tree/out", "..");
  CHECK(files->stat(node("out")).kind == FileKind::symlink);
  CHECK(files->read_link(node("out")) == "..");
  CHECK_FALSE(find(*files, "out/secret"));
  for (const auto* name : {"..", ".", "", "etc/file", "/"}) CHECK_FALSE(files->find(files->root(), name));
  const auto inner = node("etc/deep/inner");
  std::filesystem::rename(path("etc/deep"), folder / "deep");
  folder.link("tree/etc/deep", "../../deep");
  CHECK(kind_of([&] { files->stat(inner); }) == ErrorKind::not_found);
}

TEST_CASE_METHOD(Host, "holes and data of a folder's file are told apart") {
  std::ofstream(path("etc/sparse")).seekp(9'000'000) << "end";
  block::BlockDevice* const none[] = {nullptr};
  auto stored = check_extents(*files, node("etc/sparse"), none);
  CHECK(stored[Stored::zeros] + stored[Stored::inside] == 9'000'003);
  CHECK(stored[Stored::zeros] > 8'000'000);
  CHECK(check_extents(*files, node("etc/file"), none)[Stored::inside] == 4);
  CHECK(kind_of([&] { files->extent_at(node("etc/link"), 0, 1); }) == ErrorKind::not_found);
}

TEST_CASE_METHOD(Host, "attributes of a folder's files are told, a link's own too, and the overlay's are not") {
  if (::setxattr(path("etc/file").c_str(), "user.b", "2", 1, 0) != 0) return;
  REQUIRE(::setxattr(path("etc/file").c_str(), "user.a", "1", 1, 0) == 0);
  CHECK((files->attributes(node("etc/file")) == std::vector<Attribute>{{"user.a", "1"}, {"user.b", "2"}}));
  if (::lsetxattr(path("etc/link").c_str(), "trusted.mine", "3", 1, 0) != 0) return;
  REQUIRE(::lsetxattr(path("etc/link").c_str(), "trusted.overlay.opaque", "y", 1, 0) == 0);
  CHECK((files->attributes(node("etc/link")) == std::vector<Attribute>{{"trusted.mine", "3"}}));
}

TEST_CASE_METHOD(Host, "layers are told as one tree, each name once, and nothing that a whiteout hides") {
  folder.write("upper/etc/file", "the upper one");
  folder.write("upper/etc/new", "x");
  const bool can_hide = ::mknod((folder / "upper/etc/deep").c_str(), S_IFCHR, 0) == 0;
  const auto stack = open_folder({folder / "upper", folder / "tree"});
  auto expected = std::set<std::string>{"deep", "file", "link", "new"};
  if (can_hide) expected.erase("deep");
  CHECK(names_in(*stack, find(*stack, "etc").value()) == expected);
  const auto upper = find(*stack, "etc/file").value(), lower = find(*stack, "etc/link").value();
  CHECK(stack->stat(upper).size_bytes == 13);
  CHECK(stack->read_link(lower) == "file");
  CHECK(lower.id == (stat_of(path("etc/link")).st_ino ^ 1ull << 56));
  CHECK(lower.tree == upper.tree);
}

TEST_CASE("paths that were asked for longest ago are forgotten first, by their number and by their bytes") {
  folder::SeenPaths seen(3, 20);
  const auto node = [](std::uint64_t id) { return Node{0, id, 0}; };
  for (const std::uint64_t id : {1, 2, 3}) seen.add(node(id), std::to_string(id));
  CHECK(seen.find(node(1)) == "1");
  seen.add(node(4), "4");
  CHECK_FALSE(seen.find(node(2)));
  CHECK(seen.find(node(1)) == "1");
  seen.add(node(1), "one");
  CHECK(seen.find(node(1)) == "one");
  seen.add(node(5), std::string(19, 'x'));
  CHECK_FALSE(seen.find(node(1)));
  CHECK(seen.find(node(5)));
  seen.add(node(6), std::string(30, 'x'));
  CHECK(seen.find(node(6)));
  CHECK_FALSE(seen.find(node(5)));
}

TEST_CASE_METHOD(Host, "a folder is walked, by the names of all that is in it") {
  struct Paths : WalkVisitor {
    WalkStep enter(const WalkedFile& file) override {
      paths.emplace_back(file.path);
      return WalkStep::go_on;
    }
    std::vector<std::string> paths;
  } visitor;
  CHECK(walk(*files, files->root(), visitor, {.order = WalkOrder::names}));
  CHECK(visitor.paths ==
        std::vector<std::string>{"", "/etc", "/etc/deep", "/etc/deep/inner", "/etc/file", "/etc/link"});
}

}  // namespace hrvm::fs::test
