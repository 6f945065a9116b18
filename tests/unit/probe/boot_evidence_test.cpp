// What starts a system, what its kernel can drive, and what will bite: from disks as distributions lay them out.
#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "hrvm/sys/files.hpp"
#include "probe/boot_evidence.hpp"
#include "support/cpio_archive.hpp"
#include "support/memory_files.hpp"
#include "support/run_program.hpp"
#include "support/temporary_directory.hpp"

using namespace hrvm;
using namespace hrvm::probe;

namespace {

const std::string root_uuid = "9f2c1a30-6b1e-4d0c-8a57-3f2f6a1e9b11",
                  boot_uuid = "c0ffee00-1111-2222-3333-444455556666";

SurveyedPartition partition(unsigned number, const std::string& filesystem, const std::string& uuid) {
  SurveyedPartition surveyed;
  surveyed.partition.number = number;
  surveyed.partition.partuuid = "0000000" + std::to_string(number);
  surveyed.filesystem = filesystem;
  surveyed.uuid = uuid;
  return surveyed;
}

System linux_system(const std::string& root) {
  System system;
  system.id = "debian";
  system.family = SystemFamily::linux;
  system.root = root;
  return system;
}

std::string menu_entry(const std::string& command_line, const std::string& title = "Debian GNU/Linux",
                       const std::string& folder = "/boot") {
  return "menuentry '" + title + "' {\n search --no-floppy --fs-uuid --set=root " +
         (folder.empty() ? boot_uuid : root_uuid) + "\n linux " + folder + "/vmlinuz-6.1.0 " + command_line +
         "\n initrd " + folder + "/initrd.img-6.1.0\n}\n";
}

const std::string config = "# x\nCONFIG_VIRTIO_BLK=y\nCONFIG_VIRTIO_PCI=y\nCONFIG_SATA_AHCI=y\nCONFIG_BLK_DEV_SD=y\n";

struct Debian {
  test::MemoryFiles root;
  Contents contents;
  Debian() {
    contents.partitions = {partition(1, "vfat", "AAAA-BBBB"), partition(2, "ext4", root_uuid)};
    contents.systems = {linux_system("p2")};
    root.add("/boot/config-6.1.0", config).add("/boot/vmlinuz-6.1.0", "k").add("/boot/initrd.img-6.1.0", "");
    root.add("/boot/grub/grub.cfg", menu_entry("root=UUID=" + root_uuid + " ro console=ttyS0"));
  }
  const System& read() {
    const BootPlace places[] = {{"p2", root_uuid, "", false, &root}};
    add_boot_evidence(contents, places, BootQuestions::all);
    return contents.systems.at(0);
  }
  std::vector<std::string> ids() {
    read();
    std::vector<std::string> found;
    for (const auto& finding : contents.findings) found.push_back(finding.id);
    return found;
  }
};

std::string verdict(const System& system, const std::string& bus) {
  for (const auto& driver : system.drivers)
    if (word(driver.bus) == bus) return std::string(word(driver.verdict));
  return "none";
}

}  // namespace

TEST_CASE("a system is told with the entry that starts it, its files and its root") {
  Debian disk;
  const System& system = disk.read();
  REQUIRE(system.boot);
  CHECK(system.boot->loader == "GRUB");
  CHECK(system.boot->source == "p2:/boot/grub/grub.cfg");
  CHECK(system.boot->entry == "Debian GNU/Linux");
  CHECK(system.boot->kernel == "p2:/boot/vmlinuz-6.1.0");
  CHECK(system.boot->initramfs == "p2:/boot/initrd.img-6.1.0");
  CHECK(system.boot->command_line == "root=UUID=" + root_uuid + " ro console=ttyS0");
  CHECK(system.boot->root == "p2");
  CHECK(system.boot->serial_console);
  CHECK(system.virtio == Verdict::yes);
  CHECK(verdict(system, "sata") == "yes");
  CHECK(verdict(system, "nvme") == "no");
  CHECK(disk.contents.findings.empty());
}

TEST_CASE("kernels on a boot partition of their own are found, and told as the system sees them") {
  test::MemoryFiles root, boot;
  root.add("/etc/os-release", "ID=debian\n")
      .add("/lib/modules/6.1.0/modules.builtin", "kernel/drivers/nvme/host/nvme.ko\n");
  boot.add("/grub/grub.cfg", menu_entry("root=/dev/mapper/vg--0-root ro", "Debian", "")).add("/vmlinuz-6.1.0", "k");
  boot.add("/initrd.img-6.1.0", "x").add("/config-6.1.0", "\nCONFIG_VIRTIO_BLK=m\nCONFIG_VIRTIO_PCI=m\n");
  Contents contents;
  contents.partitions = {partition(1, "ext2", boot_uuid), partition(2, "LVM2_member", "x")};
  contents.volumes = {{"vg-0/root", VolumeKind::lvm, 1 << 20, "ext4", "", root_uuid}};
  contents.systems = {linux_system("vg-0/root")};
  const BootPlace places[] = {{"p1", boot_uuid, "", false, &boot}, {"vg-0/root", root_uuid, "", false, &root}};
  add_boot_evidence(contents, places, BootQuestions::all);
  const System& system = contents.systems[0];
  REQUIRE(system.boot);
  CHECK(system.boot->kernel == "p1:/vmlinuz-6.1.0");
  CHECK(system.boot->root == "vg-0/root");
  CHECK(verdict(system, "nvme") == "yes");
  CHECK(system.drivers.at(0).because == "/boot/initrd.img-6.1.0: it is packed in a way that hrvm does not know");
}

TEST_CASE("of several systems each gets the entry that names its root") {
  Debian disk;
  disk.contents.partitions.push_back(partition(3, "ext4", "other"));
  disk.contents.systems.push_back(linux_system("p3"));
  disk.contents.systems.push_back(linux_system("p9"));
  disk.root.add("/boot/grub/grub.cfg", "set default=1\n" + menu_entry("root=UUID=" + root_uuid, "first") +
                                           menu_entry("root=UUID=" + root_uuid, "second") +
                                           menu_entry("root=PARTUUID=00000003", "third"));
  CHECK(disk.read().boot->entry == "second");
  CHECK(disk.contents.systems[1].boot->entry == "third");
  CHECK_FALSE(disk.contents.systems[2].boot);
}

