// What is on recorded disks and on disks made for one claim: roles, boot evidence, systems, findings.
#include <catch2/catch.hpp>
#include <cstring>
#include <fstream>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/block/devices.hpp"
#include "hrvm/probe/survey.hpp"
#include "hrvm/sys/files.hpp"
#include "support/executables.hpp"
#include "support/md_disk.hpp"
#include "support/recorded_disks.hpp"
#include "support/recorded_machines.hpp"
#include "support/run_program.hpp"
#include "support/test_host.hpp"
#include "unit/probe/table/partition_fixture.hpp"

using namespace hrvm;
using namespace hrvm::probe;
using Catch::Matchers::Contains;
using Words = std::vector<std::string>;

namespace {

Contents survey_of(const std::string& machine, const std::string& path) {
  test::TestHost host(test::recorded_machine(machine).root());
  return survey_disk(host.host(), locate_disk(host.host(), path)).contents;
}

Contents contents_of(const std::filesystem::path& image) { return read_contents(*block::open_device(image)); }

Words roles(const Contents& contents) {
  Words told;
  for (const auto& surveyed : contents.partitions)
    told.push_back("p" + std::to_string(surveyed.partition.number) + " " + surveyed.role + " " + surveyed.filesystem);
  return told;
}

Words ids(const Contents& contents) {
  Words told;
  for (const auto& finding : contents.findings) told.push_back(finding.id + " " + finding.subject);
  return told;
}

constexpr const char* uuid = "44444444-aaaa-4bbb-8ccc-000000000004";

// A disk with one GPT partition of 32 MiB from 1 MiB on.
struct OnePartition {
  test::TemporaryDirectory folder, tree;
  std::filesystem::path image = folder / "disk.img";

  explicit OnePartition(const std::string& type = test::type_linux) {
    test::write_gpt(
        image, {.size_bytes = 34 * mib, .partitions = {{.first_lba = 2048, .last_lba = 33 * 2048 - 1, .type = type}}});
  }
  Contents ext4() {
    test::make_ext4(image, mib, 4096, "", uuid, tree.path());
    return contents_of(image);
  }
  Contents fat() {
    test::make_fat(image, mib, 16 * mib, "", "12345678", tree.path());
    return contents_of(image);
  }
};

}  // namespace

TEST_CASE("a superblock that does not match its checksum is told, as Linux does not mount it") {
  OnePartition disk;
  disk.tree.write("etc/os-release", "ID=debian\n");
  CHECK(ids(disk.ext4()) == Words{"no-loader " + disk.image.string()});
  // The name of where it was mounted last, which is a part of what the checksum is of.
  test::run_program({"dd", "of=" + disk.image.string(), "bs=1", "seek=" + std::to_string(mib + 1024 + 136), "count=4",
                     "if=/dev/urandom", "conv=notrunc", "status=none"});
  const auto contents = contents_of(disk.image);
  CHECK(ids(contents) == Words{"filesystem-damaged p1", "no-loader " + disk.image.string()});
  CHECK(contents.systems.size() == 1);
}

TEST_CASE("a Proxmox VE disk is told with its system, kernels and both ways to boot") {
  const auto contents = survey_of("server", "/dev/sda");
  CHECK(contents.table == TableKind::gpt);
  CHECK(roles(contents) == Words{"p1 bios-boot ", "p2 esp vfat", "p3 root ext4"});
  REQUIRE(contents.systems.size() == 1);
  const System& system = contents.systems[0];
  CHECK(system.id == "proxmox");
  CHECK(system.version == "8.1.4");
  CHECK(system.pretty == "Proxmox VE 8.1.4 (Debian 12)");
  CHECK(system.family == SystemFamily::linux);
  CHECK(system.hostname == "pve1");
  CHECK(system.root == "p3");
  CHECK(system.kernels == Words{"6.5.13-1-pve", "6.5.11-7-pve"});
  CHECK(system.virtio == Verdict::yes);
  CHECK_FALSE(system.needs_recovery);
  CHECK(contents.boot.bios);
  CHECK(contents.boot.bios_reason == "boot code in sector 0 and a BIOS boot partition (p1)");
  CHECK(contents.boot.removable_loader());
  REQUIRE(contents.boot.loaders.size() == 3);
  CHECK(contents.boot.loaders[0].path == "/EFI/BOOT/BOOTX64.EFI");
  CHECK(contents.boot.loaders[0].partition == 2);
  CHECK(ids(contents) == Words{"secure-boot-shim p2"});
}

