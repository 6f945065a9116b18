// Which system a root is, by the files that distributions really ship.
#include <catch2/catch.hpp>

#include "hrvm/probe/detector.hpp"
#include "support/memory_files.hpp"

using namespace hrvm;
using namespace hrvm::probe;
using Words = std::vector<std::string>;

namespace {

std::optional<System> detected(test::MemoryFiles& files) {
  std::vector<base::Finding> findings;
  for (const Detector& detector : detectors())
    if (auto system = detector.detect({files, "p1", findings})) return system;
  return std::nullopt;
}

std::string package(const std::string& name, const std::string& version) {
  return "Package: " + name + "\nStatus: install ok installed\nArchitecture: amd64\nVersion: " + version + "\n\n";
}

// "id | version | pretty"
std::string told(test::MemoryFiles& files) {
  const auto system = detected(files);
  return system ? system->id + " | " + system->version + " | " + system->pretty : "none";
}

}  // namespace

TEST_CASE("Proxmox's products are told apart from the Debian that they are installed on") {
  const auto debian_with = [](const std::string& packages) {
    test::MemoryFiles files;
    files.add("/etc/os-release", "ID=debian\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\n");
    files.add("/var/lib/dpkg/status", package("adduser", "3.134") + packages);
    return told(files);
  };
  CHECK(debian_with("") == "debian | 12 | Debian GNU/Linux");
  CHECK(debian_with(package("pve-manager", "8.1.4")) == "proxmox | 8.1.4 | Proxmox VE 8.1.4 (Debian 12)");
  CHECK(debian_with(package("proxmox-backup-server", "3.2.2-1")) ==
        "proxmox-backup | 3.2.2-1 | Proxmox Backup Server 3.2.2-1 (Debian 12)");
  CHECK(debian_with(package("proxmox-backup-server", "3.2.2-1") + package("pve-manager", "8.1.4")) ==
        "proxmox | 8.1.4 | Proxmox VE 8.1.4 (Debian 12)");
}

TEST_CASE("a NixOS that has not been started yet is told by its profile in the store") {
  test::MemoryFiles files;
  const std::string store = "/nix/store/0c3k9-nixos-system-nix1-23.11.928.50aa30a13c4a";
  files.link("/nix/var/nix/profiles/system", "system-3-link").link("/nix/var/nix/profiles/system-3-link", store);
  files.add(store + "/nixos-version", "23.11.928.50aa30a13c4a");
  files.link(store + "/etc", "/nix/store/11aa-etc/etc")
      .link(store + "/kernel-modules", "/nix/store/22bb-kernel-modules");
  files.add("/nix/store/11aa-etc/etc/os-release", "ID=nixos\nPRETTY_NAME=\"NixOS 23.11 (Tapir)\"\n");
  files.add("/nix/store/11aa-etc/etc/hostname", "nix1\n");
  files.folder("/nix/store/22bb-kernel-modules/lib/modules/6.1.64");
  const auto system = detected(files);
  REQUIRE(system);
  CHECK(told(files) == "nixos | 23.11.928.50aa30a13c4a | NixOS 23.11 (Tapir)");
  CHECK(system->hostname == "nix1");
  CHECK(system->kernels == Words{"6.1.64"});
  CHECK(system->family == SystemFamily::linux);
}

TEST_CASE("systems from before os-release are told by the file that each had") {
  const auto told_by = [](const std::string& path, const std::string& content) {
    test::MemoryFiles files;
    files.add(path, content);
    return told(files);
  };
  CHECK(told_by("/etc/redhat-release", "CentOS release 6.10 (Final)\n") == "rhel | 6.10 | CentOS release 6.10 (Final)");
  CHECK(told_by("/etc/centos-release", "CentOS release 6.10 (Final)\n") ==
        "centos | 6.10 | CentOS release 6.10 (Final)");
  CHECK(told_by("/etc/debian_version", "7.11\n") == "debian | 7.11 | Debian GNU/Linux 7.11");
  CHECK(told_by("/etc/alpine-release", "2.7.9\n") == "alpine | 2.7.9 | Alpine Linux 2.7.9");
  CHECK(told_by("/etc/arch-release", "") == "arch |  | Arch Linux");
  CHECK(told_by("/etc/gentoo-release", "Gentoo Base System release 2.1\n") ==
        "gentoo | 2.1 | Gentoo Base System release 2.1");
  CHECK(told_by("/etc/lsb-release",
                "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=10.04\nDISTRIB_DESCRIPTION=\"Ubuntu 10.04.4 LTS\"\n") ==
        "ubuntu | 10.04 | Ubuntu 10.04.4 LTS");
}

TEST_CASE("a derived system is told as itself where it keeps the file of its parent") {
  test::MemoryFiles files;
  files.add("/etc/redhat-release", "CentOS release 6.10 (Final)\n")
      .add("/etc/centos-release", "CentOS release 6.10 (Final)\n");
  CHECK(detected(files)->id == "centos");
}

TEST_CASE("a root that only greets is a Linux, and a disk of data is no system") {
  test::MemoryFiles root;
  root.add("/sbin/init", "x").add("/etc/passwd", "root::0:0\n").add("/etc/issue", "Welcome to Buildroot \\l\n");
  CHECK(told(root) == "linux |  | Welcome to Buildroot");
  test::MemoryFiles data;
  data.add("/etc/passwd", "a backup of a file\n").add("/photos/1.jpg", "x");
  CHECK(told(data) == "none");
}