TEST_CASE("a snapshot bears the UUID of its origin, and both get the entry") {
  test::MemoryFiles root, before;
  root.add("/boot/grub/grub.cfg", menu_entry("root=UUID=" + root_uuid)).add("/boot/vmlinuz-6.1.0", "k");
  before.add("/etc/os-release", "ID=debian\n");
  Contents contents;
  contents.volumes = {{"pve/before", VolumeKind::lvm, 1 << 20, "ext4", "", root_uuid},
                      {"pve/root", VolumeKind::lvm, 1 << 20, "ext4", "", root_uuid}};
  contents.systems = {linux_system("pve/root"), linux_system("pve/before")};
  const BootPlace places[] = {{"pve/before", root_uuid, "", false, &before}, {"pve/root", root_uuid, "", false, &root}};
  add_boot_evidence(contents, places, BootQuestions::all);
  REQUIRE(contents.systems[0].boot);
  CHECK(contents.systems[0].boot->root == "pve/root");
  CHECK(contents.systems[1].boot->root == "pve/before");
}

TEST_CASE("a subvolume is started by its id, and the default one by an entry that names none") {
  struct Subvolumes : test::MemoryFiles {
    std::uint64_t by_default = 5;
    std::vector<fs::Subvolume> subvolumes() override {
      std::vector<fs::Subvolume> all = {{5, "", false}, {257, "@", false}, {258, "@old", false}};
      for (fs::Subvolume& each : all) each.is_default = each.id == by_default;
      return all;
    }
    std::unique_ptr<fs::FileSystem> open_subvolume(std::uint64_t) override {
      return std::make_unique<test::MemoryFiles>(*this);
    }
  };
  const auto started = [](const std::string& flags, std::uint64_t by_default) {
    Subvolumes files;
    files.by_default = by_default;
    files.add("/boot/grub/grub.cfg", menu_entry("root=UUID=" + root_uuid + flags)).add("/boot/vmlinuz-6.1.0", "k");
    Contents contents;
    contents.partitions = {partition(2, "btrfs", root_uuid)};
    contents.systems = {linux_system("p2:@"), linux_system("p2:@old")};
    const BootPlace places[] = {{"p2", root_uuid, "", false, &files}};
    add_boot_evidence(contents, places, BootQuestions::all);
    std::vector<std::string> names;
    for (const System& system : contents.systems)
      if (system.boot && system.boot->root == system.root) names.push_back(system.root);
    return names;
  };
  using Names = std::vector<std::string>;
  CHECK(started(" rootflags=noatime,subvolid=258", 5) == Names{"p2:@old"});
  CHECK(started(" rootflags=subvolid=257", 258) == Names{"p2:@"});
  CHECK(started("", 258) == Names{"p2:@old"});
}

TEST_CASE("a subvolume gets the entry that names it") {
  Debian disk;
  disk.contents.systems = {linux_system("p2:@old"), linux_system("p2:@rootfs")};
  disk.root.add("/boot/grub/grub.cfg", menu_entry("root=UUID=" + root_uuid + " rootflags=subvol=@rootfs", "new") +
                                           menu_entry("root=UUID=" + root_uuid + " rootflags=subvol=@old", "old"));
  CHECK(disk.read().boot->entry == "old");
  CHECK(disk.contents.systems[1].boot->entry == "new");
  CHECK(disk.contents.systems[1].boot->root == "p2:@rootfs");
}

TEST_CASE("of a guest nothing is told that would bite in a machine") {
  Debian disk;
  disk.root.add("/etc/fstab", "/dev/sdb1 /data ext4 defaults 0 2\n");
  const BootPlace places[] = {{"p2", root_uuid, "", false, &disk.root}};
  add_boot_evidence(disk.contents, places, BootQuestions::of_a_guest);
  CHECK(disk.contents.systems[0].boot);
  CHECK(disk.contents.findings.empty());
}

TEST_CASE("a root named as the computer names its disk is found on such a bus alone") {
  Debian disk;
  disk.root.add("/boot/grub/grub.cfg", menu_entry("root=/dev/sda2 ro console=ttyS0"));
  const System& system = disk.read();
  CHECK(system.boot->root == "p2");
  CHECK(system.virtio == Verdict::no);
  CHECK(verdict(system, "sata") == "yes");
  CHECK(system.drivers.at(0).because == "the kernel is told root=/dev/sda2, and a virtio disk has another name");
  CHECK(system.named_buses == std::vector<Bus>{Bus::sata, Bus::scsi, Bus::ide});
  REQUIRE(disk.contents.findings.size() == 1);
  CHECK(disk.contents.findings[0].id == "root-name-needs-bus");
  CHECK(disk.contents.findings[0].severity == base::Severity::note);
}

TEST_CASE("a root by a name that no bus gives is told with what to write in its place, and holds no bus") {
  for (const std::string root : {"/dev/hda2", "/dev/xvda2", "/dev/mmcblk0p2", "/dev/cciss/c0d0p2", "/dev/sdb2",
                                 "/dev/mapper/mpatha2", "/dev/disk/by-path/pci-0000:00:1f.2-ata-1-part2",
                                 "/dev/disk/by-id/ata-Samsung_SSD_860-part2", "/dev/mapper/sanroot2"}) {
    CAPTURE(root);
    Debian disk;
    disk.root.add("/etc/multipath/bindings", "# x\nsanroot 3600140500000000000000000000000a1\n");
    disk.root.add("/boot/grub/grub.cfg", menu_entry("root=" + root + " ro console=ttyS0"));
    CHECK(disk.ids() == std::vector<std::string>{"root-name-needs-bus"});
    CHECK(disk.contents.findings[0].severity == base::Severity::warning);
    CHECK(disk.contents.findings[0].remedy.find("root=UUID=") != std::string::npos);
    if (root != "/dev/sdb2") CHECK(disk.contents.systems[0].virtio == Verdict::yes);
  }
}