TEST_CASE("a Debian disk is told by its os-release, and a vendor's loaders do not boot by themselves") {
  const auto contents = survey_of("laptop", "/dev/nvme0n1");
  CHECK(roles(contents) == Words{"p1 esp vfat", "p2 root ext4", "p3 swap swap"});
  REQUIRE(contents.systems.size() == 1);
  CHECK(contents.systems[0].id == "debian");
  CHECK(contents.systems[0].pretty == "Debian GNU/Linux 12 (bookworm)");
  CHECK(contents.systems[0].kernels == Words{"6.1.0-18-amd64", "6.1.0-9-amd64"});
  CHECK_FALSE(contents.boot.bios);
  CHECK(contents.boot.uefi());
  CHECK_FALSE(contents.boot.removable_loader());
  CHECK(contents.boot.loaders.at(0).path == "/EFI/debian/shimx64.efi");
}

TEST_CASE("a DOS disk boots by BIOS from its active partition") {
  const auto contents = survey_of("live", "/dev/sda");
  CHECK(contents.table == TableKind::dos);
  CHECK(contents.table_uuid == "0badcafe");
  CHECK(roles(contents) == Words{"p1 root ext4", "p2 extended ", "p5 swap "});
  CHECK(contents.boot.bios);
  CHECK(contents.boot.bios_reason == "boot code in sector 0 and an active partition (p1)");
  CHECK_FALSE(contents.boot.uefi());
}

TEST_CASE("a ZFS pool is named with what it lacks on this disk, and an ESP without loaders is told") {
  const auto contents = survey_of("server", "/dev/sdb");
  CHECK(roles(contents) == Words{"p1 bios-boot ", "p2 esp vfat", "p3 zfs zfs_member"});
  REQUIRE(contents.volumes.size() == 1);
  CHECK(contents.volumes[0].path == "rpool");
  CHECK(contents.volumes[0].kind == VolumeKind::zfs);
  CHECK_THAT(contents.volumes[0].details, Contains("mirror of 2") && Contains("txg 42") && Contains("pve1"));
  CHECK(contents.systems.empty());
  CHECK(ids(contents) == Words{"esp-without-loader p2", "zfs-member-missing rpool", "volume-closed rpool"});
}

TEST_CASE("a data stick holds no system") {
  const auto contents = survey_of("server", "/dev/sdc");
  CHECK(roles(contents) == Words{"p1 data vfat"});
  CHECK(contents.partitions[0].label == "STICK");
  CHECK(contents.systems.empty());
  CHECK(contents.findings.empty());
  CHECK_FALSE(contents.is_blank());
}

TEST_CASE("a blank disk is blank") {
  const test::TemporaryDirectory folder;
  test::set_size(folder / "blank.img", mib);
  CHECK(contents_of(folder / "blank.img").is_blank());
}

TEST_CASE("a filesystem on the whole disk is the volume \"disk\"") {
  const test::TemporaryDirectory folder, tree;
  tree.write("etc/os-release",
             "ID=alpine\nNAME='Alpine Linux'\nPRETTY_NAME=\"Alpine \\\"edge\\\"\"\n# comment\nbroken\n");
  test::set_size(folder / "whole.img", 16 * mib);
  test::make_ext4(folder / "whole.img", 0, 4096, "root", uuid, tree.path());
  const auto contents = contents_of(folder / "whole.img");
  CHECK(contents.table == TableKind::none);
  REQUIRE(contents.volumes.size() == 1);
  CHECK(contents.volumes[0].path == "disk");
  CHECK(contents.volumes[0].filesystem == "ext4");
  CHECK(contents.volumes[0].label == "root");
  REQUIRE(contents.systems.size() == 1);
  CHECK(contents.systems[0].root == "disk");
  CHECK(contents.systems[0].name == "Alpine Linux");
  CHECK(contents.systems[0].pretty == "Alpine \"edge\"");
  CHECK_FALSE(contents.systems[0].hostname);
}

