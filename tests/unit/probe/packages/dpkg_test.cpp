// dpkg's database.
#include <catch2/catch.hpp>

#include "hrvm/probe/packages.hpp"
#include "support/memory_files.hpp"

using namespace hrvm;
using probe::Package, probe::PackageManager;
using Owners = std::vector<std::string>;

namespace {

std::vector<Package> packages_of(test::MemoryFiles& files) {
  const auto databases = probe::read_packages(files);
  REQUIRE(databases.size() == 1);
  CHECK(databases[0].manager == PackageManager::dpkg);
  CHECK(databases[0].unreadable.empty());
  return databases[0].packages;
}

std::string stanza(const std::string& name, const std::string& status, const std::string& version) {
  return "Package: " + name + "\nStatus: " + status + "\nArchitecture: amd64\nVersion: " + version +
         "\nDescription: it\n Package: none\n .\n\n";
}

}  // namespace

TEST_CASE("dpkg has the packages of which files are on the disk") {
  test::MemoryFiles files;
  files.add("/var/lib/dpkg/status",
            stanza("bash", "install ok installed", "5.2-2") + stanza("gone", "deinstall ok config-files", "1") +
                stanza("never", "unknown ok not-installed", "1") +
                stanza("broken", "install reinstreq half-installed", "2") +
                stanza("ready", "install ok half-configured", "3") + stanza("fresh", "install ok unpacked", "1:4") +
                stanza("waiting", "install ok triggers-awaited", "5"));
  const std::vector<Package> all = {{"bash", "5.2-2", "amd64"},
                                    {"broken", "2", "amd64"},
                                    {"fresh", "1:4", "amd64"},
                                    {"ready", "3", "amd64"},
                                    {"waiting", "5", "amd64"}};
  CHECK(packages_of(files) == all);
}

TEST_CASE("the last stanza needs no empty line, a field no order, and a line may be as long as it likes") {
  test::MemoryFiles files;
  files.add("/var/lib/dpkg/status",
            "Version: 1\nPackage: a\nDescription: " + std::string(200'000, 'x') + "\nStatus: install ok installed");
  CHECK(packages_of(files) == std::vector<Package>{{"a", "1", ""}});
}

TEST_CASE("what dpkg had no time to bring into its status counts before it") {
  test::MemoryFiles files;
  files.add("/var/lib/dpkg/status", stanza("a", "install ok installed", "1") +
                                        stanza("b", "install ok installed", "1") +
                                        stanza("c", "install ok installed", "1"));
  files.add("/var/lib/dpkg/updates/0000", stanza("a", "install ok unpacked", "2"));
  files.add("/var/lib/dpkg/updates/0001", stanza("a", "install ok installed", "3"));
  files.add("/var/lib/dpkg/updates/0002", stanza("b", "deinstall ok not-installed", "1"));
  files.add("/var/lib/dpkg/updates/tmp.i", stanza("c", "install ok installed", "9"));
  CHECK(packages_of(files) == std::vector<Package>{{"a", "3", "amd64"}, {"c", "1", "amd64"}});
}

TEST_CASE("a distroless image has a file for each package") {
  test::MemoryFiles files;
  files.add("/var/lib/dpkg/status.d/base-files", "Package: base-files\nVersion: 12.4\nArchitecture: amd64\n");
  files.add("/var/lib/dpkg/status.d/tzdata", "Package: tzdata\nVersion: 2024a\nArchitecture: all\n");
  files.add("/var/lib/dpkg/status.d/tzdata.md5sums", "0123  usr/share/zoneinfo/UTC\n");
  CHECK(packages_of(files) == std::vector<Package>{{"base-files", "12.4", "amd64"}, {"tzdata", "2024a", "all"}});
  CHECK(probe::package_owners(files, {"/usr/share/zoneinfo/UTC"}) == Owners{"tzdata"});
}

TEST_CASE("a root without a database has no packages") {
  test::MemoryFiles files;
  files.add("/etc/os-release", "ID=x\n");
  CHECK(probe::read_packages(files).empty());
  CHECK(probe::package_owners(files, {"/etc/os-release"}) == Owners{""});
}

TEST_CASE("a file is of the package whose list has it, however the list goes to it") {
  test::MemoryFiles files;
  files.link("/lib", "usr/lib").link("/bin", "usr/bin").add("/usr/lib/x.so", "").add("/usr/bin/x", "");
  files.add("/var/lib/dpkg/info/libx1:amd64.list", "/.\n/lib\n/lib/x.so\n/usr/lib/y.so\n");
  files.add("/var/lib/dpkg/info/x.list", "/.\n/bin/x\n/etc/x.conf");
  files.add("/var/lib/dpkg/info/x.md5sums", "/usr/bin/other\n");
  CHECK(probe::package_owners(files, {"/usr/lib/x.so", "/etc/x.conf", "/usr/bin/x", "/usr/bin/other", "/lib/y.so",
                                      "/etc/x.conf"}) == Owners{"libx1", "x", "x", "", "libx1", "x"});
}

TEST_CASE("a diverted file is where the diversion puts it") {
  test::MemoryFiles files;
  files.add("/var/lib/dpkg/diversions",
            "/usr/bin/sh\n/usr/bin/sh.distrib\ndash\n/usr/bin/firefox\n/usr/bin/firefox.real\n:\n/half");
  files.add("/var/lib/dpkg/info/bash.list", "/usr/bin/sh\n");
  files.add("/var/lib/dpkg/info/dash.list", "/usr/bin/sh\n");
  files.add("/var/lib/dpkg/info/firefox.list", "/usr/bin/firefox\n");
  CHECK(probe::package_owners(files, {"/usr/bin/sh", "/usr/bin/sh.distrib", "/usr/bin/firefox",
                                      "/usr/bin/firefox.real"}) == Owners{"dash", "bash", "", "firefox"});
}