TEST_CASE("hda is the name of an IDE disk where a BIOS starts it, whatever its kernel has for SATA") {
  Debian disk;
  disk.contents.boot.bios = true;
  disk.root.add("/boot/grub/grub.cfg", menu_entry("root=/dev/hda2 ro console=ttyS0"));
  const System& system = disk.read();
  CHECK(system.named_buses == std::vector<Bus>{Bus::ide});
  CHECK(verdict(system, "ide") == "unknown");
  CHECK(verdict(system, "virtio") == "no");
  for (const auto& [version, severity] : {std::pair{"2.6.26-2-686", base::Severity::note},
                                          {"5.10.0-8-amd64", base::Severity::note},
                                          {"6.1.0-18-amd64", base::Severity::warning}}) {
    disk.contents.findings.clear();
    disk.contents.systems[0].kernels = {version};
    disk.read();
    CHECK(disk.contents.findings.at(0).severity == severity);
  }
}

TEST_CASE("a root that is on no disk here, or twice on it, is told") {
  Debian gone;
  gone.root.add("/boot/grub/grub.cfg", menu_entry("root=PARTUUID=dead ro console=ttyS0"));
  CHECK(gone.ids() == std::vector<std::string>{"start-waits-for-other-disk"});
  Debian twice;
  twice.contents.partitions.push_back(partition(3, "ext4", root_uuid));
  CHECK(twice.ids() == std::vector<std::string>{"duplicate-identity"});
  twice.contents.findings.clear();
  for (auto& each : twice.contents.partitions) each.filesystem = "btrfs";
  CHECK(twice.ids().empty());
}

TEST_CASE("a swap to wake up from that is gone is told, wherever it is named, and noresume takes it back") {
  const std::string gone = "UUID=dead-0001";
  struct Case {
    std::string line, path, text;
  };
  const Case cases[] = {
      {" resume=" + gone, "", ""},
      {" resume=/dev/sdb3", "", ""},
      {" resume=/dev/disk/by-id/ata-X-part3", "", ""},
      {" resume=/dev/mapper/old--vg-swap", "", ""},
      {"", "/etc/initramfs-tools/conf.d/resume", "RESUME=" + gone + "\n"},
      {"", "/etc/initramfs-tools/conf.d/zz", "# x\nexport RESUME=\"" + gone + "\"\n"},
      {"", "/etc/initramfs-tools/initramfs.conf", "MODULES=most\nRESUME=" + gone + "\n"},
      {"", "/etc/dracut.conf.d/10.conf", "kernel_cmdline+=\" resume=" + gone + " \"\n"},
      {"", "/etc/dracut.conf", "kernel_cmdline=\"resume=" + gone + "\"\n"},
      {"", "/boot/initrd.img-6.1.0", test::cpio_archive({{"conf/conf.d/resume", "RESUME=" + gone + "\n"}})},
  };
  for (const Case& each : cases) {
    CAPTURE(each.line, each.path);
    for (const std::string more : {"", " noresume"}) {
      Debian disk;
      if (!each.path.empty()) disk.root.add(each.path, each.text);
      disk.root.add("/boot/grub/grub.cfg",
                    menu_entry("root=UUID=" + root_uuid + " ro console=ttyS0" + more + each.line));
      CHECK(disk.ids() ==
            (more.empty() ? std::vector<std::string>{"start-waits-for-swap"} : std::vector<std::string>{}));
    }
  }
}

TEST_CASE("where an initramfs says that it wakes up from nothing, what the next will be made from does not count") {
  Debian disk;
  disk.root.add("/etc/initramfs-tools/conf.d/resume", "RESUME=UUID=dead\n");
  disk.root.add("/boot/initrd.img-6.1.0", test::cpio_archive({{"conf/initramfs.conf", "MODULES=most\n"}}));
  CHECK(disk.ids().empty());
}

TEST_CASE("a quick look sees what an initramfs is told of the start, and a look at a guest does not") {
  for (const auto questions : {BootQuestions::quick, BootQuestions::of_a_guest}) {
    Debian disk;
    disk.root.add("/boot/initrd.img-6.1.0", test::cpio_archive({{"conf/conf.d/resume", "RESUME=UUID=dead\n"}}));
    const BootPlace places[] = {{"p2", root_uuid, "", false, &disk.root}};
    add_boot_evidence(disk.contents, places, questions);
    CHECK(disk.contents.findings.size() == (questions == BootQuestions::quick ? 1u : 0u));
  }
}

TEST_CASE("a swap that is here, none, or one that may lie in a closed container is not told") {
  for (const std::string resume : {"UUID=5a5a", "none", "auto", "/dev/sda2", "/dev/mapper/cryptswap"}) {
    CAPTURE(resume);
    Debian disk;
    disk.contents.partitions.push_back(partition(3, "swap", "5a5a"));
    disk.root.add("/etc/crypttab", "cryptswap UUID=5a5a /dev/urandom swap\n");
    disk.root.add("/etc/initramfs-tools/conf.d/resume", "RESUME=" + resume + "\n");
    if (resume == "/dev/sda2")
      disk.root.add("/boot/grub/grub.cfg", menu_entry("root=UUID=" + root_uuid + " ro console=ttyS0 resume=/dev/sda2"));
    CHECK(disk.ids().empty());
  }
  Debian closed;
  closed.contents.partitions.push_back(partition(3, "crypto_LUKS", "77"));
  closed.root.add("/etc/initramfs-tools/conf.d/resume", "RESUME=UUID=dead\n");
  CHECK(closed.ids().empty());
}

TEST_CASE("a name in fstab that goes with the bus has the machine get such a bus, where the system can drive it") {
  Debian disk;
  disk.root.add("/etc/fstab", "UUID=" + root_uuid + " / ext4 defaults 0 1\n/dev/sda1 /boot/efi vfat defaults 0 1\n");
  CHECK(disk.ids() == std::vector<std::string>{"fstab-names-hardware"});
  CHECK(disk.contents.findings[0].severity == base::Severity::note);
  CHECK(disk.contents.systems[0].named_buses == std::vector<Bus>{Bus::sata});
  CHECK(disk.contents.systems[0].virtio == Verdict::yes);
  Debian other;
  other.root.add("/etc/fstab", "/dev/nvme0n1p1 /boot/efi vfat defaults 0 1\n");
  CHECK(other.ids() == std::vector<std::string>{"fstab-names-hardware"});
  CHECK(other.contents.findings[0].severity == base::Severity::warning);
  CHECK(other.contents.systems[0].named_buses.empty());
}

