#include <fmt/core.h>

#include <catch2/catch.hpp>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "probe/drivers/find_drivers.hpp"
#include "probe/drivers/initramfs_policy.hpp"
#include "support/cpio_archive.hpp"
#include "support/memory_files.hpp"

using namespace hrvm;
using namespace hrvm::probe;

namespace {

const std::string version = "6.1.0-18-amd64", modules = "/lib/modules/" + version;

// Made of names alone.
std::string initramfs(const std::vector<std::string>& names) {
  std::vector<std::pair<std::string, std::string>> files;
  for (const auto& name : names) files.emplace_back("usr" + modules + "/kernel/drivers/" + name, "x");
  return test::cpio_archive(files);
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

struct Told {
  std::string verdict, because;
};

std::map<std::string, Told> verdicts(test::MemoryFiles& files, bool quick, const std::string& of = version) {
  std::map<std::string, Told> found;
  const KernelAndInitramfs kernel{&files, &files, of, {"/boot/initrd.img-" + version}, ""};
  for (const auto& bus : find_drivers(kernel, quick ? Unpacking::none : Unpacking::full).buses)
    found[std::string(word(bus.bus))] = {std::string(word(bus.verdict)), bus.because};
  return found;
}

std::vector<std::string> nics(test::MemoryFiles& files, bool has_root = true) {
  std::vector<std::string> found;
  const KernelAndInitramfs kernel{has_root ? &files : nullptr, &files, version, {}, ""};
  for (const auto& nic : find_drivers(kernel, Unpacking::none).nics)
    found.push_back(fmt::format("{}: {}: {}", word(nic.model), word(nic.verdict), nic.because));
  return found;
}
using Lines = std::vector<std::string>;

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

TEST_CASE("drivers that are packed into a file of the initramfs are not taken for missing ones") {
  auto files = debian(test::cpio_archive({{"squash-root.img", "hsqs"}}));
  auto found = verdicts(files, false);
  CHECK(found["virtio"].verdict == "unknown");
  CHECK(found["virtio"].because ==
        "/boot/initrd.img-6.1.0-18-amd64: its drivers lie in squash-root.img, which is not read");
  CHECK(found["nvme"].verdict == "yes");
}

TEST_CASE("a network card is known by a driver in the kernel or among the modules that are installed") {
  auto builtin = debian("");
  builtin.add("/boot/config-" + version, "\nCONFIG_VIRTIO_NET=y\nCONFIG_VIRTIO_PCI=y\n");
  CHECK(nics(builtin) == Lines{"virtio-net: yes: virtio_net is built into the kernel (/boot/config-6.1.0-18-amd64)"});

  auto module = debian("");
  module.add("/boot/config-" + version, "\nCONFIG_VIRTIO_NET=m\nCONFIG_VIRTIO_PCI=m\n");
  module.add(modules + "/kernel/drivers/net/virtio_net.ko", "x")
      .add(modules + "/kernel/drivers/virtio/virtio_pci.ko", "x");
  CHECK(nics(module) == Lines{"virtio-net: yes: virtio_net is among the modules of the kernel 6.1.0-18-amd64"});
}

TEST_CASE("a network card whose driver is not installed is not one, whatever the kernel's configuration says") {
  auto files = debian("");
  files.add("/boot/config-" + version,
            "\nCONFIG_VIRTIO_PCI=y\nCONFIG_VIRTIO_NET=m\nCONFIG_E1000=m\nCONFIG_8139TOO=y\n");
  files.add(modules + "/kernel/drivers/net/ethernet/intel/e1000/e1000.ko.zst", "x");
  CHECK(nics(files) == Lines{"virtio-net: no: virtio_net is not among the modules of the kernel 6.1.0-18-amd64",
                             "e1000e: no: the kernel 6.1.0-18-amd64 has no e1000e",
                             "e1000: yes: e1000 is among the modules of the kernel 6.1.0-18-amd64"});
  files.add("/boot/config-" + version, "\nCONFIG_VIRTIO_NET=m\nCONFIG_VIRTIO_PCI=y\n");
  CHECK(nics(files).size() == 4);
  CHECK(nics(files).back() == "rtl8139: no: the kernel 6.1.0-18-amd64 has no 8139cp");
}

TEST_CASE("where the modules cannot be looked at the kernel's configuration tells of network cards, or nothing does") {
  auto files = debian("");
  files.add("/boot/config-" + version, "\nCONFIG_VIRTIO_NET=m\nCONFIG_VIRTIO_PCI=y\n");
  CHECK(nics(files, false) == Lines{"virtio-net: yes: virtio_net is a module (/boot/config-6.1.0-18-amd64)"});
  test::MemoryFiles bare;
  CHECK(nics(bare).front() == "virtio-net: unknown: the modules of the kernel 6.1.0-18-amd64 cannot be looked at");
  CHECK(nics(bare).size() == 4);
}

TEST_CASE("virtio_net drives nothing without virtio_pci") {
  auto files = debian("");
  files.add("/boot/config-" + version, "\nCONFIG_VIRTIO_NET=y\nCONFIG_E1000E=y\n");
  CHECK(nics(files) == Lines{"virtio-net: no: the kernel 6.1.0-18-amd64 has no virtio_pci",
                             "e1000e: yes: e1000e is built into the kernel (/boot/config-6.1.0-18-amd64)"});
}
