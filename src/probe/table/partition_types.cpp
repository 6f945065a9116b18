#include "probe/table/partition_types.hpp"

#include <algorithm>
#include <iterator>

namespace hrvm::probe {
namespace {

// Names as fdisk has them; the discoverable partitions specification is the source of the Linux roles.
constexpr PartitionType types[] = {
    {gpt_esp, "EFI System", "esp"},
    {gpt_bios_boot, "BIOS boot", "bios-boot"},
    {"0fc63daf-8483-4772-8e79-3d69d8477de4", "Linux filesystem", ""},
    {"4f68bce3-e8cd-4db1-96e7-fbcaf984b709", "Linux root (x86-64)", "root"},
    {"44479540-f297-41b2-9af7-d131d5f0458a", "Linux root (x86)", "root"},
    {"b921b045-1df0-41c3-af44-4c6f280d3fae", "Linux root (ARM-64)", "root"},
    {"2c7357ed-ebd2-46d9-aec1-23d437ec2bf5", "Linux root verity (x86-64)", ""},
    {gpt_extended_boot, "Linux extended boot", "boot"},
    {"933ac7e1-2eb4-4f13-b844-0e14e2aef915", "Linux home", "data"},
    {"3b8f8425-20e0-4f3b-907f-1a25a76f98e8", "Linux server data", "data"},
    {"4d21b016-b534-45c2-a9fb-5c16e091fd2d", "Linux variable data", "data"},
    {"8484680c-9521-48c6-9c11-b0720656f69e", "Linux /usr (x86-64)", ""},
    {"0657fd6d-a4ab-43c4-84e5-0933c84b4f4f", "Linux swap", "swap"},
    {"e6d6d379-f507-44c2-a23c-238f2a3df928", "Linux LVM", "lvm"},
    {"a19d880f-05fc-4d3b-a006-743f0f84911e", "Linux RAID", "raid"},
    {"ca7d7ccb-63ed-4c53-861c-1742536059cc", "Linux LUKS", "luks"},
    {"7ffec5c9-2d00-49b7-8941-3ea10a5586b7", "Linux plain dm-crypt", ""},
    {"8da63339-0007-60c0-c436-083ac8230908", "Linux reserved", ""},
    {"6a898cc3-1dd2-11b2-99a6-080020736631", "Solaris /usr & Apple ZFS", "zfs"},
    {"6a945a3b-1dd2-11b2-99a6-080020736631", "Solaris reserved 1", "reserved"},
    {"6a85cf4d-1dd2-11b2-99a6-080020736631", "Solaris root", "zfs"},
    {"516e7cba-6ecf-11d6-8ff8-00022d09712b", "FreeBSD ZFS", "zfs"},
    {"516e7cb6-6ecf-11d6-8ff8-00022d09712b", "FreeBSD UFS", ""},
    {"516e7cb5-6ecf-11d6-8ff8-00022d09712b", "FreeBSD swap", "swap"},
    {gpt_freebsd_boot, "FreeBSD boot", "bios-boot"},
    {"824cc7a0-36a8-11e3-890a-952519ad3f61", "OpenBSD data", ""},
    {"49f48d5a-b10e-11dc-b99b-0019d1879648", "NetBSD FFS", ""},
    {"49f48d32-b10e-11dc-b99b-0019d1879648", "NetBSD swap", "swap"},
    {"ebd0a0a2-b9e5-4433-87c0-68b6b72699c7", "Microsoft basic data", ""},
    {"e3c9e316-0b5c-4db8-817d-f92df00215ae", "Microsoft reserved", "msr"},
    {"de94bba4-06d1-4d40-a16a-bfd50179d6ac", "Windows recovery environment", "recovery"},
    {"5808c8aa-7e8f-42e0-85d2-e1e90434cfb3", "Microsoft LDM metadata", ""},
    {"af9b60a0-1431-4f62-bc68-3311714a69ad", "Microsoft LDM data", ""},
    {"e75caf8f-f680-4cee-afa3-b001e56efc2d", "Microsoft Storage Spaces", ""},
    {"48465300-0000-11aa-aa11-00306543ecac", "Apple HFS/HFS+", ""},
    {"7c3457ef-0000-11aa-aa11-00306543ecac", "Apple APFS", ""},
    {"aa31e02a-400f-11db-9590-000c2911d1b8", "VMware VMFS", ""},
    {"024dee41-33e7-11d3-9d69-0008c781f39f", "MBR partition scheme", ""},
    {"0x00", "Empty", ""},
    {"0x01", "FAT12", ""},
    {"0x04", "FAT16 <32M", ""},
    {"0x05", "Extended", "extended"},
    {"0x06", "FAT16", ""},
    {"0x07", "HPFS/NTFS/exFAT", ""},
    {"0x0b", "W95 FAT32", ""},
    {"0x0c", "W95 FAT32 (LBA)", ""},
    {"0x0e", "W95 FAT16 (LBA)", ""},
    {"0x0f", "W95 Ext'd (LBA)", "extended"},
    {"0x11", "Hidden FAT12", ""},
    {"0x17", "Hidden HPFS/NTFS", ""},
    {"0x27", "Hidden NTFS WinRE", "recovery"},
    {"0x42", "SFS", ""},
    {"0x82", "Linux swap / Solaris", "swap"},
    {"0x83", "Linux", ""},
    {"0x85", "Linux extended", "extended"},
    {"0x8e", "Linux LVM", "lvm"},
    {"0xa5", "FreeBSD", ""},
    {"0xa6", "OpenBSD", ""},
    {"0xa9", "NetBSD", ""},
    {"0xaf", "HFS / HFS+", ""},
    {"0xbf", "Solaris", ""},
    {"0xee", "GPT", ""},
    {"0xef", "EFI (FAT-12/16/32)", "esp"},
    {"0xfb", "VMware VMFS", ""},
    {"0xfd", "Linux raid autodetect", "raid"},
};

}  // namespace

const PartitionType* find_partition_type(std::string_view type) {
  const auto* found = std::ranges::find(types, type, &PartitionType::type);
  return found == std::end(types) ? nullptr : found;
}

}  // namespace hrvm::probe