TEST_CASE("names in fstab are taken as mount takes them: in quotes, with blanks as octal numbers") {
  Debian disk;
  disk.contents.partitions[0].label = "my data";
  disk.root.add("/etc/fstab", "UUID=\"" + root_uuid +
                                  "\" / ext4 defaults 0 1\nLABEL=my\\040data /a\\040b vfat "
                                  "defaults 0 0\nPARTUUID='00000002' /x ext4 defaults 0 0\n"
                                  "/dev/disk/by-label/my\\x20data /y vfat defaults 0 0\n");
  CHECK(disk.ids().empty());
}

TEST_CASE("what fstab waits for by label, partition or as swap on another disk is told, the network as a note") {
  for (const std::string line :
       {"LABEL=backup /b ext4 defaults 0 0", "PARTUUID=dead /b ext4 defaults 0 0",
        "PARTLABEL=data /b ext4 defaults 0 0", "UUID=dead none swap sw 0 0",
        "/dev/mapper/old--vg-data /b ext4 defaults 0 0", "/dev/old-vg/data /b xfs defaults 0 0"}) {
    CAPTURE(line);
    Debian disk;
    disk.root.add("/etc/fstab", line + "\n");
    CHECK(disk.ids() == std::vector<std::string>{"fstab-other-disk"});
    CHECK(disk.contents.findings[0].severity == base::Severity::warning);
  }
  for (const std::string line : {"nas:/export /n nfs defaults 0 0", "//nas/share /n cifs credentials=/x 0 0"}) {
    Debian disk;
    disk.root.add("/etc/fstab", line + "\nnas:/b /c nfs4 noauto 0 0\ntmpfs /tmp tmpfs\n/srv /mnt none bind 0 0\n");
    CHECK(disk.ids() == std::vector<std::string>{"fstab-other-disk"});
    CHECK(disk.contents.findings[0].severity == base::Severity::note);
  }
}

TEST_CASE("names that a volume gives itself are no hardware's") {
  const std::string group = "AAAABBBBCCCCDDDDEEEEFFFFGGGGHHHH", volume = "IIIIJJJJKKKKLLLLMMMMNNNNOOOOPPPP";
  Debian disk;
  disk.contents.sets = {{VolumeKind::lvm, group, "vg", true, {}, {}},
                        {VolumeKind::md, "3f1c9e5d-1111-2222-3333-444455556666", "md:0", true, {}, {}}};
  disk.contents.volumes = {{"vg/var", VolumeKind::lvm, 1 << 20, "ext4", "", "7777"},
                           {"md:0", VolumeKind::md, 1 << 20, "ext4", "", "8888"}};
  disk.root.add("/etc/fstab",
                "/dev/disk/by-id/dm-uuid-LVM-" + group + volume +
                    " /var ext4 defaults 0 1\n/dev/disk/by-id/dm-name-vg-var /v ext4 defaults 0 0\n"
                    "/dev/disk/by-id/md-uuid-3f1c9e5d:11112222:33334444:55556666 /m ext4 defaults 0 0\n"
                    "/dev/disk/by-id/md-name-any:0 /n ext4 defaults 0 0\n/dev/md/0 /o ext4 defaults 0 0\n");
  CHECK(disk.ids().empty());
  Debian alone;
  alone.root.add("/etc/fstab", "/dev/disk/by-id/dm-uuid-LVM-" + group + volume + " /var ext4 defaults 0 1\n");
  CHECK(alone.ids() == std::vector<std::string>{"fstab-other-disk"});
  CHECK(alone.contents.findings[0].severity == base::Severity::note);
}

TEST_CASE("a system in a filesystem that is not read is named by its boot loader, and its bus by its initramfs") {
  test::MemoryFiles esp;
  const auto entry = [&](const std::string& root) {
    esp.add("/loader/entries/arch.conf", "title Arch Linux\nlinux /vmlinuz-6.1.0\noptions " + root + " rw\n");
  };
  esp.add("/vmlinuz-6.1.0", "k").add("/config-6.1.0", config);
  const BootPlace places[] = {{"p1", "AAAA", "", true, &esp}};
  Contents contents;
  contents.partitions = {partition(1, "vfat", "AAAA"), partition(2, "f2fs", "1234"), partition(3, "bcachefs", "5678")};
  contents.findings = {{"cannot-look-inside", base::Severity::note, "p2", "", ""},
                       {"cannot-look-inside", base::Severity::note, "p3", "", ""}};
  const auto systems = [&](const std::string& root) {
    entry(root);
    Contents found = contents;
    add_boot_evidence(found, places, BootQuestions::all);
    const auto told = std::ranges::count(found.findings, "cannot-look-inside", &base::Finding::id);
    CHECK(std::size_t(told) + found.systems.size() == contents.findings.size());
    return found.systems;
  };
  const auto named = systems("root=UUID=1234");
  REQUIRE(named.size() == 1);
  CHECK(named[0].id == "arch");
  CHECK(named[0].root == "p2");
  CHECK_FALSE(named[0].encrypted);
  CHECK(named[0].virtio == Verdict::yes);
  CHECK(systems("root=UUID=5678").at(0).root == "p3");
  // On another disk, or in either of them.
  CHECK(systems("root=UUID=9999").empty());
  CHECK(systems("quiet").empty());
  contents.findings.pop_back();
  CHECK(systems("quiet").at(0).root == "p2");
}

