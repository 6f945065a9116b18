#include <catch2/catch.hpp>

#include "hrvm/base/error.hpp"
#include "hrvm/sys/mounts.hpp"
#include "support/temporary_directory.hpp"
#include "support/test_host.hpp"

using namespace hrvm;
using namespace std::string_literals;

namespace {

std::vector<sys::Mount> parse(std::string_view mountinfo) {
  const test::TemporaryDirectory root;
  root.write("/proc/self/mountinfo", mountinfo);
  test::TestHost machine(root.path());
  return sys::mounts(machine.host());
}

std::string source_of(const std::vector<sys::Mount>& all, std::string_view path) {
  const auto mount = sys::mount_of(all, path);
  return mount ? mount->source : "none";
}

// The order is the kernel's: what the initial ramdisk mounted stands before the root that it switched to.
constexpr auto laptop =
    "22 29 0:20 / /sys rw,nosuid - sysfs sysfs rw\n"
    "26 29 0:23 / /run rw,nosuid,nodev shared:5 - tmpfs tmpfs rw,size=1617776k,mode=755\n"
    "29 1 259:2 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p2 rw,errors=remount-ro\n"
    "40 29 8:1 / /mnt rw shared:2 master:3 - ext4 /dev/sda1 rw\n"
    "41 29 8:2 /sub /mnt2 ro - btrfs /dev/sda2 rw,subvol=/sub\n"
    "42 40 8:3 / /mnt/with\\040space\\134 rw - xfs /dev/sda3 ro\n";

}  // namespace

TEST_CASE("a mount is read with its device, root, type, source and options") {
  const auto all = parse(laptop);
  REQUIRE(all.size() == 6);
  CHECK(all[3].id == 40);
  CHECK(all[3].parent == 29);
  CHECK(all[3].device_major == 8);
  CHECK(all[3].device_minor == 1);
  CHECK(all[3].type == "ext4");
  CHECK(all[4].root == "/sub");
  CHECK(all[1].super_options == std::vector<std::string>{"rw", "size=1617776k", "mode=755"});
}

TEST_CASE("white space and backslashes in paths are unescaped") {
  CHECK(parse(laptop)[5].mount_point == "/mnt/with space\\");
}

TEST_CASE("a mount is writable only when neither it nor its superblock is read-only") {
  const auto all = parse(laptop);
  CHECK(all[3].writable);
  CHECK_FALSE(all[4].writable);
  CHECK_FALSE(all[5].writable);
}

TEST_CASE("options that only contain ro do not make a mount read-only") {
  CHECK(parse("29 1 8:2 / / rw - ext4 /dev/sda2 rw,errors=remount-ro\n").at(0).writable);
}

TEST_CASE("lines that are cut off or strange are passed over") {
  CHECK(parse("").empty());
  CHECK(parse("29 1 8:2 / / rw\n29 1 8:2 / / rw - ext4\nx\n29 1 82 / / rw - ext4 a rw\n").empty());
  CHECK(parse("29 1 8:2 / / rw a b c - ext4 /dev/sda2 rw\n\n").size() == 1);
}

TEST_CASE("a host without a table has no mounts") {
  const test::TemporaryDirectory root;
  test::TestHost machine(root.path());
  CHECK(sys::mounts(machine.host()).empty());
  CHECK(sys::swaps(machine.host()).empty());
}

TEST_CASE("a path lies on the mount that leads nearest to it, wherever that stands in the table") {
  const auto all = parse(laptop);
  CHECK(source_of(all, "/home/file") == "/dev/nvme0n1p2");
  CHECK(source_of(all, "/run/hrvm") == "tmpfs");
  CHECK(source_of(all, "/mnt") == "/dev/sda1");
  CHECK(source_of(all, "/mnt/with space\\/x") == "/dev/sda3");
}

TEST_CASE("a mount point is a prefix of whole names only") {
  const auto all = parse(laptop);
  CHECK(source_of(all, "/mnt2/x") == "/dev/sda2");
  CHECK(source_of(all, "/mnt3") == "/dev/nvme0n1p2");
}

