#include "hrvm/sys/tree.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "hrvm/base/error.hpp"
#include "support/failing.hpp"
#include "support/skipping.hpp"
#include "support/temporary_directory.hpp"

using namespace hrvm;
using base::ErrorKind;
using sys::FileType;

namespace {

struct Planted {
  Planted() {
    std::filesystem::create_directories(folder / "tree/etc/deep");
    folder.write("secret", "the host's");
    folder.write("tree/etc/deep/file", "in it");
  }
  void link(const std::string& path, const std::string& target) const {
    std::filesystem::create_symlink(target, folder / ("tree/" + path));
  }
  sys::Tree tree() const { return sys::Tree(folder / "tree"); }

  test::TemporaryDirectory folder;
};

}  // namespace

TEST_CASE_METHOD(Planted, "a tree's files are told, listed and read by their paths in it") {
  const auto tree = this->tree();
  CHECK(tree.status("").type == FileType::directory);
  CHECK(tree.status("/etc/deep/file").size_bytes == 5);
  CHECK(tree.status("etc/none/file").type == FileType::missing);
  CHECK(tree.status("etc/deep/file/x").type == FileType::missing);
  CHECK(tree.list("/", 10) == std::vector<std::string>{"etc"});
  CHECK(tree.list("etc", 10) == std::vector<std::string>{"deep"});
  CHECK(tree.read("etc/deep/file", 3, 100) == "it");
  CHECK(tree.read("etc/deep/file", 9, 100).empty());
  CHECK(tree.path_of("/etc/deep") == folder / "tree/etc/deep");
  CHECK(test::kind_of([&] { tree.list("etc/deep/file", 10); }) == ErrorKind::not_found);
}

TEST_CASE_METHOD(Planted, "no link and no .. leads out of a tree, at the end of a path or on its way") {
  link("absolute", (folder / "secret").string());
  link("up", "../secret");
  link("host", folder.path().string());
  link("loop", "loop");
  const auto tree = this->tree();
  for (const char* path : {"absolute", "up", "host", "loop"}) {
    CHECK(tree.status(path).type == FileType::symlink);
    CHECK_THROWS_AS(tree.read(path, 0, 100), base::Error);
    CHECK_THROWS_AS(tree.list(path, 100), base::Error);
  }
  for (const char* path : {"host/secret", "..", "../secret", "etc/../../secret", "loop/x", "etc/."}) {
    CHECK(tree.status(path).type == FileType::missing);
    CHECK_THROWS_AS(tree.read(path, 0, 100), base::Error);
  }
  CHECK(tree.read_link("up") == "../secret");
}

TEST_CASE_METHOD(Planted, "a folder that becomes a link while a tree is read is not followed") {
  const auto tree = this->tree();
  REQUIRE(tree.read("etc/deep/file", 0, 5) == "in it");
  std::filesystem::create_directory(folder / "outside");
  folder.write("outside/file", "the host's");
  std::filesystem::rename(folder / "tree/etc/deep", folder / "tree/etc/old");
  link("etc/deep", (folder / "outside").string());
  CHECK(tree.status("etc/old/file").size_bytes == 5);
  CHECK(tree.status("etc/deep/file").type == FileType::missing);
}

TEST_CASE_METHOD(Planted, "FIFOs, sockets and devices are told and not opened") {
  REQUIRE(::mkfifo((folder / "tree/fifo").c_str(), 0600) == 0);
  const auto tree = this->tree();
  CHECK(tree.status("fifo").type == FileType::other);
  CHECK(test::kind_of([&] { tree.read("fifo", 0, 1); }) == ErrorKind::not_found);
  CHECK(tree.attribute_names("fifo").empty());
  if (::geteuid() != 0) HRVM_SKIP("needs root");
  REQUIRE(::mknod((folder / "tree/tape").c_str(), S_IFCHR | 0600, makedev(1, 5)) == 0);
  CHECK(tree.status("tape").type == FileType::character);
  CHECK(test::kind_of([&] { tree.read("tape", 0, 1); }) == ErrorKind::not_found);
}

