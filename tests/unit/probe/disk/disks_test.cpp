// Disks of recorded machines: what they are, what uses them, and what a person's words for them mean.
#include <sys/stat.h>

#include <catch2/catch.hpp>

#include "hrvm/base/error.hpp"
#include "hrvm/block/image_lock.hpp"
#include "hrvm/probe/disk.hpp"
#include "hrvm/sys/fd.hpp"
#include "hrvm/sys/files.hpp"
#include "support/disk_writer.hpp"
#include "support/recorded_machines.hpp"
#include "support/run_program.hpp"
#include "support/test_host.hpp"

using namespace hrvm;
using namespace hrvm::probe;
using Catch::Matchers::Contains;

namespace {

std::vector<std::string> paths(const std::vector<Disk>& disks) {
  std::vector<std::string> names;
  for (const Disk& disk : disks) names.push_back(disk.path);
  return names;
}

std::vector<std::string> words(const std::vector<Use>& uses) {
  std::vector<std::string> told;
  for (const Use& use : uses) told.push_back(std::string(word(use.by)) + " " + use.what + (use.writable ? "" : " ro"));
  return told;
}

using Words = std::vector<std::string>;

std::vector<Disk> disks_of(const std::string& machine, bool all = false) {
  test::TestHost host(test::recorded_machine(machine).root());
  return attached_disks(host.host(), all);
}

base::Error locate_error(const sys::Host& host, const std::string& source) {
  try {
    locate_disk(host, source);
  } catch (const base::Error& error) {
    return error;
  }
  FAIL("no error for " + source);
  return {base::ErrorKind::io, ""};
}

}  // namespace

TEST_CASE("an NVMe disk is told with its serial, WWN and the by-id name that people read") {
  const auto disks = disks_of("laptop");
  REQUIRE(paths(disks) == Words{"/dev/nvme0n1"});
  const Disk& disk = disks[0];
  CHECK(disk.kind == DiskKind::disk);
  CHECK(disk.bus == "nvme");
  CHECK(disk.model == "SAMSUNG MZVLB256HBHQ-000L7");
  CHECK(disk.serial == "S4ELNX0M123456");
  CHECK(disk.wwn == "eui.0025388b91b3c4d5");
  CHECK(disk.stable_path == "/dev/disk/by-id/nvme-SAMSUNG_MZVLB256HBHQ-000L7_S4ELNX0M123456");
  CHECK(disk.size_bytes == 500118192ull * 512);
  CHECK_FALSE(disk.removable);
}

TEST_CASE("a disk that the host runs from is in use by its mounts and its swap") {
  CHECK(words(disks_of("laptop")[0].in_use) == Words{"mount /", "mount /boot/efi", "swap /dev/nvme0n1p3"});
}

TEST_CASE("SATA and USB disks are told apart by what they hang on, and 512e is seen") {
  const auto disks = disks_of("server");
  REQUIRE(paths(disks) == Words{"/dev/sda", "/dev/sdb", "/dev/sdc"});
  CHECK(disks[0].bus == "sata");
  CHECK(disks[0].model == "Samsung SSD 870 EVO 250GB");
  CHECK(disks[0].serial == "S5Y1NJ0R123456");
  CHECK(disks[0].wwn == "0x5002538f31a0b1c2");
  CHECK(disks[0].stable_path == "/dev/disk/by-id/ata-Samsung_SSD_870_EVO_250GB_S5Y1NJ0R123456");
  CHECK(disks[0].in_use.empty());
  CHECK(disks[1].sectors == block::SectorSizes{512, 4096});
  CHECK(disks[2].bus == "usb");
  CHECK(disks[2].removable);
  CHECK(disks[2].serial == "4C530001234567890123");
}

TEST_CASE("without udevd disks keep their kernel name, and serials come from sysfs") {
  const auto disks = disks_of("live");
  REQUIRE(paths(disks) == Words{"/dev/sda", "/dev/sdb"});
  CHECK(disks[0].stable_path == "/dev/sda");
  CHECK(disks[0].model == "WDC WD1200BEVS-0");
  CHECK(disks[0].wwn.empty());
  CHECK(disks[1].serial == "E0D55EA573F5F4A1");
  CHECK(words(disks[1].in_use) == Words{"mount /run/live/medium ro"});
}

TEST_CASE("loop, optical and zram devices are told only when all are asked for, and unbound ones never") {
  CHECK(disks_of("bare").empty());
  const auto all = disks_of("bare", true);
  REQUIRE(paths(all) == Words{"/dev/sr0", "/dev/zram0"});
  CHECK(all[0].bus == "optical");
  CHECK(all[1].bus == "zram");
}