TEST_CASE("where no command line names a root its partition's type does, and that is told") {
  constexpr const char* root_type = "4f68bce3-e8cd-4db1-96e7-fbcaf984b709";
  struct Case {
    const char* words;
    bool no_auto;
    const char *root, *by;
  };
  const Case cases[] = {{"quiet", false, "p3", "partition-type"},
                        {"root=gpt-auto", false, "p3", "partition-type"},
                        {"root=UUID=other", false, "p2", "command-line"},
                        {"quiet", true, "", ""}};
  for (const Case& each : cases) {
    CAPTURE(each.words, each.no_auto);
    test::MemoryFiles esp, root;
    esp.add("/loader/loader.conf", "")
        .add("/loader/entries/a.conf", "title A\nlinux /linux\noptions " + std::string(each.words));
    esp.add("/linux", "k");
    Contents contents;
    contents.partitions = {partition(1, "vfat", "AAAA"), partition(2, "ext4", "other"),
                           partition(3, "ext4", root_uuid)};
    contents.partitions[2].partition.type = root_type;
    contents.partitions[2].partition.no_auto = each.no_auto;
    contents.systems = {linux_system(each.root == std::string("p2") ? "p2" : "p3")};
    const BootPlace places[] = {{"p1", "AAAA", "", true, &esp}, {"p3", root_uuid, "", false, &root}};
    add_boot_evidence(contents, places, BootQuestions::all);
    REQUIRE(contents.systems[0].boot);
    CHECK(contents.systems[0].boot->root == each.root);
    CHECK(contents.systems[0].boot->root_by == each.by);
  }
}

TEST_CASE("a system in LUKS or ZFS is named by its boot loader") {
  test::MemoryFiles boot;
  boot.add("/grub/grub.cfg", menu_entry("root=/dev/mapper/ubuntu--vg-ubuntu--lv ro", "Ubuntu", ""))
      .add("/vmlinuz-6.1.0", "k");
  boot.add("/config-6.1.0", config);
  const BootPlace places[] = {{"p2", boot_uuid, "", false, &boot}};
  Contents contents;
  contents.partitions = {partition(2, "ext4", boot_uuid), partition(3, "crypto_LUKS", "1234")};
  add_boot_evidence(contents, places, BootQuestions::all);
  REQUIRE(contents.systems.size() == 1);
  CHECK(contents.systems[0].id == "ubuntu");
  CHECK(contents.systems[0].root == "p3");
  CHECK(contents.systems[0].encrypted);
  CHECK(contents.systems[0].virtio == Verdict::yes);
  CHECK(contents.findings.at(0).id == "system-by-loader");

  test::MemoryFiles esp;
  esp.add("/loader/loader.conf", "default proxmox-*\n");
  esp.add("/loader/entries/proxmox-6.5.11-7-pve.conf",
          "title Proxmox Virtual Environment\nversion 6.5.11-7-pve\noptions root=ZFS=rpool/ROOT/pve-1 boot=zfs\n"
          "linux /EFI/proxmox/6.5.11-7-pve/vmlinuz-6.5.11-7-pve\n");
  const BootPlace pool_places[] = {{"p2", "AAAA", "", true, &esp}};
  Contents pool;
  pool.partitions = {partition(2, "vfat", "AAAA"), partition(3, "zfs_member", "77")};
  add_boot_evidence(pool, pool_places, BootQuestions::all);
  REQUIRE(pool.systems.size() == 1);
  CHECK(pool.systems[0].id == "proxmox");
  CHECK(pool.systems[0].root == "rpool/ROOT/pve-1");
  CHECK(pool.systems[0].kernels == std::vector<std::string>{"6.5.11-7-pve"});
  CHECK_FALSE(pool.systems[0].encrypted);

  Contents stick;
  stick.partitions = {partition(2, "ext4", boot_uuid)};
  add_boot_evidence(stick, places, BootQuestions::all);
  CHECK(stick.systems.empty());
}

TEST_CASE("of several LUKS containers the one is the system's that the crypttab in its initramfs opens for it") {
  struct Case {
    std::string crypttab, root, place;
  };
  const Case cases[] = {{"data UUID=1111 none luks\nsda3_crypt\tUUID=2222 none luks\n", "/dev/mapper/sda3_crypt", "p4"},
                        {"# a comment\none UUID=1111 none luks\n", "/dev/mapper/vg-root", "p3"},
                        {"other UUID=9999 none luks\n", "/dev/mapper/vg-root", ""},
                        {"", "/dev/mapper/vg-root", ""}};
  for (const Case& each : cases) {
    CAPTURE(each.crypttab);
    const test::TemporaryDirectory folder;
    folder.write("tree/cryptroot/crypttab", each.crypttab);
    test::run_program({"sh", "-c",
                       "cd '" + (folder / "tree").string() + "' && find . | cpio -o --quiet -H newc > '" +
                           (folder / "cpio").string() + "'"});
    test::MemoryFiles boot;
    boot.add("/grub/grub.cfg", menu_entry("root=" + each.root + " ro", "Debian", ""))
        .add("/vmlinuz-6.1.0", "k")
        .add("/initrd.img-6.1.0", sys::read_file(folder / "cpio", 1 << 20));
    const BootPlace places[] = {{"p2", boot_uuid, "", false, &boot}};
    Contents contents;
    contents.partitions = {partition(2, "ext4", boot_uuid), partition(3, "crypto_LUKS", "1111"),
                           partition(4, "crypto_LUKS", "2222")};
    add_boot_evidence(contents, places, BootQuestions::all);
    REQUIRE(contents.systems.size() == (each.place.empty() ? 0 : 1));
    if (!each.place.empty()) CHECK(contents.systems[0].root == each.place);
  }
}

namespace {

using Archive = std::vector<std::pair<std::string, std::string>>;

// RHEL as its installer lays it out: /boot of its own, the root in a volume, an initramfs of dracut's.
struct Rhel {
  test::MemoryFiles root, boot;
  Contents contents;
  Archive initramfs = {{"usr/lib/modules/6.1.0/kernel/fs/xfs/xfs.ko", "x"}};
  std::string command_line = "root=/dev/mapper/rhel-root ro console=ttyS0 rd.lvm.lv=rhel/root";

