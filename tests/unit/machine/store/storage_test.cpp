#include "hrvm/machine/storage.hpp"

#include <catch2/catch.hpp>

#include "machine/store/volatility.hpp"
#include "unit/machine/fixture.hpp"

using namespace hrvm;
using namespace hrvm::machine;
using namespace hrvm::machine::testing;

namespace {

// A host that is known by what /proc/self/mountinfo and /sys say.
struct RecordedHost {
  TemporaryFolder folder;
  TestHost test_host;

  explicit RecordedHost(std::string_view mountinfo) {
    test_host.host.root = folder.path();
    write_file(folder.path() / "proc/self/mountinfo", mountinfo);
  }
  sys::Host& host() { return test_host.host; }
  std::optional<std::string> why_volatile(const std::string& path) {
    return volatile_reason(host(), sys::mounts(host()), path);
  }
};

constexpr std::string_view ordinary =
    "22 1 8:2 / / rw,relatime - ext4 /dev/sda2 rw\n"
    "23 22 0:21 / /tmp rw - tmpfs tmpfs rw\n"
    "24 22 0:22 / /proc rw - proc proc rw\n"
    "25 22 8:17 / /mnt/data rw - xfs /dev/sdb1 rw\n"
    "26 22 8:17 /sub /mnt/again rw - xfs /dev/sdb1 rw\n"
    "27 22 8:33 / /mnt/ro ro - ext4 /dev/sdc1 ro\n"
    "28 22 8:1 / /boot/efi rw - vfat /dev/sda1 rw\n";

}  // namespace

TEST_CASE("an ordinary filesystem keeps what is written") {
  RecordedHost recorded(ordinary);
  CHECK_FALSE(recorded.why_volatile("/var/lib/hrvm"));
  CHECK_FALSE(recorded.why_volatile("/mnt/data/vms"));
}

TEST_CASE("a store on what is mounted read-only is known as that") {
  RecordedHost recorded(ordinary);
  CHECK(examine_storage(recorded.host(), "/mnt/ro/store").read_only);
  CHECK_FALSE(examine_storage(recorded.host(), "/mnt/data/store").read_only);
}

TEST_CASE("tmpfs and ramfs are kept in memory") {
  RecordedHost recorded("1 0 0:1 / / rw - ramfs rootfs rw\n2 1 0:2 / /tmp rw - tmpfs tmpfs rw\n");
  CHECK(recorded.why_volatile("/tmp/vms") == "/tmp is kept in memory (tmpfs)");
  CHECK(recorded.why_volatile("/var/lib/hrvm") == "/ is kept in memory (ramfs)");
}

TEST_CASE("a filesystem on a compressed RAM disk is kept in memory") {
  RecordedHost recorded("1 0 252:0 / / rw - ext4 /dev/zram0 rw\n");
  CHECK(recorded.why_volatile("/x") == "/ lies on /dev/zram0, which is kept in memory");
}

TEST_CASE("an overlay is as volatile as what holds its upper directory") {
  RecordedHost live(
      "1 0 0:30 / / rw - overlay overlay rw,lowerdir=/run/live/rootfs,upperdir=/run/live/overlay/rw,workdir=/w\n"
      "2 1 0:20 / /run rw - tmpfs tmpfs rw\n");
  CHECK(live.why_volatile("/var/lib/hrvm") ==
        "/ is an overlay whose changes are not kept: /run is kept in memory (tmpfs)");
  RecordedHost persistent(
      "1 0 0:30 / / rw - overlay overlay rw,upperdir=/run/live/persistence/sdb3/rw\n"
      "2 1 0:20 / /run rw - tmpfs tmpfs rw\n"
      "3 2 8:19 / /run/live/persistence/sdb3 rw - ext4 /dev/sdb3 rw\n");
  CHECK_FALSE(persistent.why_volatile("/var/lib/hrvm"));
}