TEST_CASE("a disk is found by any of its names") {
  test::TestHost host(test::recorded_machine("server").root());
  for (const char* name : {"/dev/sda", "/dev/disk/by-id/wwn-0x5002538f31a0b1c2", "/dev/../dev/sda"})
    CHECK(locate_disk(host.host(), name).path == "/dev/sda");
}

TEST_CASE("a partition is refused, and its whole disk named") {
  test::TestHost host(test::recorded_machine("laptop").root());
  for (const char* name : {"/dev/nvme0n1p2", "/dev/disk/by-id/nvme-SAMSUNG_MZVLB256HBHQ-000L7_S4ELNX0M123456-part2"}) {
    const auto error = locate_error(host.host(), name);
    CHECK(error.kind() == base::ErrorKind::refused);
    CHECK_THAT(error.message(), Contains("/dev/nvme0n1p2 is a partition"));
    CHECK_THAT(error.hint(), Contains("/dev/nvme0n1") && !Contains("nvme0n1p2"));
  }
}

TEST_CASE("what is not there is not found, with the name that was probably meant") {
  test::TestHost host(test::recorded_machine("server").root());
  CHECK(locate_error(host.host(), "/dev/sdaa").kind() == base::ErrorKind::not_found);
  CHECK_THAT(locate_error(host.host(), "/dev/sdd").hint(), Contains("/dev/sd"));
  CHECK_THAT(locate_error(host.host(), "sda").hint(), Contains("did you mean /dev/sda?"));
  CHECK(locate_error(host.host(), "").kind() == base::ErrorKind::usage);
  const test::TemporaryDirectory folder;
  folder.write("windows.img", "");
  CHECK_THAT(locate_error(host.host(), (folder / "windos.img").string()).hint(), Contains("windows.img"));
}

TEST_CASE("FIFOs and character devices are no disks") {
  test::TestHost host;
  const test::TemporaryDirectory folder;
  REQUIRE(::mkfifo((folder / "fifo").c_str(), 0600) == 0);
  for (const std::string& source : {(folder / "fifo").string(), std::string("/dev/null")})
    CHECK(locate_error(host.host(), source).kind() == base::ErrorKind::unsupported);
}

TEST_CASE("a folder is told by its own path, links to it followed") {
  test::TestHost host;
  const test::TemporaryDirectory folder;
  std::filesystem::create_directories(folder / "root");
  std::filesystem::create_directory_symlink("root", folder / "link");
  const Disk disk = locate_disk(host.host(), (folder / "link").string());
  CHECK(disk.kind == DiskKind::directory);
  CHECK(disk.path == std::filesystem::canonical(folder / "root").string());
}

TEST_CASE("an image is told by its absolute path, size and format") {
  test::TestHost host;
  const test::TemporaryDirectory folder;
  test::set_size(folder / "disk.img", 3 << 20);
  const Disk raw = locate_disk(host.host(), (folder.path() / "../" / folder.path().filename() / "disk.img").string());
  CHECK(raw.kind == DiskKind::image);
  CHECK(raw.path == (folder / "disk.img").string());
  CHECK(raw.stable_path == raw.path);
  CHECK(raw.bus == "file");
  CHECK(raw.size_bytes == 3 << 20);
  CHECK(raw.format == DiskFormat::raw);
  CHECK(raw.in_use.empty());

  test::TestHost anywhere;
  test::run_program({"qemu-img", "create", "-q", "-f", "qcow2", folder / "disk.qcow2", "7M"});
  const Disk qcow2 = locate_disk(anywhere.host(), (folder / "disk.qcow2").string());
  CHECK(qcow2.format == DiskFormat::qcow2);
  CHECK(qcow2.size_bytes == 7 << 20);
}

TEST_CASE("another hypervisor's image is a disk of its size, and a damaged one a container that tells what is wrong") {
  const test::TemporaryDirectory folder;
  for (const auto& [format, expected] : {std::pair{"vdi", DiskFormat::vdi},
                                         {"vhdx", DiskFormat::vhdx},
                                         {"vmdk", DiskFormat::vmdk},
                                         {"vpc", DiskFormat::vpc}}) {
    CAPTURE(format);
    test::TestHost host;
    const auto path = (folder / format).string();
    std::vector<std::string> argv = {"qemu-img", "create", "-q", "-f", format, path, "7M"};
    if (expected == DiskFormat::vpc) argv.insert(argv.begin() + 5, {"-o", "force_size=on"});
    test::run_program(argv);
    const Disk disk = locate_disk(host.host(), path);
    CHECK(disk.format == expected);
    CHECK(disk.size_bytes == 7 << 20);
    CHECK_FALSE(disk.container);
    test::set_size(path, expected == DiskFormat::vhdx ? 100 << 10 : 520);
    const Disk damaged = locate_disk(host.host(), path);
    REQUIRE(damaged.container);
    CHECK_THAT(damaged.container->what, Catch::Matchers::Contains(", and is not read as it lies: " + path));
  }
}