  Rhel() {
    contents.partitions = {partition(1, "xfs", boot_uuid), partition(2, "LVM2_member", "x")};
    contents.volumes = {{"rhel/root", VolumeKind::lvm, 1 << 20, "xfs", "", root_uuid}};
    contents.systems = {linux_system("rhel/root")};
    root.add("/etc/os-release", "ID=rhel\n");
    // One driver is a module, and not there: the initramfs is read to its end.
    boot.add("/config-6.1.0", config + "CONFIG_BLK_DEV_NVME=m\n").add("/vmlinuz-6.1.0", "k");
  }
  std::vector<std::string> ids(BootQuestions questions = BootQuestions::all) {
    boot.add("/grub/grub.cfg", menu_entry(command_line, "RHEL", ""))
        .add("/initrd.img-6.1.0", test::cpio_archive(initramfs));
    const BootPlace places[] = {{"p1", boot_uuid, "", false, &boot}, {"rhel/root", root_uuid, "", false, &root}};
    add_boot_evidence(contents, places, questions);
    std::vector<std::string> found;
    for (const auto& finding : contents.findings) found.push_back(finding.id);
    return found;
  }
  using Ids = std::vector<std::string>;
};

const std::string devices_file =
    "# LVM uses devices listed in this file.\nVERSION=1.1.2\nIDTYPE=sys_wwid IDNAME=naa.5 DEVNAME=/dev/sda2 PVID=x\n";

}  // namespace

TEST_CASE("a list of LVM's devices hides the root where the initramfs has it, and other groups where it has not") {
  Rhel both;
  both.root.add("/etc/lvm/devices/system.devices", devices_file);
  both.initramfs.insert(both.initramfs.begin(), {"etc/lvm/devices/system.devices", devices_file});
  CHECK(both.ids() == Rhel::Ids{"lvm-devices-file"});
  const auto& hidden = both.contents.findings[0];
  CHECK(hidden.severity == base::Severity::warning);
  CHECK(hidden.message ==
        "LVM looks at no other devices than /etc/lvm/devices/system.devices lists in the initramfs, by "
        "ids that the disk may not have in a machine: the root's volume group would stay hidden");
  CHECK(hidden.remedy.find("rm /etc/lvm/devices/system.devices") != std::string::npos);

  Rhel own;
  own.root.add("/etc/lvm/devices/system.devices", devices_file);
  CHECK(own.ids() == Rhel::Ids{"lvm-devices-file"});
  CHECK(own.contents.findings[0].severity == base::Severity::note);
  CHECK(own.contents.findings[0].message.ends_with("volume groups besides the root's would stay hidden"));

  Rhel quick;
  quick.root.add("/etc/lvm/devices/system.devices", devices_file);
  CHECK(quick.ids(BootQuestions::quick) == Rhel::Ids{"lvm-devices-file"});
  CHECK(quick.contents.findings[0].severity == base::Severity::warning);
}

TEST_CASE("a list of LVM's devices that is not used, or names what lies on the disk, hides nothing") {
  Rhel unused;
  unused.initramfs.insert(unused.initramfs.begin(), {{"etc/lvm/devices/system.devices", devices_file},
                                                     {"etc/lvm/lvm.conf", "devices {\n\tuse_devicesfile = 0\n}\n"}});
  CHECK(unused.ids().empty());
  Rhel opened;
  opened.initramfs.insert(opened.initramfs.begin(),
                          {"etc/lvm/devices/system.devices", "IDTYPE=crypt_uuid IDNAME=CRYPT-LUKS2-1 PVID=x\n"});
  CHECK(opened.ids().empty());
}

TEST_CASE("a filter of LVM that knows disks by this computer's names is told, one that takes some out is not") {
  struct Case {
    std::string conf;
    bool bound;
  };
  const Case cases[] = {
      {"devices {\n  filter = [ \"a|^/dev/sda[23]$|\",\n \"r|.*|\" ]\n}\n", true},
      {"devices {\n# x\nglobal_filter=[\"a|/dev/disk/by-path/.*|\", \"r|.*|\"] # ours\n}\n", true},
      {"devices {\n  # filter = [ \"a|/dev/sda|\", \"r|.*|\" ]\n}\n", false},
      {"devices {\n  global_filter = [ \"r|/dev/zd.*|\", \"r|/dev/mapper/pve-.*|\" ]\n}\n", false},
      {"devices {\n  filter = [ \"a|.*|\" ]\n}\n", false},
      {"filter = [ \"a|/dev/sda|\"", false},
  };
  for (const Case& each : cases) {
    CAPTURE(each.conf);
    Rhel disk;
    disk.initramfs.insert(disk.initramfs.begin(), {"etc/lvm/lvm.conf", each.conf});
    CHECK(disk.ids() == (each.bound ? Rhel::Ids{"lvm-filter"} : Rhel::Ids{}));
  }
}

TEST_CASE("what the start waits for on another disk is told, from the command line and from the initramfs") {
  Rhel disk;
  disk.command_line += " rd.lvm.lv=rhel/swap rd.lvm.lv=data/home";
  disk.initramfs.insert(disk.initramfs.begin(),
                        {{"etc/cmdline.d/90crypt.conf", "rd.luks.uuid=luks-1234\n"},
                         {"etc/cmdline.d/90mdraid.conf", " rd.md.uuid=3f1c9e5d:11112222:33334444:55556666\n"},
                         {"etc/cmdline.d/95root-dev.conf", "# rd.md.uuid=77\nroot=/dev/mapper/rhel-root\n"}});
  CHECK(disk.ids() == Rhel::Ids{"start-waits-for-other-disk", "start-waits-for-other-disk"});
  CHECK(disk.contents.findings[0].message ==
        "its start waits for what is not on this disk: LVM data/home (the kernel's command line)");
  CHECK(disk.contents.findings[1].message ==
        "its start waits for what is not on this disk: LUKS 1234, RAID 3f1c9e5d:11112222:33334444:55556666 "
        "(etc/cmdline.d of its initramfs)");

  Rhel whole;
  whole.contents.partitions.push_back(partition(3, "crypto_LUKS", "1234-5678"));
  whole.contents.partitions.push_back(partition(4, "linux_raid_member", "3f1c9e5d-1111-2222-3333-444455556666"));
  whole.command_line = disk.command_line;
  whole.initramfs = disk.initramfs;
  CHECK(whole.ids().empty());
}

