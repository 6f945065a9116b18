// DOS partition tables: four primary partitions, and a chain of logical ones in an extended partition.
#pragma once

#include "hrvm/block/block_device.hpp"
#include "hrvm/probe/partition_table.hpp"
#include "probe/table/dos_format.hpp"

namespace hrvm::probe {

// The boot sector of a FAT, exFAT or NTFS filesystem ends in 0x55aa too; its bytes 446 to 509 are code, not partitions.
bool is_file_system_boot_sector(const BootSector& sector);
// Four entries that can be ones, with a partition or a disk signature among them.
bool holds_dos_table(const BootSector& sector);
bool has_protective_entry(const BootSector& sector);
bool has_other_entries(const BootSector& sector);  // besides the protective one

// The size of the sectors that its entries count, 512 or 4096: the disk's own, unless what lies where the entries lead
// to with that size is nothing known, and with the other it is. A USB bridge may count otherwise than the disk in it
// did.
std::uint32_t dos_sector_bytes(const BootSector& sector, block::BlockDevice& disk);

// Fills in uuid, partitions and findings. LBAs count sectors of table.sector_bytes.
void apply_dos(const BootSector& sector, block::BlockDevice& disk, PartitionTable& table);

}  // namespace hrvm::probe