TEST_CASE("of mounts on one point the last one mounted is seen") {
  const auto all = parse(
      "29 1 8:2 / / rw - ext4 root rw\n"
      "30 29 0:1 / /mnt rw - ext4 first rw\n"
      "31 30 0:2 / /mnt rw - ext4 second rw\n");
  CHECK(source_of(all, "/mnt/x") == "second");
}

TEST_CASE("of several roots the one mounted over the others is seen") {
  const auto all = parse(
      "30 29 0:1 / / rw - overlay over rw\n"
      "29 1 8:2 / / rw - ext4 under rw\n");
  CHECK(source_of(all, "/x") == "over");
}

TEST_CASE("what lies below a later mount is hidden by it") {
  const auto all = parse(
      "29 1 8:2 / / rw - ext4 root rw\n"
      "30 29 0:1 / /mnt/deep rw - ext4 hidden rw\n"
      "31 29 0:2 / /mnt rw - ext4 over rw\n");
  CHECK(source_of(all, "/mnt/deep/x") == "over");
}

TEST_CASE("without ids the longest mount point counts, and of equals the last") {
  const std::vector<sys::Mount> all{{.mount_point = "/mnt/x", .source = "deep"},
                                    {.mount_point = "/", .source = "root"},
                                    {.mount_point = "/mnt", .source = "first"},
                                    {.mount_point = "/mnt", .source = "second"}};
  CHECK(source_of(all, "/mnt/x/y") == "deep");
  CHECK(source_of(all, "/mnt/y") == "second");
  CHECK(source_of(all, "/y") == "root");
}

TEST_CASE("a path that no mount leads to lies on none") {
  CHECK_FALSE(sys::mount_of({}, "/x"));
  CHECK_FALSE(sys::mount_of({{.mount_point = "/mnt"}}, "/x"));
}

TEST_CASE("swaps are told by path") {
  const test::TemporaryDirectory root;
  root.write("/proc/swaps",
             "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
             "/dev/sda3                               partition\t999420\t\t0\t\t-2\n"
             "/swap\\040file file 1 0 -3\n");
  test::TestHost machine(root.path());
  const auto all = sys::swaps(machine.host());
  REQUIRE(all.size() == 2);
  CHECK(all[0].path == "/dev/sda3");
  CHECK(all[1].path == "/swap file");
}

TEST_CASE("memory and processors are the recorded machine's") {
  const test::TemporaryDirectory root;
  root.write("/proc/meminfo", "MemTotal:       16177764 kB\nMemFree:         1 kB\nMemAvailable:   12000000 kB\n");
  root.write("/proc/cpuinfo", "processor\t: 0\nmodel name\t: x\n\nprocessor\t: 1\nmodel name\t: processor\n");
  test::TestHost machine(root.path());
  CHECK(sys::memory(machine.host()).total_bytes == 16177764ull * 1024);
  CHECK(sys::memory(machine.host()).available_bytes == 12000000ull * 1024);
  CHECK(sys::processors(machine.host()) == 2);
}

TEST_CASE("a machine that tells nothing has no memory and one processor") {
  const test::TemporaryDirectory root;
  test::TestHost machine(root.path());
  CHECK(sys::memory(machine.host()).total_bytes == 0);
  CHECK(sys::processors(machine.host()) == 1);
}

TEST_CASE("the space for what is not there yet is that of the nearest folder that is") {
  const test::TemporaryDirectory folder;
  const sys::Space here = sys::kernel_space(folder.path()), later = sys::kernel_space(folder / "a/b/c");
  CHECK(here.total_bytes > 0);
  CHECK(here.used_bytes > 0);
  CHECK(here.used_bytes + here.available_bytes <= here.total_bytes);
  CHECK(later.total_bytes == here.total_bytes);
}

TEST_CASE("this host's own root is mounted") {
  test::TestHost machine;
  const auto all = sys::mounts(machine.host());
  CHECK(sys::mount_of(all, "/proc/self/mountinfo").value().type == "proc");
}