TEST_CASE("a root that the kernel is not told is the one that its initramfs is told") {
  Rhel disk;
  disk.command_line = "ro console=ttyS0";
  disk.initramfs.insert(disk.initramfs.begin(),
                        {"etc/cmdline.d/95root-dev.conf", " root=/dev/mapper/rhel-root rootfstype=xfs\n"});
  disk.ids();
  REQUIRE(disk.contents.systems[0].boot);
  CHECK(disk.contents.systems[0].boot->root == "rhel/root");
  CHECK(disk.contents.systems[0].boot->command_line == "ro console=ttyS0");

  Rhel by_name;
  by_name.command_line = "ro console=ttyS0";
  by_name.initramfs.insert(by_name.initramfs.begin(), {"etc/cmdline.d/95root-dev.conf", "root=/dev/sda2\n"});
  by_name.ids();
  CHECK(by_name.contents.systems[0].virtio == Verdict::no);

  Rhel none;
  none.command_line = "ro console=ttyS0";
  none.ids();
  CHECK(none.contents.systems[0].boot->root.empty());
}

TEST_CASE("of several LUKS containers the one is the system's that the initramfs is told to open") {
  test::MemoryFiles boot;
  boot.add("/grub/grub.cfg", menu_entry("ro", "Fedora Linux", "")).add("/vmlinuz-6.1.0", "k");
  boot.add("/initrd.img-6.1.0",
           test::cpio_archive({{"etc/cmdline.d/90crypt.conf", "rd.luks.uuid=luks-2222\n"},
                               {"etc/cmdline.d/95root-dev.conf", "root=/dev/mapper/fedora-root\n"}}));
  const BootPlace places[] = {{"p2", boot_uuid, "", false, &boot}};
  Contents contents;
  contents.partitions = {partition(2, "ext4", boot_uuid), partition(3, "crypto_LUKS", "1111"),
                         partition(4, "crypto_LUKS", "2222")};
  add_boot_evidence(contents, places, BootQuestions::all);
  REQUIRE(contents.systems.size() == 1);
  CHECK(contents.systems[0].root == "p4");
}

TEST_CASE("mounts that go with the computer or lie on another disk are told, optional ones are not") {
  Debian disk;
  disk.root.add(
      "/etc/fstab",
      "# /etc/fstab\nUUID=" + root_uuid +
          " / ext4 errors=remount-ro 0 1\nUUID=AAAA-BBBB /boot/efi vfat umask=0077 0 1\n"
          "/dev/sdb1\t/data\text4\tdefaults 0 2\n/dev/disk/by-path/pci-0000:00:1f.2-ata-1-part3 none swap sw 0 0\n"
          "UUID=dead-beef /backup ext4 defaults 0 2\nUUID=feed /media ext4 defaults,nofail 0 0\n"
          "/dev/sr0 /media/cdrom0 udf,iso9660 user,noauto 0 0\n/dev/sdc1 /usb auto noauto 0 0\nproc /proc proc "
          "defaults 0 0\n");
  CHECK(disk.ids() == std::vector<std::string>{"fstab-names-hardware", "fstab-other-disk"});
  CHECK(disk.contents.findings[0].message.find(
            "/dev/sdb1 (/data), /dev/disk/by-path/pci-0000:00:1f.2-ata-1-part3 (swap)") != std::string::npos);
  CHECK(disk.contents.findings[1].message.ends_with("waits for it: UUID=dead-beef (/backup)"));
}

TEST_CASE("a root that may lie in a volume that was not read is not taken for another disk's") {
  Debian disk;
  disk.contents.findings.push_back({"volume-closed", base::Severity::note, "vg/root", "raid5", ""});
  disk.root.add("/boot/grub/grub.cfg", menu_entry("root=UUID=dead ro console=ttyS0"));
  CHECK(disk.ids() == std::vector<std::string>{"volume-closed"});
}

TEST_CASE("what lies on another disk of the machine is here") {
  Debian disk;
  disk.contents.companions = {partition(1, "ext4", "dead"), partition(2, "swap", "5a5a")};
  disk.contents.companions[0].label = "data";
  disk.root.add("/etc/fstab", "UUID=dead /a ext4 defaults 0 0\nLABEL=data /b ext4 defaults 0 0\n");
  disk.root.add("/boot/grub/grub.cfg", menu_entry("root=UUID=" + root_uuid + " console=ttyS0 resume=UUID=5a5a"));
  CHECK(disk.ids().empty());
  disk.contents.companions[0].uuid = root_uuid;
  CHECK(disk.ids().at(0) == "duplicate-identity");
}

TEST_CASE("what lies in a closed container is not taken for another disk's") {
  Debian disk;
  disk.contents.partitions.push_back(partition(3, "crypto_LUKS", "1234"));
  disk.root.add("/etc/fstab", "UUID=dead-beef /home ext4 defaults 0 2\n");
  CHECK(disk.ids().empty());
}

TEST_CASE("keys in a TPM, clusters and a list of LVM's devices are told") {
  Debian disk;
  disk.root.add(
      "/etc/crypttab",
      "# <name> <device> <key> <options>\ndata /dev/sdb3 none luks,tpm2-device=auto\nswap UUID=12 none luks\n");
  disk.root.add("/etc/corosync/corosync.conf", "totem {}\n");
  disk.root.add("/etc/lvm/devices/system.devices",
                "VERSION=1.1.1\nIDTYPE=sys_wwid IDNAME=naa.5 DEVNAME=/dev/sda3 PVID=x\n");
  CHECK(disk.ids() == std::vector<std::string>{"crypttab-names-hardware", "start-waits-for-other-disk", "key-in-tpm",
                                               "cluster-member"});
}

