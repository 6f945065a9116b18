// Fingerprints of real filesystems that are really mounted, where root may do that; and of bytes that are changed by
// hand.
#include <fmt/core.h>
#include <unistd.h>
#include <algorithm>
#include <catch2/catch.hpp>

#include "hrvm/base/error.hpp"
#include "hrvm/block/devices.hpp"
#include "hrvm/machine/fingerprint.hpp"
#include "unit/machine/fixture.hpp"

using namespace hrvm;
using namespace hrvm::machine;
using namespace hrvm::machine::testing;

namespace {

constexpr std::uint64_t MiB = 1 << 20;

bool succeeds(const std::string& shell_line) {
  const auto runner = sys::make_process_runner();
  const auto result = runner->run({{"sh", "-c", shell_line}, {}, {}}, std::chrono::seconds(60));
  UNSCOPED_INFO(shell_line << ": " << result.err);
  return result.exit_status == 0;
}

// A GPT disk: p1 without a filesystem at 1 MiB, p3 from 4 MiB on to just before the end.
class DiskImage {
 public:
  explicit DiskImage(std::uint64_t p3_mib = 24) : size_((p3_mib + 5) * MiB), p3_bytes_(p3_mib * MiB) {
    REQUIRE(succeeds(fmt::format("truncate -s {} {}", size_, path())));
    REQUIRE(
        succeeds(fmt::format("printf 'label: gpt\\nstart=2048, size=2048\\n"
                             "3: start=8192, size={}\\n' | sfdisk -q {}",
                             p3_bytes_ / 512, path())));
  }
  std::string path() const { return (folder_.path() / "disk.img").string(); }
  std::string mount_point() const { return (folder_.path() / "mnt").string(); }
  std::uint64_t size() const { return size_; }
  static constexpr std::uint64_t p3_start = 4 * MiB;

  // Makes a filesystem beside the image and puts it in the place of p3.
  void format(const std::string& mkfs) const {
    const auto part = folder_.path() / "part.img";
    REQUIRE(
        succeeds(fmt::format("truncate -s {} {} && {} {} >/dev/null", p3_bytes_, part.string(), mkfs, part.string())));
    REQUIRE(
        succeeds(fmt::format("dd if={} of={} bs=1M seek=4 conv=notrunc,sparse status=none", part.string(), path())));
  }
  bool mounts(const std::string& options) const {
    return succeeds(fmt::format("mkdir -p {0} && mount -o loop,offset={1},sizelimit={2},{3} {4} {0}", mount_point(),
                                p3_start, p3_bytes_, options, path()));
  }
  bool unmounts() const { return succeeds("umount " + mount_point()); }

  Fingerprint fingerprint() const {
    const auto device = block::open_device(path(), block::Access::fresh);
    return read_fingerprint({device.get()}, at("2026-03-01T12:00:00Z"));
  }
  void flip_byte(std::uint64_t offset) const {
    const auto fd = sys::open_file(path(), O_RDWR);
    std::array<std::byte, 1> byte{};
    REQUIRE(::pread(fd.get(), byte.data(), 1, off_t(offset)) == 1);
    byte[0] ^= std::byte{1};
    sys::write_fully(fd.get(), byte, offset, path());
  }

 private:
  TemporaryFolder folder_;
  std::uint64_t size_, p3_bytes_;
};

std::vector<std::string> told(const Fingerprint& then, const Fingerprint& now) { return reasons(compare(then, now)); }

const std::vector<std::string> nothing;

// What a mount and unmount of p3 without touching a file is told as.
std::vector<std::string> told_after_mount(const DiskImage& disk, const std::string& options) {
  const auto then = disk.fingerprint();
  REQUIRE(disk.mounts(options));
  REQUIRE(disk.unmounts());
  return told(then, disk.fingerprint());
}

bool cannot_mount() {
  if (::geteuid() == 0 && succeeds("test -e /dev/loop-control")) return false;
  WARN("SKIPPED: mounting needs root and loop devices");
  return true;
}

bool has(const std::string& program) { return succeeds("command -v " + program); }

}  // namespace

TEST_CASE("a disk that nobody touched has the same fingerprint again") {
  const DiskImage disk;
  disk.format("mkfs.ext4 -q");
  CHECK(compare(disk.fingerprint(), disk.fingerprint()).size() >= 7);
  CHECK(told(disk.fingerprint(), disk.fingerprint()) == nothing);
  CHECK(disk.fingerprint() == disk.fingerprint());
}

