// Partition tables, read by hrvm itself over a BlockDevice: GPT (UEFI 2.10, chapter 5) with its primary and backup
// header, and DOS (MBR) with extended and logical partitions. The sector size is found by where the GPT header lies
// (byte 512 or 4096), so that an image file of a 4Kn disk is read as the disk was.
//
// Damage is a Finding, and what cannot be trusted is left out: never an invented partition. Ids: gpt-backup-only (the
// primary is damaged), gpt-backup-damaged, gpt-backup-missing, gpt-both-damaged, gpt-copies-differ, gpt-disk-truncated,
// gpt-disk-grown, gpt-hybrid-mbr, gpt-protective-mbr-missing, partition-beyond-end, partition-impossible,
// partitions-overlap, dos-chain-broken.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hrvm/base/finding.hpp"
#include "hrvm/block/block_device.hpp"

namespace hrvm::probe {

enum class TableKind { none, dos, gpt };
std::string_view word(TableKind kind);

struct Partition {
  unsigned number = 0;  // as the kernel numbers it
  std::uint64_t start_bytes = 0;
  std::uint64_t size_bytes = 0;
  std::string type;       // GPT: the type GUID in lower case; DOS: "0x83"
  std::string type_name;  // "EFI System", "Linux"; the type itself where no name is known
  std::string name;       // GPT only, UTF-8
  std::string partuuid;   // GPT: GUID; DOS: "<disk signature>-<number, two hex digits>"
  bool active = false;    // DOS: boot flag 0x80; GPT: legacy BIOS bootable attribute
  bool no_auto = false;   // GPT: not to be found by its type
  unsigned priority = 0;  // of a slot of ChromeOS or Container Linux, by its attributes: the highest starts
};

struct PartitionTable {
  TableKind kind = TableKind::none;
  std::string uuid;                     // disk GUID, or the DOS signature as 8 hex digits; empty for none
  std::uint32_t sector_bytes = 512;     // what its LBAs count
  bool has_boot_code = false;           // the first 440 bytes of sector 0 hold code and 0x55aa ends it
  std::vector<Partition> partitions;    // by number
  std::vector<base::Finding> findings;  // their subject is the device's name
};

PartitionTable read_partition_table(block::BlockDevice& disk);

}  // namespace hrvm::probe