TEST_CASE("a key on a token or on a stick is told, one that lies in the root or is drawn is not") {
  Debian disk;
  disk.contents.partitions.push_back(partition(3, "crypto_LUKS", "3333"));
  disk.root.add("/etc/crypttab",
                "a UUID=3333 none fido2-device=auto\nb UUID=3333 /dev/disk/by-id/usb-Stick_1-part1 luks\n"
                "c UUID=3333 /etc/keys/c luks\nd UUID=3333 /dev/urandom swap\n");
  CHECK(disk.ids() == std::vector<std::string>{"key-in-hardware"});
  CHECK(disk.contents.findings[0].message.ends_with("a (FIDO2), b (/dev/disk/by-id/usb-Stick_1-part1)"));
}

TEST_CASE("a network set up for a card is told, one set up for whatever comes is not") {
  struct Case {
    std::string path, text, names;
  };
  const Case cases[] = {
      {"/etc/network/interfaces",
       "auto lo\niface lo inet loopback\niface enp3s0 inet manual\nauto vmbr0\niface vmbr0 inet static\n\tbridge-ports "
       "enp3s0\n",
       "enp3s0"},
      {"/etc/network/interfaces.d/wan", "allow-hotplug eth0\niface eth0 inet dhcp\n", "eth0"},
      {"/etc/netplan/00-installer-config.yaml", "network:\n  ethernets:\n    ens18:\n      dhcp4: true\n  version: 2\n",
       "ens18"},
      {"/etc/netplan/50-cloud-init.yaml",
       "network:\n  ethernets:\n    lan:\n      match:\n        macaddress: \"52:54:00:12:34:56\"\n      set-name: "
       "lan\n",
       "52:54:00:12:34:56"},
      {"/etc/NetworkManager/system-connections/wired.nmconnection", "[connection]\nid=x\ninterface-name=eno1\n",
       "eno1"},
      {"/etc/systemd/network/10-lan.network", "[Match]\nName=enp0s25\n[Network]\nDHCP=yes\n", "enp0s25"},
      {"/etc/sysconfig/network-scripts/ifcfg-eth0", "DEVICE=\"eth0\"\nHWADDR=52:54:00:12:34:56\n",
       "52:54:00:12:34:56, eth0"},
      {"/etc/udev/rules.d/70-persistent-net.rules",
       "SUBSYSTEM==\"net\", ATTR{address}==\"00:16:3e:00:00:01\", NAME=\"eth0\"\n", "00:16:3e:00:00:01, eth0"},
      {"/etc/udev/rules.d/10-my-cards.rules",
       "ACTION==\"add\", SUBSYSTEM==\"net\", KERNELS==\"0000:03:00.0\", NAME=\"lan0\"\n", "lan0"},
      {"/usr/local/lib/systemd/network/50-pve-nic0.link",
       "[Match]\nMACAddress=52:54:00:aa:bb:01\nType=ether\n[Link]\nName=nic0\n", "52:54:00:aa:bb:01, nic0"},
      {"/usr/lib/systemd/network/10-wan.link", "[Match]\nPath=pci-0000:03:00.0\n[Link]\nName=wan\n",
       "pci-0000:03:00.0, wan"},
      {"/etc/udev/rules.d/80-x.rules", "SUBSYSTEM==\"net\", NAME==\"eth0\", RUN+=\"/x\"\n", ""},
      {"/etc/udev/rules.d/81-x.rules",
       "SUBSYSTEM==\"net\", NAME=\"$env{ID_NET_NAME}\"\nKERNEL==\"tun\", "
       "NAME=\"net/%k\"\n",
       ""},
      {"/usr/lib/systemd/network/99-default.link", "[Match]\nOriginalName=*\n[Link]\nNamePolicy=keep kernel\n", ""},
      {"/etc/systemd/network/20-any.network", "[Match]\nName=en*\n[Network]\nDHCP=yes\n", ""},
      {"/etc/network/interfaces.d/lo", "auto lo\niface lo inet loopback\n# iface eth0 inet dhcp\n", ""},
  };
  for (const Case& each : cases) {
    Debian disk;
    disk.root.add(each.path, each.text);
    INFO(each.path);
    const auto ids = disk.ids();
    CHECK(ids.empty() == each.names.empty());
    if (ids.empty()) continue;
    CHECK(ids == std::vector<std::string>{"network-names-hardware"});
    CHECK(disk.contents.findings[0].message.starts_with("its network is set up for " + each.names + " (" + each.path +
                                                        ")"));
  }
}

TEST_CASE("a system that is silent on a serial console is told") {
  Debian disk;
  disk.root.add("/boot/grub/grub.cfg", menu_entry("root=UUID=" + root_uuid + " ro quiet"));
  CHECK(disk.ids() == std::vector<std::string>{"no-serial-console"});
}

TEST_CASE("an initramfs for one machine alone is told with the entry that may help") {
  Debian disk;
  disk.root.add("/boot/config-6.1.0",
                "\nCONFIG_VIRTIO_BLK=m\nCONFIG_VIRTIO_PCI=m\nCONFIG_SATA_AHCI=y\nCONFIG_BLK_DEV_SD=y\n");
  disk.root.add("/boot/grub/grub.cfg",
                menu_entry("root=UUID=" + root_uuid + " console=ttyS0") +
                    "menuentry 'Rescue' { linux /boot/vmlinuz-0-rescue-1\n initrd /boot/initramfs-0-rescue-1.img }\n");
  CHECK(disk.ids() == std::vector<std::string>{"no-virtio-driver"});
  CHECK(disk.contents.findings[0].severity == base::Severity::note);
  CHECK(disk.contents.findings[0].message.ends_with("its entry \"Rescue\" often has the drivers of every bus"));
  CHECK(verdict(disk.contents.systems[0], "sata") == "yes");
}

TEST_CASE("guests' systems, and those that are no Linux, are left as they are") {
  Debian disk;
  System guest = linux_system("p1"), other = linux_system("p1");
  guest.inside = "pve/vm-100-disk-0";
  other.family = SystemFamily::bsd;
  disk.contents.systems = {other, guest};
  disk.read();
  CHECK_FALSE(disk.contents.systems[0].boot);
  CHECK_FALSE(disk.contents.systems[1].boot);
  CHECK(disk.contents.systems[1].drivers.empty());
}