TEST_CASE(
    "a VMDK descriptor stands for the raw disk beside it, unless that is of another size, or a descriptor again") {
  const test::TemporaryDirectory folder;
  const auto text = [](const std::string& file, int sectors) {
    return "# Disk DescriptorFile\nparentCID=ffffffff\nRW " + std::to_string(sectors) + " FLAT \"" + file + "\" 0\n";
  };
  const auto located = [&](const std::string& name) {
    test::TestHost host;
    return locate_disk(host.host(), (folder / name).string());
  };
  folder.write("web-flat.vmdk", std::string(8192, '\0'));
  folder.write("web.vmdk", text("web-flat.vmdk", 16));
  CHECK(located("web.vmdk").path == (folder / "web-flat.vmdk").string());
  CHECK(located("web.vmdk").format == DiskFormat::raw);
  // A raw disk whose guest begins it so: what it names beside it is not its own.
  auto disk = text("web-flat.vmdk", 16);
  disk.resize(1 << 20, '\n');
  folder.write("guest.img", disk);
  CHECK(located("guest.img").path == (folder / "guest.img").string());
  CHECK(located("guest.img").container);
  folder.write("web.vmdk", text("web-flat.vmdk", 17));
  CHECK(located("web.vmdk").container);

  for (const auto& [name, other] : {std::pair{"a.vmdk", "b.vmdk"}, {"b.vmdk", "a.vmdk"}, {"self.vmdk", "self.vmdk"}}) {
    auto described = text(other, 2);
    described.resize(1024, '\n');
    folder.write(name, described);
  }
  CHECK(located("a.vmdk").path == (folder / "b.vmdk").string());
  CHECK(located("a.vmdk").container);
  CHECK(located("self.vmdk").container);
}

namespace {

// base.img ← mid.qcow2 ← top.qcow2
struct ChainOfThree {
  test::TemporaryDirectory folder;
  test::TestHost host;
  ChainOfThree() {
    test::set_size(folder / "base.img", 1 << 20);
    test::run_program({"qemu-img", "create", "-q", "-f", "qcow2", "-b", "base.img", "-F", "raw", file("mid.qcow2")});
    test::run_program({"qemu-img", "create", "-q", "-f", "qcow2", "-b", "mid.qcow2", "-F", "qcow2", file("top.qcow2")});
  }
  std::string file(const std::string& name) const { return (folder / name).string(); }
  Disk disk() { return locate_disk(host.host(), file("top.qcow2")); }
};

}  // namespace

TEST_CASE_METHOD(ChainOfThree, "all files of a qcow2 image are known, with the format that the headers name") {
  const auto files = disk().files;
  REQUIRE(files.size() == 3);
  CHECK(files[0].path == file("top.qcow2"));
  CHECK(files[1].path == file("mid.qcow2"));
  CHECK(files[2].path == file("base.img"));
  CHECK(files[1].format == image::ImageFormat::qcow2);
  CHECK(files[2].format == image::ImageFormat::raw);
  for (const auto& each : files) CHECK((each.format_is_named && !each.dirty && !each.corrupt && !each.is_device));
}

TEST_CASE_METHOD(ChainOfThree, "a format that no header names, and marks in a header, are told") {
  const std::string text = sys::read_file(file("mid.qcow2"), 1 << 20);
  const auto extension = text.find(std::string("\xe2\x79\x2a\xca", 4));
  REQUIRE(extension != text.npos);
  test::write_at(file("mid.qcow2"), extension, std::string("\x11\x22\x33\x44", 4));
  test::write_at(file("mid.qcow2"), 79, std::string("\x03", 1));  // dirty and corrupt
  const auto files = disk().files;
  CHECK_FALSE(files[2].format_is_named);
  CHECK(files[1].dirty);
  CHECK(files[1].corrupt);
  CHECK_FALSE(files[0].dirty);
}

TEST_CASE_METHOD(ChainOfThree, "an image is in use when what backs it is") {
  CHECK(disk().in_use.empty());
  auto fd = sys::open_for_update(file("mid.qcow2"));
  block::lock_image_exclusively(fd.get(), file("mid.qcow2"));
  CHECK(words(disk().in_use) == std::vector<std::string>{"qemu a running machine or qemu-img"});
}

