#include <catch2/catch.hpp>

#include "probe/boot/command_line.hpp"
#include "probe/boot/device_name.hpp"

using namespace hrvm::probe;
using By = DeviceName::By;

TEST_CASE("a command line tells the root, the consoles and what has to be opened") {
  const auto line = parse_command_line(
      "BOOT_IMAGE=/vmlinuz-5.14 root=/dev/mapper/rl-root ro rootflags=rw,subvol=/@rootfs console=tty0 "
      "console=ttyS0,115200n8 resume=/dev/mapper/rl-swap rd.luks.uuid=luks-1234-5678 rd.lvm.lv=rl/root "
      "cryptdevice=UUID=aa-bb:cryptroot dyndbg=\"file drivers/x +p\" quiet");
  CHECK(line.root == "/dev/mapper/rl-root");
  CHECK(line.subvolume == "@rootfs");
  CHECK(line.consoles == std::vector<std::string>{"tty0", "ttyS0"});
  CHECK(line.has_serial_console());
  CHECK(line.resume == "/dev/mapper/rl-swap");
  CHECK(line.luks == std::vector<std::string>{"UUID=1234-5678", "UUID=aa-bb"});
}

TEST_CASE("the last root counts, quotes are no part of a value, and noresume takes resume back") {
  const auto line = parse_command_line("root=/dev/sda1 root=\"UUID=3f1c\" resume=UUID=1 noresume quiet splash");
  CHECK(line.root == "UUID=3f1c");
  CHECK(line.resume.empty());
  CHECK_FALSE(line.has_serial_console());
}

TEST_CASE("devices are told by what their names say") {
  struct Case {
    std::string text;
    By by;
    std::string name;
    unsigned partition = 0;
  };
  const Case cases[] = {
      {"UUID=3f1c-22", By::uuid, "3f1c-22"},
      {"LABEL=root", By::label, "root"},
      {"PARTUUID=0f1e-02/PARTNROFF=1", By::partuuid, "0f1e-02"},
      {"/dev/disk/by-uuid/3f1c", By::uuid, "3f1c"},
      {"/dev/disk/by-path/pci-0000:00:1f.2-ata-1-part3", By::path, "pci-0000:00:1f.2-ata-1-part3", 3},
      {"/dev/disk/by-id/ata-Samsung_SSD_860-part2", By::id, "ata-Samsung_SSD_860-part2", 2},
      {"/dev/mapper/pve-root", By::mapper, "pve-root"},
      {"/dev/pve/root", By::logical_volume, "pve/root"},
      {"/dev/sda3", By::kernel_name, "sda3", 3},
      {"/dev/nvme0n1p2", By::kernel_name, "nvme0n1p2", 2},
      {"/dev/nvme0n1", By::kernel_name, "nvme0n1", 0},
      {"ZFS=rpool/ROOT/pve-1", By::dataset, "rpool/ROOT/pve-1"},
      {"zfs:AUTO", By::dataset, ""},
      {"/dev/md/root", By::array, "root"},
      {"/dev/md127", By::array, "127"},
      {"/dev/disk/by-id/md-uuid-3f1c9e5d:11112222:33334444:55556666", By::array, "3f1c9e5d:11112222:33334444:55556666"},
      {"/dev/disk/by-id/md-name-any:0", By::array, "any:0"},
      {"/dev/disk/by-id/dm-name-pve-root", By::mapper, "pve-root"},
      {"/dev/disk/by-id/dm-uuid-LVM-" + std::string(64, 'A'), By::volume_id, std::string(64, 'A')},
      {"/dev/disk/by-id/dm-uuid-CRYPT-LUKS2-00112233445566778899aabbccddeeff-luks-x", By::luks_id,
       "00112233445566778899aabbccddeeff"},
      {"/dev/disk/by-id/lvm-pv-uuid-abcdef-0000-1111", By::uuid, "abcdef-0000-1111"},
      {"/dev/disk/by-id/dm-uuid-part1-mpath-3600140500000000a", By::id, "dm-uuid-part1-mpath-3600140500000000a", 0},
      {"/dev/mapper/mpatha2", By::multipath, "mpatha2", 2},
      {"/dev/mapper/mpathb-part3", By::multipath, "mpathb-part3", 3},
      {"/dev/mapper/3600140500000000000000000000000a1", By::multipath, "3600140500000000000000000000000a1", 0},
      {"/dev/cciss/c0d0p2", By::kernel_name, "cciss/c0d0p2", 2},
      {"/dev/xvda1", By::kernel_name, "xvda1", 1},
      {"UUID=\"3f1c-22\"", By::uuid, "3f1c-22"},
      {"LABEL='my root'", By::label, "my root"},
      {"802", By::kernel_name, "sda2", 2},
      {"0811", By::kernel_name, "sdb1", 1},
      {"8:0", By::kernel_name, "sda", 0},
      {"3:65", By::kernel_name, "hdb1", 1},
      {"ca01", By::kernel_name, "xvda1", 1},
      {"fd00", By::unknown, "fd00"},  // device-mapper's are given out as they come
      {"8:16777215", By::unknown, "8:16777215"},
      {"10.0.0.7:/srv/root", By::unknown, "10.0.0.7:/srv/root"},
      {"\"UUID=3f1c\"", By::uuid, "3f1c"},
      {"/dev/disk/by-label/my\\x20root", By::label, "my root"},
      {"tmpfs", By::unknown, "tmpfs"},
      {"", By::unknown, ""},
  };
  for (const Case& each : cases) {
    INFO(each.text);
    const auto device = parse_device_name(each.text);
    CHECK(device.by == each.by);
    CHECK(device.name == each.name);
    CHECK(device.partition == each.partition);
    CHECK(device.goes_with_hardware() ==
          (each.by == By::path || each.by == By::id || each.by == By::kernel_name || each.by == By::multipath));
  }
}

TEST_CASE("device-mapper's names are logical volumes where they have one single dash") {
  CHECK(logical_volume_of("pve-root") == "pve/root");
  CHECK(logical_volume_of("vg--a--b-lv--1") == "vg-a-b/lv-1");
  CHECK(logical_volume_of("ubuntu--vg-ubuntu--lv") == "ubuntu-vg/ubuntu-lv");
  CHECK(logical_volume_of("cryptroot").empty());
  CHECK(logical_volume_of("sda3_crypt").empty());
  CHECK(logical_volume_of("luks-1234-5678").empty());
  CHECK(logical_volume_of("-root").empty());
}

TEST_CASE("a root hash names the partitions that dm-verity vouches for by its first half") {
  const std::string half = "0123456789abcdef0123456789abcdef", hash = half + std::string(32, 'f');
  CHECK(parse_command_line("roothash=" + hash).root == "PARTUUID=01234567-89ab-cdef-0123-456789abcdef");
  CHECK(parse_command_line("usrhash=" + hash).usr == "PARTUUID=01234567-89ab-cdef-0123-456789abcdef");
  CHECK(parse_command_line("roothash=12").root.empty());
  CHECK(parse_command_line("root=LABEL=x roothash=" + hash).root == "LABEL=x");
}
