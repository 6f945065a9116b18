#include <catch2/catch.hpp>
#include <cstdio>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "probe/drivers/find_drivers.hpp"
#include "probe/drivers/initramfs_policy.hpp"
#include "support/memory_files.hpp"

using namespace hrvm;
using namespace hrvm::probe;

namespace {

const std::string version = "6.1.0-18-amd64", modules = "/lib/modules/" + version;

// Made of names alone.
std::string initramfs(const std::vector<std::string>& names) {
  std::string bytes;
  const auto add = [&](const std::string& name, const std::string& text) {
    char header[111];
    std::snprintf(header, sizeof header, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X", 1, 0100644, 0, 0,
                  1, 0, unsigned(text.size()), 0, 0, 0, 0, unsigned(name.size() + 1), 0);
    bytes += header + name;
    do bytes += '\0';
    while (bytes.size() % 4 != 0);
    bytes += text;
    while (bytes.size() % 4 != 0) bytes += '\0';
  };
  for (const auto& name : names) add("usr" + modules + "/kernel/drivers/" + name, "x");
  add("TRAILER!!!", "");
  return bytes;
}

// Debian's kernel, as far as it matters.
test::MemoryFiles debian(const std::string& initrd) {
  test::MemoryFiles files;
  files.add("/boot/initrd.img-" + version, initrd);
  files.add(modules + "/modules.builtin", "kernel/drivers/tty/n_null.ko\nkernel/drivers/nvme/host/nvme.ko\n");
  files.add("/boot/config-" + version,
            "# comment\nCONFIG_VIRTIO_BLK=m\nCONFIG_VIRTIO_PCI=m\nCONFIG_SCSI_VIRTIO=m\nCONFIG_BLK_DEV_SD=m\n"
            "# CONFIG_SATA_AHCI is not set\nCONFIG_ATA_PIIX=m\nCONFIG_BLK_DEV_NVME=y\n");
  return files;
}

struct Verdict {
  std::string verdict, because;
};

std::map<std::string, Verdict> verdicts(test::MemoryFiles& files, bool quick, const std::string& of = version) {
  std::map<std::string, Verdict> found;
  const KernelAndInitramfs kernel{&files, &files, of, {"/boot/initrd.img-" + version}, ""};
  for (const auto& bus : find_drivers(kernel, quick).buses) found[bus.bus] = {bus.verdict, bus.because};
  return found;
}

}  // namespace

TEST_CASE("a bus can be driven by what is in the initramfs or built into the kernel") {
  auto files = debian(initramfs({"block/virtio_blk.ko", "virtio/virtio_pci.ko", "scsi/sd_mod.ko", "ata/ata_piix.ko"}));
  auto found = verdicts(files, false);
  CHECK(found["virtio"].verdict == "yes");
  CHECK(found["virtio"].because == "virtio_blk is in /boot/initrd.img-6.1.0-18-amd64");
  CHECK(found["nvme"].verdict == "yes");
  CHECK(found["nvme"].because == "nvme is built into the kernel (modules.builtin)");
  CHECK(found["ide"].verdict == "yes");
  CHECK(found["scsi"].verdict == "no");
  CHECK(found["scsi"].because == "virtio_scsi is neither in /boot/initrd.img-6.1.0-18-amd64 nor built into the kernel");
  CHECK(found["sata"].verdict == "no");
  CHECK(found["sata"].because == "the kernel 6.1.0-18-amd64 has no ahci");
}

TEST_CASE("virtio_blk alone drives nothing without virtio_pci") {
  auto files = debian(initramfs({"block/virtio_blk.ko"}));
  auto found = verdicts(files, false);
  CHECK(found["virtio"].verdict == "no");
  CHECK(found["virtio"].because ==
        "virtio_pci is neither in /boot/initrd.img-6.1.0-18-amd64 nor built into the kernel");
}