TEST_CASE("an upper directory is found although the initramfs saw it in another place") {
  RecordedHost recorded(
      "1 0 8:2 / / rw - ext4 /dev/sda2 rw\n"
      "2 1 0:20 / /nix/.rw-store rw - tmpfs tmpfs rw\n"
      "3 1 0:31 / /nix/store rw - overlay overlay rw,upperdir=/mnt-root/nix/.rw-store/store\n");
  CHECK(recorded.why_volatile("/nix/store/x"));
}

TEST_CASE("an overlay whose upper directory cannot be seen is taken as volatile") {
  RecordedHost recorded("1 0 0:30 / / rw - overlay overlay rw,upperdir=/cow/upper\n");
  CHECK_THAT(recorded.why_volatile("/var").value_or(""),
             Catch::Contains("/cow/upper") && Catch::Contains("cannot be seen"));
}

TEST_CASE("a container's overlay with its upper directory on a disk is kept") {
  RecordedHost recorded(
      "1 0 8:2 / / rw - ext4 /dev/sda2 rw\n"
      "2 1 0:30 / /srv/merged rw - overlay overlay rw,upperdir=/srv/upper\n");
  CHECK_FALSE(recorded.why_volatile("/srv/merged/x"));
}

TEST_CASE("a filesystem in a file in memory is kept in memory") {
  RecordedHost recorded(
      "1 0 8:2 / / rw - ext4 /dev/sda2 rw\n2 1 0:2 / /tmp rw - tmpfs tmpfs rw\n3 1 7:0 / /mnt rw - ext4 /dev/loop0 "
      "rw\n");
  write_file(recorded.folder.path() / "sys/block/loop0/loop/backing_file", "/tmp/disk.img\n");
  CHECK(recorded.why_volatile("/mnt/x") == "/mnt lies in the file /tmp/disk.img, and /tmp is kept in memory (tmpfs)");
}

TEST_CASE("storage is told with the filesystem that a store not yet made will lie on") {
  RecordedHost recorded(ordinary);
  const auto state = examine_storage(recorded.host(), "/mnt/data/not/yet/made");
  CHECK(state.filesystem == "xfs");
  CHECK(state.mount_point == "/mnt/data");
  CHECK_FALSE(state.volatile_storage);
  CHECK(state.total_bytes > 0);
}

TEST_CASE("alternatives are persistent, writable, each told once, and not the place itself") {
  RecordedHost recorded(ordinary);
  const auto alternatives = examine_storage(recorded.host(), "/tmp/store").alternatives;
  REQUIRE(alternatives.size() == 2);
  CHECK_THAT(alternatives[0] + alternatives[1], Catch::Contains("/mnt/data (") && Catch::Contains("/ ("));
  CHECK(examine_storage(recorded.host(), "/var/lib").alternatives.size() == 1);
}

TEST_CASE("a link on the way to the store is followed") {
  RecordedHost recorded(ordinary);
  std::filesystem::create_directories(recorded.folder.path() / "mnt/data");
  std::filesystem::create_directory_symlink("mnt/data", recorded.folder.path() / "vms");
  CHECK(examine_storage(recorded.host(), "/vms/store").mount_point == "/mnt/data");
}

TEST_CASE("of a filesystem 5 % are kept, at least 8 MiB and at most 1 GiB") {
  CHECK(room_to_keep({10 * base::GiB, 0, 10 * base::GiB}) == 512 * base::MiB);
  CHECK(room_to_keep({64 * base::MiB, 0, 64 * base::MiB}) == 8 * base::MiB);
  CHECK(room_to_go_on({64 * base::MiB, 0, 64 * base::MiB}) == 12 * base::MiB);
  CHECK(room_to_keep({4096 * base::GiB, 0, 0}) == base::GiB);
}

TEST_CASE("a filesystem is nearly full by what is used, not by what is kept from this user") {
  CHECK(is_nearly_full({200 * base::GiB, 86 * base::GiB, 14 * base::GiB}));
  CHECK_FALSE(is_nearly_full({200 * base::GiB, 80 * base::GiB, 20 * base::GiB}));
  CHECK_FALSE(is_nearly_full({}));
}