TEST_CASE_METHOD(ChainOfThree, "an image whose backing file is missing, loops or is a protocol's name is an error") {
  const auto message = [&] {
    try {
      disk();
    } catch (const base::Error& error) {
      return error.message();
    }
    return std::string("it was found");
  };
  std::filesystem::rename(file("base.img"), file("gone"));
  CHECK_THAT(message(), Contains("reading what backs " + file("top.qcow2")) && Contains(file("base.img")));
  std::filesystem::copy(file("top.qcow2"), file("base.img"));
  std::filesystem::remove(file("mid.qcow2"));
  std::filesystem::create_hard_link(file("top.qcow2"), file("mid.qcow2"));
  CHECK_THAT(message(), Contains("backs itself"));
  test::run_program({"qemu-img", "rebase", "-u", "-b", "nbd://127.0.0.1:1/x", "-F", "raw", file("top.qcow2")});
  CHECK_THAT(message(), Contains("hrvm opens only files and disks"));
}

TEST_CASE("an image that a loop device reads is in use by it") {
  const test::TemporaryDirectory folder;
  test::set_size(folder / "disk.img", 1 << 20);
  const test::RecordedMachine machine("bare");
  machine.folder().write("sys/devices/virtual/block/loop0/size", "2048\n");
  machine.folder().write("sys/devices/virtual/block/loop0/ro", "1\n");
  machine.folder().write("sys/devices/virtual/block/loop0/loop/backing_file", (folder / "disk.img").string() + "\n");
  test::TestHost host(machine.root());
  CHECK(words(locate_disk(host.host(), (folder / "disk.img").string()).in_use) == Words{"loop /dev/loop0 ro"});
}

TEST_CASE("LVM and md on a disk's partitions are uses of the disk, and so is what is mounted from them") {
  const test::RecordedMachine machine("server");
  const auto& folder = machine.folder();
  folder.link("sys/block/sda/sda3/holders/dm-0", "../../../dm-0");
  folder.write("sys/block/dm-0/dev", "253:0\n");
  folder.write("sys/block/dm-0/dm/name", "pve-root\n");
  folder.write("sys/block/dm-0/slaves/sda3", "");
  folder.link("sys/block/sdb/holders/md0", "../../md0");
  folder.write("sys/block/md0/dev", "9:0\n");
  folder.write("proc/self/mountinfo", "30 1 253:0 / / rw - ext4 /dev/mapper/pve-root rw\n");
  test::TestHost host(machine.root());
  const auto disks = attached_disks(host.host(), false);
  CHECK(words(disks.at(0).in_use) == Words{"dm pve-root", "mount /"});
  CHECK(words(disks.at(1).in_use) == Words{"md /dev/md0"});
  CHECK(disks_under(host.host(), "/var/lib/hrvm") == Words{"/dev/sda"});
}

TEST_CASE("a multipath device is one disk, and its paths are not told") {
  const test::RecordedMachine machine("server");
  const auto& folder = machine.folder();
  for (const char* path : {"sda", "sdb"}) {
    folder.write("sys/block/dm-0/slaves/" + std::string(path), "");
    folder.write("sys/block/" + std::string(path) + "/holders/dm-0", "");
  }
  folder.write("sys/block/dm-0/dev", "253:0\n");
  folder.write("sys/block/dm-0/size", "2048\n");
  folder.write("sys/block/dm-0/dm/name", "mpatha\n");
  folder.write("sys/block/dm-0/dm/uuid", "mpath-3600508b400105e210000900000490000\n");
  test::TestHost host(machine.root());
  CHECK(paths(attached_disks(host.host(), false)) == Words{"/dev/mapper/mpatha", "/dev/sdc"});
}

TEST_CASE("the disks under a path are found through partitions, overlays and loop devices") {
  test::TestHost laptop(test::recorded_machine("laptop").root());
  CHECK(disks_under(laptop.host(), "/var/lib/hrvm") == Words{"/dev/nvme0n1"});
  CHECK(disks_under(laptop.host(), "/tmp/store").empty());
  test::TestHost live(test::recorded_machine("live").root());
  CHECK(disks_under(live.host(), "/var/lib/hrvm").empty());
  CHECK(disks_under(live.host(), "/run/live/medium/x") == Words{"/dev/sdb"});
  CHECK(disks_under(live.host(), "/run/live/rootfs/filesystem.squashfs/x") ==
        Words{"/dev/loop0", "/dev/sdb", "/run/live/medium/live/filesystem.squashfs"});
  test::TestHost server(test::recorded_machine("server").root());
  CHECK(disks_under(server.host(), "/var/lib/hrvm").empty());
}
