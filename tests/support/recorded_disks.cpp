#include "support/recorded_disks.hpp"

#include <fmt/core.h>

#include <cstring>
#include <map>
#include <stdexcept>

#include "support/disk_writer.hpp"
#include "support/run_program.hpp"
#include "support/temporary_directory.hpp"
#include "support/zfs_device.hpp"

namespace hrvm::test {
namespace {

namespace stdfs = std::filesystem;

constexpr std::uint64_t mib = 1 << 20;
// A recorded filesystem holds a few small files, however large its partition.
constexpr std::uint64_t root_blocks = 4096, fat_bytes = 16 * mib;

const char* const debian_release =
    "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\n"
    "VERSION=\"12 (bookworm)\"\nVERSION_CODENAME=bookworm\nID=debian\nHOME_URL=\"https://www.debian.org/\"\n";

// A Debian root: os-release as the link it is, a host name, kernels with the modules that drive virtio disks and a
// network card.
void write_debian(const TemporaryDirectory& tree, const std::string& hostname, const std::vector<std::string>& kernels,
                  const std::string& nic = "net/virtio_net.ko") {
  tree.write("usr/lib/os-release", debian_release);
  tree.link("etc/os-release", "../usr/lib/os-release");
  tree.write("etc/hostname", hostname + "\n");
  tree.write("etc/initramfs-tools/initramfs.conf", "MODULES=most\nBUSYBOX=auto\n");
  for (const std::string& kernel : kernels) {
    tree.write("boot/vmlinuz-" + kernel, "kernel");
    tree.write("boot/initrd.img-" + kernel, "initrd");
    for (const std::string& driver : {std::string("block/virtio_blk.ko"), std::string("virtio/virtio_pci.ko"), nic})
      tree.write("usr/lib/modules/" + kernel + "/kernel/drivers/" + driver, "module");
  }
  tree.link("lib", "usr/lib");
}

void write_dpkg_status(const TemporaryDirectory& tree) {
  std::string status;
  for (int i = 0; i < 40; ++i)
    status += fmt::format("Package: libexample{}\nStatus: install ok installed\nVersion: 1.{}\n\n", i, i);
  status +=
      "Package: proxmox-ve\nStatus: install ok installed\nVersion: 8.1.0\n\n"
      "Package: pve-manager\nStatus: install ok installed\nPriority: optional\nVersion: 8.1.4\n\n";
  tree.write("var/lib/dpkg/status", status);
}

void write_loaders(const TemporaryDirectory& tree, const std::string& vendor, bool removable) {
  tree.write("EFI/" + vendor + "/shimx64.efi", pe_file());
  tree.write("EFI/" + vendor + "/grubx64.efi", pe_file());
  tree.write("EFI/" + vendor + "/grub.cfg", "configfile ($root)/boot/grub/grub.cfg\n");
  if (removable) tree.write("EFI/BOOT/BOOTX64.EFI", pe_file());
}

// GRUB for BIOS: boot code that keeps the partition table, and its core image in the BIOS boot partition.
void install_grub_for_bios(const stdfs::path& file, std::uint64_t core_offset) {
  write_at(file, 0, grub_boot_code());
  write_at(file, core_offset, std::string_view("\x52\xe8\x28\x01\x74\x08", 6));
}

std::uint64_t last_lba(std::uint64_t size_bytes) { return size_bytes / 512 - 34; }

std::string guid(unsigned disk, unsigned part) {
  return fmt::format("5eedd15c-0000-4000-8000-{:06x}{:06x}", disk, part);
}

void proxmox(const stdfs::path& file, std::uint64_t size_bytes) {
  write_gpt(file, {.size_bytes = size_bytes,
                   .guid = guid(1, 0),
                   .partitions = {{1, 34, 2047, type_bios_boot, guid(1, 1), "", 0},
                                  {2, 2048, 2048 + 64 * 2048 - 1, type_esp, guid(1, 2), "", 0},
                                  {3, 135168, last_lba(size_bytes), type_linux, guid(1, 3), "", 0}}});
  const TemporaryDirectory esp, root;
  write_loaders(esp, "proxmox", true);
  write_debian(root, "pve1", {"6.5.11-7-pve", "6.5.13-1-pve"});
  write_dpkg_status(root);
  make_fat(file, 2048 * 512, fat_bytes, "", "a1b2c3d4", esp.path());
  make_ext4(file, 135168 * 512, root_blocks, "", "11111111-aaaa-4bbb-8ccc-000000000001", root.path());
  install_grub_for_bios(file, 34 * 512);
}

void debian_uefi(const stdfs::path& file, std::uint64_t size_bytes) {
  const std::uint64_t swap = last_lba(size_bytes) - 2 * mib + 1;  // 1 GiB in sectors
  write_gpt(file, {.size_bytes = size_bytes,
                   .guid = guid(2, 0),
                   .partitions = {
                       {1, 2048, 2048 + 64 * 2048 - 1, type_esp, guid(2, 1), "EFI System Partition", 0},
                       {2, 135168, swap - 1, type_linux, guid(2, 2), "", 0},
                       {3, swap, last_lba(size_bytes), "0657fd6d-a4ab-43c4-84e5-0933c84b4f4f", guid(2, 3), "", 0}}});
  const TemporaryDirectory esp, root;
  write_loaders(esp, "debian", false);
  write_debian(root, "thinkpad", {"6.1.0-18-amd64", "6.1.0-9-amd64"});
  make_fat(file, 2048 * 512, fat_bytes, "", "0ddba115", esp.path());
  make_ext4(file, 135168 * 512, root_blocks, "", "22222222-aaaa-4bbb-8ccc-000000000002", root.path());
  write_at(file, swap * 512 + 4086, "SWAPSPACE2");
  write_at(file, swap * 512 + 1024, std::string_view("\1\0\0\0\xff\xff\3\0", 8));
}

void debian_dos(const stdfs::path& file, std::uint64_t size_bytes) {
  const auto sectors = std::uint32_t(size_bytes / 512);
  set_size(file, size_bytes);
  write_at(file, 0,
           dos_sector({{.type = 0x83, .first_lba = 2048, .sectors = sectors / 2, .active = true},
                       {.type = 0x05, .first_lba = sectors - 4194304, .sectors = 4194304 - 2048}},
                      0x0badcafe));
  write_at(file, std::uint64_t(sectors - 4194304) * 512,
           dos_sector({{.type = 0x82, .first_lba = 2, .sectors = 2097152}}, 0));
  const TemporaryDirectory root;
  write_debian(root, "oldbox", {"5.10.0-28-amd64"}, "net/ethernet/intel/e1000/e1000.ko");
  make_ext4(file, mib, root_blocks, "root", "33333333-aaaa-4bbb-8ccc-000000000003", root.path());
  install_grub_for_bios(file, 512);
}

// A mirror that a Proxmox node was running from: one of its two devices.
void write_zfs_labels(const stdfs::path& file, std::uint64_t offset) {
  using volume::test::NvPacker;
  const auto leaf = [](std::uint64_t guid, const char* path) {
    return NvPacker().text("type", "disk").number("guid", guid).text("path", path);
  };
  const auto tree = NvPacker()
                        .text("type", "mirror")
                        .number("guid", 11)
                        .number("ashift", 12)
                        .number("asize", 499570966528)
                        .lists("children", {leaf(12, "/dev/disk/by-id/ata-RECORDED_ONE-part3"),
                                            leaf(13, "/dev/disk/by-id/ata-RECORDED_TWO-part3")});
  auto config = NvPacker().number("version", 5000).text("name", "rpool").number("state", 0).number("txg", 41);
  config.number("pool_guid", 4126919412124991505).number("hostid", 0x8c1f3a52).text("hostname", "pve1");
  config.number("top_guid", 11).number("guid", 12).number("vdev_children", 1).list("vdev_tree", tree);
  constexpr std::size_t first_two_labels = 512 << 10;
  const auto device = volume::test::zfs_device(config.packed(), 12);
  write_at(file, offset, std::string_view(reinterpret_cast<const char*>(device.data()), first_two_labels));
}

void zfs(const stdfs::path& file, std::uint64_t size_bytes) {
  write_gpt(file, {.size_bytes = size_bytes,
                   .guid = guid(3, 0),
                   .partitions = {{1, 34, 2047, type_bios_boot, guid(3, 1), "", 0},
                                  {2, 2048, 2048 + 64 * 2048 - 1, type_esp, guid(3, 2), "", 0},
                                  {3, 135168, last_lba(size_bytes), "6a898cc3-1dd2-11b2-99a6-080020736631", guid(3, 3),
                                   "zfs", 0}}});
  const TemporaryDirectory esp;
  esp.write("loader/loader.conf", "timeout 3\n");
  make_fat(file, 2048 * 512, fat_bytes, "", "2f5c0de5", esp.path());
  write_zfs_labels(file, 135168 * 512);
  install_grub_for_bios(file, 34 * 512);
}

void stick(const stdfs::path& file, std::uint64_t size_bytes) {
  set_size(file, size_bytes);
  write_at(
      file, 0,
      dos_sector({{.type = 0x0c, .first_lba = 2048, .sectors = std::uint32_t(size_bytes / 512 - 2048)}}, 0x57111c4e));
  const TemporaryDirectory tree;
  tree.write("holiday.txt", "photos\n");
  make_fat(file, mib, fat_bytes, "STICK", "57111c4e", tree.path());
}

void blank(const stdfs::path& file, std::uint64_t size_bytes) { set_size(file, size_bytes); }

const std::map<std::string, void (*)(const stdfs::path&, std::uint64_t)> recipes = {
    {"proxmox", proxmox}, {"debian-uefi", debian_uefi}, {"debian-dos", debian_dos}, {"zfs", zfs}, {"stick", stick},
    {"blank", blank},
};

}  // namespace

void make_recorded_disk(const stdfs::path& file, std::uint64_t size_bytes, const std::string& recipe) {
  recipes.at(recipe)(file, size_bytes);
}

void make_ext4(const stdfs::path& file, std::uint64_t offset, std::uint64_t blocks, const std::string& label,
               const std::string& uuid, const stdfs::path& tree) {
  const auto extended = fmt::format("offset={},nodiscard,lazy_itable_init=1,root_owner=0:0", offset);
  run_program({"mke2fs", "-q", "-F", "-t", "ext4", "-b", "4096", "-L", label, "-U", uuid, "-d", tree, "-E", extended,
               file, std::to_string(blocks)});
}

void make_fat(const stdfs::path& file, std::uint64_t offset, std::uint64_t size_bytes, const std::string& label,
              const std::string& serial, const stdfs::path& tree) {
  const std::string image = fmt::format("{}@@{}", file.string(), offset);
  Words format{"mformat", "-i", image, "-T", std::to_string(size_bytes / 512), "-h",
               "255",     "-s", "63",  "-H", std::to_string(offset / 512),     "-N",
               serial};
  if (!label.empty()) format.insert(format.end(), {"-v", label});
  format.push_back("::");
  run_program(format);
  Words copy{"mcopy", "-s", "-i", image};
  for (const auto& entry : stdfs::directory_iterator(tree)) copy.push_back(entry.path());
  copy.push_back("::");
  run_program(copy);
}

std::string pe_file(std::uint16_t machine_type) {
  std::string file(512, '\0');
  file.replace(0, 2, "MZ");
  file[0x3c] = char(0x80);
  file.replace(0x80, 4, std::string("PE\0\0", 4));
  file[0x84] = char(machine_type & 0xff);
  file[0x85] = char(machine_type >> 8);
  return file;
}

std::string grub_boot_code() {
  std::string code = "\xeb\x63\x90";
  code.resize(0x180, '\0');
  return code + "GRUB ";
}

}  // namespace hrvm::test
