// pacman's and apk's databases.
#include <catch2/catch.hpp>

#include "hrvm/probe/packages.hpp"
#include "support/memory_files.hpp"

using namespace hrvm;
using probe::Package, probe::PackageDatabase, probe::PackageManager;
using Databases = std::vector<PackageDatabase>;
using Owners = std::vector<std::string>;

TEST_CASE("pacman has a folder for each package") {
  test::MemoryFiles files;
  const std::string local = "/var/lib/pacman/local/";
  files.add(local + "ALPM_DB_VERSION", "9\n").folder(local + "empty-1");
  files.add(local + "zlib-1:1.3-2/desc", "%NAME%\nzlib\n\n%VERSION%\n1:1.3-2\n\n%DESC%\nx\n\n%ARCH%\nx86_64\n");
  files.add(local + "zlib-1:1.3-2/files",
            "%FILES%\nusr/\nusr/lib/\nusr/lib/libz.so\netc/z.conf\n\n%BACKUP%\netc/z.conf\t01\n");
  CHECK(probe::read_packages(files) == Databases{{PackageManager::pacman, {{"zlib", "1:1.3-2", "x86_64"}}, ""}});
  CHECK(probe::package_owners(files, {"/usr/lib/libz.so", "/usr/lib", "/etc/z.conf", "/etc/z.conf\t01"}) ==
        Owners{"zlib", "zlib", "zlib", ""});
}

TEST_CASE("apk has a paragraph for each package, with its folders and what lies in them") {
  const std::string installed =
      "C:Q1\nP:musl\nV:1.2.4-r2\nA:x86_64\nF:lib\nR:ld-musl.so\na:0:0:755\nZ:Q1\n\n"
      "P:base\nV:3\nA:x86_64\nF:\nR:x\nF:etc\nR:issue\nR:motd";
  for (const std::string path : {"/lib/apk/db/installed", "/usr/lib/apk/db/installed"}) {
    test::MemoryFiles files;
    files.add(path, installed);
    CHECK(probe::read_packages(files) ==
          Databases{{PackageManager::apk, {{"base", "3", "x86_64"}, {"musl", "1.2.4-r2", "x86_64"}}, ""}});
    CHECK(probe::package_owners(files, {"/lib/ld-musl.so", "/lib", "/etc/motd", "/x", "/etc/ld-musl.so"}) ==
          Owners{"musl", "musl", "base", "base", ""});
  }
}

TEST_CASE("a system may have several managers, and what one cannot be read for costs no other") {
  test::MemoryFiles files;
  files.add("/var/lib/dpkg/status", "Package: rpm\nStatus: install ok installed\nVersion: 4\n");
  files.add("/var/lib/rpm/rpmdb.sqlite", "no database");
  const auto databases = probe::read_packages(files);
  REQUIRE(databases.size() == 2);
  CHECK(databases[0].packages.size() == 1);
  CHECK(databases[1].manager == PackageManager::rpm);
  CHECK(databases[1].unreadable == "/var/lib/rpm/rpmdb.sqlite: it is too short for a SQLite database (page 1)");
}