TEST_CASE_METHOD(Planted, "a path longer than the system takes in one is walked") {
  std::string path;
  sys::Fd at(::open((folder / "tree").c_str(), O_PATH));
  const std::string name(200, 'd');
  for (int depth = 0; depth < 40; ++depth) {
    REQUIRE(::mkdirat(at.get(), name.c_str(), 0700) == 0);
    at = sys::Fd(::openat(at.get(), name.c_str(), O_PATH));
    path += "/" + name;
  }
  const sys::Fd file(::openat(at.get(), "last", O_CREAT | O_WRONLY, 0600));
  CHECK(tree().status(path + "/last").type == FileType::regular);
}

TEST_CASE_METHOD(Planted, "a file that is said to be giant takes the memory of what is read of it") {
  REQUIRE(::truncate((folder / "tree/etc/deep/file").c_str(), off_t(1) << 40) == 0);
  CHECK(tree().read("etc/deep/file", (std::uint64_t(1) << 40) - 3, 1 << 20).size() == 3);
}

TEST_CASE_METHOD(Planted, "reading a tree leaves its access times alone") {
  const std::filesystem::path file = folder / "tree/etc/deep/file";
  const timespec old[2] = {{1000, 0}, {2000, 0}};
  REQUIRE(::utimensat(AT_FDCWD, file.c_str(), old, 0) == 0);
  REQUIRE(tree().read("etc/deep/file", 0, 5) == "in it");
  struct stat st {};
  REQUIRE(::stat(file.c_str(), &st) == 0);
  CHECK(st.st_atim.tv_sec == 1000);
}

TEST_CASE_METHOD(Planted, "extended attributes are told by name, and what has none has none") {
  const std::filesystem::path file = folder / "tree/etc/deep/file";
  if (::setxattr(file.c_str(), "user.b", "two", 3, 0) != 0 || ::setxattr(file.c_str(), "user.a", "", 0, 0) != 0)
    HRVM_SKIP("this filesystem keeps no extended attributes");
  const auto tree = this->tree();
  CHECK(tree.attribute_names("etc/deep/file") == std::vector<std::string>{"user.a", "user.b"});
  CHECK(tree.attribute("etc/deep/file", "user.b") == "two");
  CHECK_FALSE(tree.attribute("etc/deep/file", "user.c"));
  CHECK_FALSE(tree.attribute("none", "user.a"));
}

TEST_CASE_METHOD(Planted, "attributes that are long, and names of them that are many, are told whole") {
  const std::filesystem::path file = folder / "tree/etc/deep/file";
  const std::string value(3000, 'v');
  std::vector<std::string> names;
  for (char c = 'a'; c <= 'f'; ++c) names.push_back("user." + std::string(80, c));
  for (const auto& name : names)
    if (::setxattr(file.c_str(), name.c_str(), "", 0, 0) != 0)
      HRVM_SKIP("this filesystem keeps no extended attributes");
  const auto tree = this->tree();
  CHECK(tree.attribute_names("etc/deep/file") == names);
  if (::setxattr(file.c_str(), "user.long", value.data(), value.size(), 0) != 0)
    HRVM_SKIP("this filesystem keeps no long attributes");
  CHECK(tree.attribute("etc/deep/file", "user.long") == value);
}

TEST_CASE_METHOD(Planted, "a folder that may not be read is an error that names it") {
  constexpr uid_t nobody = 65534;
  const auto tree = this->tree();
  REQUIRE(::chmod((folder / "tree/etc").c_str(), 0) == 0);
  const bool is_root = ::geteuid() == 0;
  if (is_root) REQUIRE(::seteuid(nobody) == 0);
  const auto error = test::error_of([&] { tree.list("etc", 10); });
  if (is_root) REQUIRE(::seteuid(0) == 0);
  ::chmod((folder / "tree/etc").c_str(), 0700);
  CHECK(error.kind() == ErrorKind::permission);
  CHECK(error.path() == (folder / "tree/etc").string());
}