TEST_CASE("a quick search reads no initramfs, but what its tool is told") {
  auto files = debian(initramfs({"block/virtio_blk.ko", "virtio/virtio_pci.ko"}));
  CHECK(verdicts(files, true)["virtio"].verdict == "unknown");
  files.add("/etc/initramfs-tools/initramfs.conf", "# MODULES: [ most | netboot | dep | list ]\nMODULES=most\n");
  auto found = verdicts(files, true);
  CHECK(found["virtio"].verdict == "yes");
  CHECK(found["virtio"].because == "virtio_blk is a module, and /etc/initramfs-tools/initramfs.conf says MODULES=most");
  CHECK(found["sata"].verdict == "no");
  files.add("/etc/initramfs-tools/conf.d/driver-policy", "# Written by the installer\nMODULES=dep\n");
  CHECK(verdicts(files, true)["virtio"].verdict == "unknown");
  files.add("/etc/initramfs-tools/modules", "# more\nvirtio_blk\nvirtio-pci\n");
  CHECK(verdicts(files, true)["virtio"].verdict == "yes");
  CHECK(files.bytes_read < 64 << 10);
}

TEST_CASE("an initramfs that is broken leaves what it does not show unknown") {
  auto files = debian(initramfs({"block/virtio_blk.ko"}).substr(0, 200));
  auto found = verdicts(files, false);
  CHECK(found["virtio"].verdict == "unknown");
  CHECK(found["virtio"].because.starts_with("/boot/initrd.img-6.1.0-18-amd64: a cpio archive "));
  CHECK(found["nvme"].verdict == "yes");
}

TEST_CASE("without the kernel's configuration the modules that are there decide") {
  test::MemoryFiles files;
  files.add(modules + "/modules.builtin", "kernel/drivers/nvme/host/nvme.ko\n");
  files.add(modules + "/kernel/drivers/block/virtio_blk.ko.xz", "x").add("/boot/initrd.img-" + version, initramfs({}));
  auto found = verdicts(files, false);
  CHECK(found["sata"].because == "the kernel 6.1.0-18-amd64 has no ahci");
  CHECK(found["virtio"].verdict == "no");
  CHECK(found["nvme"].verdict == "yes");
}

TEST_CASE("a kernel of which nothing is known leaves a missing driver unknown, one that is there is told") {
  test::MemoryFiles files;
  files.add("/boot/initrd.img-" + version, initramfs({"block/virtio_blk.ko", "virtio/virtio_pci.ko"}));
  auto found = verdicts(files, false, "");
  CHECK(found["virtio"].verdict == "yes");
  CHECK(found["sata"].verdict == "unknown");
}

TEST_CASE("the tools that make an initramfs say for which machines") {
  struct Case {
    std::map<std::string, std::string> files;
    InitramfsScope scope;
    std::set<std::string> modules;
  };
  const Case cases[] = {
      {{{"/usr/lib/dracut/dracut.conf.d/01-dist.conf", "hostonly=\"yes\"\n"}}, InitramfsScope::this_hardware, {}},
      {{{"/usr/lib/dracut/dracut.conf.d/01-dist.conf", "hostonly=\"yes\"\n"},
        {"/usr/lib/dracut/dracut.conf.d/02-generic-image.conf", "hostonly=\"no\"\n"}},
       InitramfsScope::every_bus,
       {}},
      {{{"/usr/lib/dracut/dracut.conf.d/01-dist.conf", "hostonly=\"no\"\n"},
        {"/etc/dracut.conf.d/01-dist.conf", "hostonly=yes # as here\nadd_drivers+=\" virtio_blk virtio-pci \"\n"},
        {"/etc/dracut.conf.d/02.conf", "add_drivers+=\" nvme \"\n"}},
       InitramfsScope::this_hardware,
       {"nvme", "virtio_blk", "virtio_pci"}},
      {{{"/etc/mkinitcpio.conf", "MODULES=(ext4)\nHOOKS=(base udev autodetect modconf block filesystems)\n"}},
       InitramfsScope::this_hardware,
       {"ext4"}},
      {{{"/etc/mkinitcpio.conf", "MODULES=()\nHOOKS=(base udev modconf block filesystems)\n"}},
       InitramfsScope::every_bus,
       {}},
      {{{"/etc/mkinitfs/mkinitfs.conf", "features=\"ext4 nvme virtio\"\n"}},
       InitramfsScope::unknown,
       {"nvme", "virtio_blk", "virtio_pci", "virtio_scsi"}},
      {{}, InitramfsScope::unknown, {}},
  };
  for (const Case& each : cases) {
    test::MemoryFiles files(each.files);
    const auto policy = read_initramfs_policy(files);
    INFO(policy.because);
    CHECK(policy.scope == each.scope);
    CHECK(policy.modules == each.modules);
  }
}