TEST_CASE("a mark of a hash alone is the same with a text before it, of what was not looked at then") {
  const auto fingerprint = [](std::string value) {
    return Fingerprint{{}, {{"p1 (ntfs): master file table", std::move(value)}}};
  };
  const std::vector<std::string> written{"p1 (ntfs) was mounted or written since"};
  CHECK(told(fingerprint("xxh3 0a"), fingerprint("table 1; xxh3 0a")) == nothing);
  CHECK(told(fingerprint("xxh3 0a"), fingerprint("table 1; xxh3 0b")) == written);
  CHECK(told(fingerprint("table 1; xxh3 0a"), fingerprint("table 2; xxh3 0a")) == written);
  CHECK(told(fingerprint("table 1; xxh3 0a"), fingerprint("xxh3 0a")) == written);
}

TEST_CASE("a filesystem that was mounted and unmounted is told by its partition") {
  if (cannot_mount()) return;
  const DiskImage disk;
  disk.format("mkfs.ext4 -q");
  CHECK(told_after_mount(disk, "rw") == std::vector<std::string>{"p3 (ext4) was mounted or written since"});
}

TEST_CASE("a read-only mount of a clean filesystem moves nothing") {
  if (cannot_mount()) return;
  const DiskImage disk;
  disk.format("mkfs.ext4 -q");
  CHECK(told_after_mount(disk, "ro") == nothing);
}

TEST_CASE("an XFS that was mounted is told, though only its log moved") {
  if (cannot_mount()) return;
  REQUIRE(has("mkfs.xfs"));
  const DiskImage disk(320);
  disk.format("mkfs.xfs -q -f");
  CHECK(told_after_mount(disk, "rw") == std::vector<std::string>{"p3 (xfs) was mounted or written since"});
  CHECK(told_after_mount(disk, "rw") == std::vector<std::string>{"p3 (xfs) was mounted or written since"});
  CHECK(told_after_mount(disk, "ro,norecovery") == nothing);
}

TEST_CASE("a btrfs that was mounted is told") {
  if (cannot_mount()) return;
  REQUIRE(has("mkfs.btrfs"));
  const DiskImage disk(128);
  disk.format("mkfs.btrfs -q -f");
  CHECK(told_after_mount(disk, "rw") == std::vector<std::string>{"p3 (btrfs) was mounted or written since"});
}

TEST_CASE("a file copied onto a FAT is told") {
  REQUIRE(has("mkfs.vfat"));
  REQUIRE(has("mcopy"));
  for (const auto bits : {"16", "32"}) {
    const DiskImage disk(64);
    disk.format(fmt::format("mkfs.vfat -F {}", bits));
    const auto then = disk.fingerprint();
    REQUIRE(succeeds(fmt::format("mmd -i {}@@{} ::/EFI", disk.path(), DiskImage::p3_start)));
    CHECK(told(then, disk.fingerprint()) == std::vector<std::string>{"p3 (vfat) was mounted or written since"});
  }
}

TEST_CASE("one byte in a superblock is enough") {
  const DiskImage disk;
  disk.format("mkfs.ext4 -q");
  const auto then = disk.fingerprint();
  disk.flip_byte(DiskImage::p3_start + 1024 + 0x178);
  CHECK_FALSE(told(then, disk.fingerprint()) == nothing);
}

TEST_CASE("one byte where a sample is taken is told by the partition that it lies in") {
  const DiskImage disk;
  disk.format("mkfs.ext4 -q");
  const auto then = disk.fingerprint();
  const auto step = disk.size() / 32;
  disk.flip_byte((20 * step + step / 2) / 4096 * 4096);
  CHECK(told(then, disk.fingerprint()) == std::vector<std::string>{"p3 (ext4) was written since"});
}

TEST_CASE("a partition without a filesystem is told when its start is written") {
  const DiskImage disk;
  const auto then = disk.fingerprint();
  disk.flip_byte(MiB + 4096);
  CHECK(told(then, disk.fingerprint()) == std::vector<std::string>{"p1 was written since"});
}

TEST_CASE("boot code before the first partition is watched apart from the table") {
  const DiskImage disk;
  const auto then = disk.fingerprint();
  disk.flip_byte(64 * 1024);
  CHECK(told(then, disk.fingerprint()) == std::vector<std::string>{"the boot area was changed"});
}

