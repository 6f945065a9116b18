// Trees that are put together: what lies on a folder hides what was in it, and links go across.
#include <catch2/catch.hpp>
#include <string>

#include "hrvm/base/error.hpp"
#include "hrvm/fs/mounted.hpp"
#include "support/memory_files.hpp"

using namespace hrvm;
using test::MemoryFiles;

namespace {

std::string names_in(fs::FileSystem& files, std::string_view folder) {
  std::string names;
  for (const auto& entry : files.list(folder)) names += entry.name + " ";
  return names;
}

}  // namespace

TEST_CASE("a mount hides what was in its folder, and links lead into it and out of it") {
  MemoryFiles root({{"/usr/hidden", "x"}, {"/etc/hostname", "box"}, {"/etc/os-release", "old"}});
  root.link("/lib", "usr/lib").link("/etc/os-release", "../usr/lib/os-release");
  MemoryFiles usr({{"/lib/os-release", "ID=a"}, {"/lib/modules/6.1/x.ko", "m"}});
  usr.link("/lib/back", "/etc/hostname");
  fs::MountedFiles whole(root);
  REQUIRE(whole.mount("/usr", usr));
  CHECK(fs::try_read(whole, "/etc/os-release") == "ID=a");
  CHECK(fs::try_read(whole, "/lib/modules/6.1/x.ko") == "m");
  CHECK(fs::try_read(whole, "/lib/back") == "box");
  CHECK_FALSE(fs::exists(whole, "/usr/hidden"));
  CHECK(names_in(whole, "/") == "etc lib usr ");
  CHECK(names_in(whole, "/usr") == "lib ");
  CHECK(whole.info("/usr")->kind == fs::FileKind::directory);
  CHECK(whole.read("/usr/lib/os-release", 1, 2) == "D=");
}

TEST_CASE("a mount point that is not there is shown, one without a way to it is refused") {
  MemoryFiles root, usr;
  root.add("/etc/x", "");
  usr.add("/lib/y", "y");
  fs::MountedFiles whole(root);
  CHECK(whole.mount("/usr/", usr));
  CHECK_FALSE(whole.mount("/a/b", usr));
  CHECK_FALSE(whole.mount("/etc/x/y", usr));
  CHECK_FALSE(whole.mount("/", usr));
  CHECK_FALSE(whole.mount("/z", usr, "/lib/y"));
  CHECK(names_in(whole, "/") == "etc usr ");
  CHECK(fs::try_read(whole, "/usr/lib/y") == "y");
}

TEST_CASE("what is mounted later lies on what was mounted before, in it as well") {
  MemoryFiles root, var, lib, other;
  root.add("/var/a", "root");
  var.add("/lib/b", "var");
  lib.add("/c", "lib");
  other.add("/d", "other");
  fs::MountedFiles whole(root);
  REQUIRE(whole.mount("/var", var));
  REQUIRE(whole.mount("/var/lib", lib));
  CHECK(fs::try_read(whole, "/var/lib/c") == "lib");
  REQUIRE(whole.mount("/var/lib", other));
  CHECK(names_in(whole, "/var/lib") == "d ");
}

TEST_CASE("a folder of a filesystem can be the root, from which nothing leads up, and be mounted itself") {
  MemoryFiles disk({{"/deploy/1/etc/name", "one"}, {"/deploy/1/usr/lib/x", ""}, {"/var/lib/y", "y"}, {"/top", "t"}});
  disk.folder("/deploy/1/var").link("/deploy/1/up", "../../top").link("/deploy/1/absolute", "/etc/name");
  fs::MountedFiles whole(disk, "/deploy/1");
  REQUIRE(whole.mount("/var", disk, "/var"));
  REQUIRE(whole.mount("/sysroot", disk));
  CHECK(fs::try_read(whole, "/absolute") == "one");
  CHECK_FALSE(fs::exists(whole, "/up"));
  CHECK(fs::try_read(whole, "/var/lib/y") == "y");
  CHECK(fs::try_read(whole, "/sysroot/deploy/1/etc/name") == "one");
  CHECK_THROWS_AS(fs::MountedFiles(disk, "/top"), base::Error);
  CHECK_THROWS_AS(whole.stat({77, 1, 0}), base::Error);
}

TEST_CASE("a tree on nothing shows what is mounted, and nothing else") {
  MemoryFiles usr;
  usr.add("/lib/x", "x");
  fs::MountedFiles whole;
  CHECK(names_in(whole, "/").empty());
  REQUIRE(whole.mount("/usr", usr));
  CHECK(names_in(whole, "/") == "usr ");
  CHECK(fs::try_read(whole, "/usr/lib/x") == "x");
  CHECK_FALSE(fs::exists(whole, "/etc"));
}