TEST_CASE("a package that was removed is no Proxmox VE, and one late in a long list is") {
  OnePartition disk;
  disk.tree.write("usr/lib/os-release", "ID=debian\nVERSION_ID=\"12\"\n");
  std::string status = "Package: pve-manager\nStatus: deinstall ok config-files\nVersion: 7.0\n\n";
  disk.tree.write("var/lib/dpkg/status", status);
  CHECK(disk.ext4().systems.at(0).id == "debian");
  for (int i = 0; i < 20'000; ++i)
    status += "Package: p" + std::to_string(i) +
              "\nStatus: install ok installed\nVersion: 1\nDescription: " + std::string(40, 'x') + "\n\n";
  disk.tree.write("var/lib/dpkg/status", status + "Package: pve-manager\nStatus: install ok installed\nVersion: 8.2.2");
  const auto contents = disk.ext4();
  CHECK(contents.systems.at(0).id == "proxmox");
  CHECK(contents.systems.at(0).version == "8.2.2");
}

TEST_CASE("kernels come from the module folders where /boot has none, in the order of versions") {
  OnePartition disk;
  disk.tree.write("etc/os-release", "ID=arch\n");
  for (const char* version : {"6.9.1-arch1-1", "6.10.2-arch1-1", "5.15.0"})
    disk.tree.write("lib/modules/" + std::string(version) + "/kernel/drivers/net/e1000.ko", "");
  const auto system = disk.ext4().systems.at(0);
  CHECK(system.kernels == Words{"6.10.2-arch1-1", "6.9.1-arch1-1", "5.15.0"});
  CHECK(system.virtio == Verdict::no);
}

TEST_CASE("a module that only this machine's initramfs may lack leaves virtio unknown, a built-in one does not") {
  OnePartition disk;
  disk.tree.write("etc/os-release", "ID=arch\n");
  disk.tree.write("lib/modules/6.9.1/kernel/drivers/block/virtio_blk.ko.zst", "");
  disk.tree.write("lib/modules/6.9.1/kernel/drivers/virtio/virtio_pci.ko.zst", "");
  CHECK(disk.ext4().systems.at(0).virtio == Verdict::unknown);
  disk.tree.write("lib/modules/6.9.1/modules.builtin",
                  "kernel/drivers/block/virtio_blk.ko\nkernel/drivers/virtio/virtio_pci.ko\n");
  CHECK(disk.ext4().systems.at(0).virtio == Verdict::yes);
}

TEST_CASE("a boot partition of its own is told, and its kernels are the system's") {
  const test::TemporaryDirectory folder, boot, root;
  const auto image = folder / "disk.img";
  test::write_gpt(image, {.size_bytes = 40 * mib,
                          .partitions = {{.number = 1, .first_lba = 2048, .last_lba = 18 * 2048 - 1},
                                         {.number = 2, .first_lba = 18 * 2048, .last_lba = 36 * 2048 - 1}}});
  boot.write("vmlinuz-6.1.0", "");
  root.write("etc/os-release", "ID=fedora\n");
  root.write("lib/modules/5.0/modules.dep", "");
  test::make_ext4(image, mib, 4096, "", uuid, boot.path());
  test::make_ext4(image, 18 * mib, 4096, "", uuid, root.path());
  const auto contents = contents_of(image);
  CHECK(roles(contents) == Words{"p1 boot ext4", "p2 root ext4"});
  CHECK(contents.systems.at(0).kernels == Words{"6.1.0"});
}

TEST_CASE("a filesystem without a system is data") {
  OnePartition disk;
  disk.tree.write("photos/1.jpg", "");
  const auto contents = disk.ext4();
  CHECK(roles(contents) == Words{"p1 data ext4"});
  CHECK(contents.systems.empty());
}

TEST_CASE("a journal that was not closed is told, and the system is marked") {
  OnePartition disk;
  disk.tree.write("etc/os-release", "ID=debian\n");
  disk.ext4();
  test::write_at(disk.image, mib + 1024 + 0x60,
                 std::string_view("\xc6\x02\0\0", 4));  // INCOMPAT_RECOVER beside extents, 64bit
  const auto contents = contents_of(disk.image);
  REQUIRE(contents.systems.size() == 1);
  CHECK(contents.systems[0].needs_recovery);
  CHECK(ids(contents) == Words{"filesystem-unclean p1", "no-loader " + disk.image.string()});
}

TEST_CASE("only loaders for 64-bit x86 count, wherever their vendor puts them") {
  OnePartition disk(test::type_esp);
  disk.tree.write("EFI/BOOT/BOOTX64.EFI", test::pe_file(0x014c));
  disk.tree.write("EFI/BOOT/GRUBX64.EFI", "MZ");
  disk.tree.write("EFI/BOOT/readme.txt", test::pe_file());
  CHECK_FALSE(disk.fat().boot.uefi());
  disk.tree.write("EFI/Microsoft/Boot/bootmgfw.efi", test::pe_file());
  disk.tree.write("EFI/systemd/systemd-bootx64.efi", test::pe_file());
  const auto contents = disk.fat();
  REQUIRE(contents.boot.loaders.size() == 2);
  CHECK_FALSE(contents.boot.removable_loader());
  CHECK(contents.boot.loaders[0].partition == 1);
}

TEST_CASE("a loader is found in every FAT that firmware sees, whatever the type of its partition and without a table") {
  for (const std::string& type : {test::type_linux, std::string("ebd0a0a2-b9e5-4433-87c0-68b6b72699c7")}) {
    OnePartition disk(type);
    disk.tree.write("EFI/BOOT/BOOTX64.EFI", test::pe_file());
    const auto contents = disk.fat();
    CHECK(roles(contents) == Words{"p1 esp vfat"});
    REQUIRE(contents.boot.removable_loader());
    CHECK(describe(contents.boot.loaders[0]) == "/EFI/BOOT/BOOTX64.EFI on p1");
  }
  const test::TemporaryDirectory folder, tree;
  tree.write("EFI/BOOT/BOOTX64.EFI", test::pe_file());
  const auto image = folder / "disk.img";
  test::set_size(image, 20 * mib);
  test::write_at(image, 0, test::dos_sector({{.type = 0x83, .first_lba = 2048, .sectors = 38000}}, 1));
  test::make_fat(image, mib, 16 * mib, "", "12345678", tree.path());
  CHECK(contents_of(image).boot.uefi());
  const auto whole = folder / "whole.img";
  test::set_size(whole, 16 * mib);
  test::make_fat(whole, 0, 16 * mib, "", "12345678", tree.path());
  const auto contents = contents_of(whole);
  REQUIRE(contents.boot.uefi());
  CHECK(describe(contents.boot.loaders[0]) == "/EFI/BOOT/BOOTX64.EFI");
}

TEST_CASE("a FAT without loaders is data, and what only lies in one of a volume is not seen by firmware") {
  OnePartition disk;
  disk.tree.write("EFI/notes.txt", "x");
  CHECK(roles(disk.fat()) == Words{"p1 data vfat"});
}

TEST_CASE("a root by its own programs and a loader for other processors are told, and import refuses by it") {
  OnePartition disk(test::type_esp);
  disk.tree.write("EFI/BOOT/BOOTAA64.EFI", test::pe_file(0xaa64));
  const auto contents = disk.fat();
  CHECK_FALSE(contents.boot.uefi());
  CHECK(ids(contents) == Words{"esp-without-loader p1", "other-architecture " + disk.image.string()});
  CHECK(contents.findings.at(0).message.ends_with(", only for arm64"));
  OnePartition root;
  root.tree.write("etc/os-release", "ID=debian\n");
  root.tree.write("usr/bin/init", test::elf(183));
  std::filesystem::create_symlink("usr/bin", root.tree.path() / "sbin");
  const auto arm = root.ext4();
  CHECK(arm.systems.at(0).architecture == "arm64");
  CHECK(ids(arm) == Words{"other-architecture " + root.image.string()});
}

TEST_CASE("a boot sector of a loader starts a filesystem without a table, and the one of mkfs does not") {
  const test::TemporaryDirectory folder, tree;
  tree.write("etc/os-release", "ID=alpine\n");
  const auto image = folder / "whole.img";
  test::set_size(image, 16 * mib);
  test::make_ext4(image, 0, 4096, "root", uuid, tree.path());
  CHECK(ids(contents_of(image)) == Words{"no-loader " + image.string()});
  test::write_at(image, 0,
                 std::string_view("\xeb\x58\x90"
                                  "EXTLINUX"));
  test::write_at(image, 510, "\x55\xaa");
  CHECK(contents_of(image).boot.bios);
  CHECK(ids(contents_of(image)).empty());
  const auto fat = folder / "fat.img";
  test::set_size(fat, 16 * mib);
  test::make_fat(fat, 0, 16 * mib, "", "12345678", tree.path());
  CHECK_FALSE(contents_of(fat).boot.bios);
}

TEST_CASE("a Secure Boot shim is told, once and where it lies") {
  OnePartition disk(test::type_esp);
  disk.tree.write("EFI/debian/grubx64.efi", test::pe_file());
  CHECK(ids(disk.fat()).empty());
  disk.tree.write("EFI/debian/shimx64.efi", test::pe_file());
  disk.tree.write("EFI/fedora/SHIMX64.EFI", test::pe_file());
  CHECK(ids(disk.fat()) == Words{"secure-boot-shim p1"});
}

TEST_CASE("an EFI system partition on a mirror boots the disk where the mirror's members begin as it does") {
  for (const unsigned version : {0u, 90u, 2u}) {
    CAPTURE(version);
    OnePartition disk(test::type_esp);
    disk.tree.write("EFI/BOOT/BOOTX64.EFI", test::pe_file());
    const std::uint64_t data_offset = version == 2 ? mib : 0;
    test::make_fat(disk.image, mib + data_offset, 16 * mib, "", "12345678", disk.tree.path());
    volume::test::MadeMember member{.version = version};
    member.device = 32 * mib;
    member.data_offset = data_offset;
    member.data = member.used = 24 * mib;
    volume::test::Bytes bytes(member.device);
    if (version == 90)
      volume::test::put_super_090<base::ByteOrder::little>(bytes, member);
    else
      volume::test::put_super_1(bytes, member);
    const auto at = volume::test::super_offset(member);
    test::write_at(disk.image, mib + at, std::string_view(reinterpret_cast<const char*>(bytes.data() + at), 4096));
    const auto contents = contents_of(disk.image);
    REQUIRE(contents.volumes.size() == 1);
    CHECK(contents.volumes[0].filesystem == "vfat");
    CHECK(contents.boot.uefi() == (version != 2));
    if (contents.boot.uefi()) CHECK(contents.boot.loaders[0].partition == 1);
  }
}

TEST_CASE("a BIOS boot partition without a core image does not boot, nor does boot code without a place to go") {
  OnePartition disk(test::type_bios_boot);
  CHECK(contents_of(disk.image).boot.bios_reason == "no boot code in sector 0");
  test::write_at(disk.image, 0, test::grub_boot_code());
  CHECK(contents_of(disk.image).boot.bios_reason == "the BIOS boot partition (p1) is empty");
  CHECK_FALSE(contents_of(disk.image).boot.bios);
  test::write_at(disk.image, mib, "R");
  CHECK(contents_of(disk.image).boot.bios);
}

TEST_CASE("an active partition without a boot sector boots only with code that needs none") {
  const test::TemporaryDirectory folder;
  const auto image = folder / "disk.img";
  test::set_size(image, 8 * mib);
  test::write_at(image, 0, test::dos_sector({{.type = 7, .first_lba = 2048, .sectors = 2048, .active = true}}, 1));
  test::write_at(image, 0, "\x33\xc0\x8e");
  CHECK(contents_of(image).boot.bios_reason == "the active partition (p1) has no boot sector");
  test::write_at(image, mib + 510, "\x55\xaa");
  CHECK(contents_of(image).boot.bios);
}

TEST_CASE("a hibernated system is told as a warning") {
  OnePartition disk;
  test::write_at(disk.image, mib + 1024, std::string_view("\1\0\0\0\xff\x1f\0\0", 8));
  test::write_at(disk.image, mib + 4086, "S1SUSPEND");
  const auto contents = contents_of(disk.image);
  CHECK(roles(contents) == Words{"p1 swap swsuspend"});
  REQUIRE(contents.findings.size() == 1);
  CHECK(contents.findings[0].id == "hibernated");
  CHECK(contents.findings[0].severity == base::Severity::warning);
}

TEST_CASE("a filesystem that is broken is told of its partition, and the rest is read") {
  const test::TemporaryDirectory folder, root;
  const auto image = folder / "disk.img";
  test::write_gpt(image, {.size_bytes = 40 * mib,
                          .partitions = {{.number = 1, .first_lba = 2048, .last_lba = 18 * 2048 - 1},
                                         {.number = 2, .first_lba = 18 * 2048, .last_lba = 36 * 2048 - 1}}});
  root.write("etc/os-release", "ID=debian\n");
  for (std::uint64_t at : {mib, 18 * mib}) test::make_ext4(image, at, 4096, "", uuid, root.path());
  test::write_at(image, mib + 4096, std::string(64 << 10, '\xff'));  // group descriptors
  const auto contents = contents_of(image);
  REQUIRE(contents.systems.size() == 1);
  CHECK(contents.systems[0].root == "p2");
  CHECK(ids(contents) == Words{"filesystem-damaged p1", "no-loader " + image.string()});
}

TEST_CASE("contents pass through a pipe unchanged") {
  for (const auto& [machine, path] :
       {std::pair{"server", "/dev/sda"}, std::pair{"server", "/dev/sdb"}, std::pair{"live", "/dev/sda"}}) {
    const auto contents = survey_of(machine, path);
    CHECK(to_json(contents_from_json(to_json(contents))) == to_json(contents));
  }
  CHECK(contents_from_json(base::Json("nonsense")).is_blank());
}

TEST_CASE("an image of a 4Kn disk is surveyed with the sectors that its table counts") {
  const test::TemporaryDirectory folder, tree;
  const auto image = folder / "4kn.img";
  auto disk = sample_disk(4096);
  disk.size_bytes = 40 * mib;
  disk.partitions = {{.first_lba = 256, .last_lba = 18 * 256 - 1}};
  test::write_gpt(image, disk);
  tree.write("etc/os-release", "ID=debian\n");
  test::make_ext4(image, mib, 4096, "", uuid, tree.path());
  test::TestHost host;
  const auto survey = survey_disk(host.host(), locate_disk(host.host(), image.string()));
  CHECK(survey.disk.sectors == block::SectorSizes{4096, 4096});
  CHECK(survey.contents.systems.at(0).id == "debian");
}

TEST_CASE("a qcow2 image is surveyed as the guest sees it") {
  OnePartition disk;
  disk.tree.write("etc/os-release", "ID=debian\n");
  disk.ext4();
  const auto image = (disk.folder / "disk.qcow2").string();
  test::run_program({"qemu-img", "convert", "-O", "qcow2", disk.image, image});
  test::TestHost host;
  const auto survey = survey_disk(host.host(), locate_disk(host.host(), image));
  CHECK(survey.contents.systems.at(0).id == "debian");
  CHECK(survey.disk.size_bytes == 34 * mib);
}

TEST_CASE("disks are surveyed side by side, and one that cannot be opened costs no other") {
  const test::RecordedMachine machine("server");
  std::filesystem::remove(machine.file("/dev/sdb"));
  test::TestHost host(machine.root());
  const auto disks = attached_disks(host.host(), false);
  const auto attempts = survey_disks(host.host(), disks);
  REQUIRE(attempts.size() == 3);
  REQUIRE(attempts[0].survey);
  CHECK(attempts[0].survey->contents.systems.at(0).id == "proxmox");
  REQUIRE(attempts[1].error);
  CHECK(attempts[1].error->kind() == base::ErrorKind::not_found);
  REQUIRE(attempts[2].survey);
  CHECK(attempts[2].survey->contents.partitions.size() == 1);
}

TEST_CASE("a device that counts in other sectors than its table gives the table's, and both are told") {
  const test::RecordedMachine machine("server");
  std::ofstream(machine.file("/sys/block/sda/queue/logical_block_size")) << "4096\n";
  test::TestHost host(machine.root());
  const auto survey = survey_disk(host.host(), locate_disk(host.host(), "/dev/sda"));
  CHECK(survey.disk.sectors.logical_bytes == 512);
  CHECK(survey.contents.systems.at(0).id == "proxmox");
  const auto& findings = survey.contents.findings;
  const auto differs = std::ranges::find(findings, "sector-size-differs", &base::Finding::id);
  REQUIRE(differs != findings.end());
  CHECK(differs->severity == base::Severity::note);
  CHECK_THAT(differs->message, Contains("sectors of 512 bytes") && Contains("those of 4096"));
}

TEST_CASE("reading a disk leaves it as it was") {
  const auto file = test::recorded_machine("server").file("/dev/sda");
  const auto before = sys::status(file);
  const auto time = std::filesystem::last_write_time(file);
  survey_of("server", "/dev/sda");
  CHECK(std::filesystem::last_write_time(file) == time);
  CHECK(sys::status(file).allocated_bytes == before.allocated_bytes);
}