TEST_CASE("a changed partition table is told, and so is a partition that went or came") {
  const DiskImage disk;
  const auto then = disk.fingerprint();
  REQUIRE(succeeds(fmt::format("sfdisk -q --delete {} 1", disk.path())));
  const auto reasons = told(then, disk.fingerprint());
  CHECK(std::count(reasons.begin(), reasons.end(), "the partition table was changed") == 1);
  CHECK(std::count(reasons.begin(), reasons.end(), "the backup partition table was changed") == 1);
  CHECK(std::count(reasons.begin(), reasons.end(), "p1 is no longer there") == 1);
}

TEST_CASE("a disk that was cut is told by its size first") {
  const DiskImage disk;
  disk.format("mkfs.ext4 -q");
  const auto then = disk.fingerprint();
  REQUIRE(succeeds(fmt::format("truncate -s -1M {}", disk.path())));
  const auto reasons = told(then, disk.fingerprint());
  REQUIRE_FALSE(reasons.empty());
  CHECK(reasons[0] ==
        fmt::format("it is 1 MiB smaller than it was ({} bytes, were {})", disk.size() - MiB, disk.size()));
}

TEST_CASE("a filesystem on the whole disk is told as the disk") {
  if (cannot_mount()) return;
  const TemporaryFolder folder;
  const auto path = (folder.path() / "disk.img").string();
  REQUIRE(succeeds(fmt::format("truncate -s 16M {0} && mkfs.ext4 -q {0}", path)));
  const auto look = [&] { return read_fingerprint({block::open_device(path, block::Access::fresh).get()}, {}); };
  const auto then = look();
  REQUIRE(
      succeeds(fmt::format("mkdir {1} && mount -o loop {0} {1} && umount {1}", path, (folder.path() / "m").string())));
  CHECK(told(then, look()) == std::vector<std::string>{"disk (ext4) was mounted or written since"});
}

TEST_CASE("of several disks each has its marks, and what moved says on which") {
  const DiskImage first, second(8);
  const auto look = [&] {
    const auto one = block::open_device(first.path(), block::Access::fresh);
    const auto two = block::open_device(second.path(), block::Access::fresh);
    return read_fingerprint({one.get(), nullptr, two.get()}, {});
  };
  const auto then = look();
  CHECK(look() == then);
  for (const auto& mark : first.fingerprint().marks) CHECK(std::ranges::count(then.marks, mark) == 1);
  for (const auto& mark : second.fingerprint().marks)
    CHECK(std::ranges::count(then.marks, Mark{"disk 3, " + mark.what, mark.value}) == 1);
  CHECK(then.marks.size() == first.fingerprint().marks.size() + second.fingerprint().marks.size());

  second.flip_byte(DiskImage::p3_start + 64 * 1024 * 4);
  second.flip_byte(MiB / 2);
  CHECK(told(then, look()) == std::vector<std::string>{"disk 3, the boot area was changed"});
  std::filesystem::resize_file(second.path(), second.size() + MiB);
  CHECK(told(then, look()).front() ==
        fmt::format("disk 3 is 1 MiB larger than it was ({} bytes, were {})", second.size() + MiB, second.size()));
  std::filesystem::resize_file(second.path(), second.size());
  first.flip_byte(MiB / 2);
  CHECK(told(then, look()) ==
        std::vector<std::string>{"the boot area was changed", "disk 3, the boot area was changed"});
}

TEST_CASE("a fingerprint is read by a confined child as it is read here") {
  const DiskImage disk;
  disk.format("mkfs.ext4 -q");
  TestHost test_host;
  probe::Disk base;
  base.path = disk.path();
  CHECK(take_fingerprint(test_host.host, {base}) == disk.fingerprint());
}

TEST_CASE("the hash of a base is its SHA-256, holes included") {
  const DiskImage disk;
  disk.format("mkfs.ext4 -q");
  TestHost test_host;
  probe::Disk base;
  base.path = disk.path();
  std::uint64_t last = 0;
  const auto hash = hash_base(test_host.host, base, [&](std::uint64_t done) { last = done; });
  CHECK(succeeds(fmt::format("test \"$(sha256sum < {})\" = '{}  -'", disk.path(), hash)));
  CHECK(last == disk.size());
}

TEST_CASE("a filesystem that was made anew, or is gone, is told by its place once") {
  const DiskImage disk;
  const auto empty = disk.fingerprint();
  disk.format("mkfs.ext4 -q");
  const auto formatted = disk.fingerprint();
  CHECK(told(empty, formatted) == std::vector<std::string>{"p3 holds something else now"});
  CHECK(told(formatted, empty) == std::vector<std::string>{"p3 holds something else now"});
}
