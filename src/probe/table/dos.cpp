#include "probe/table/dos.hpp"

#include <algorithm>
#include <bit>
#include <set>
#include <string_view>

#include <fmt/core.h>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "probe/table/partition_checks.hpp"
#include "probe/table/partition_types.hpp"

namespace hrvm::probe {
namespace {

using base::Severity;

constexpr unsigned most_logical = 128, first_logical_number = 5;

bool in_use(const DosEntry& entry) { return entry.sectors != 0; }
bool is_extended(const DosEntry& entry) { return entry.type == 0x05 || entry.type == 0x0f || entry.type == 0x85; }

// Linux and UEFI firmware ask for this start, too.
bool is_protective(const DosEntry& entry) { return entry.type == dos_type_gpt_protective && entry.first_lba == 1; }

bool is_sector_size(std::uint16_t bytes) { return bytes >= 512 && bytes <= 4096 && std::has_single_bit(bytes); }

bool is_fat(const BiosParameterBlock& block) {
  return is_sector_size(block.bytes_per_sector) && std::has_single_bit(block.sectors_per_cluster) &&
         block.reserved_sectors != 0 && (block.fats == 1 || block.fats == 2) &&
         (block.media == 0xf0 || block.media >= 0xf8);
}

struct Reader {
  block::BlockDevice& disk;
  PartitionTable& table;
  FaultyNumbers faulty;

  std::uint64_t sectors() const { return disk.size() / table.sector_bytes; }

  void add(const DosEntry& entry, unsigned number, std::uint64_t first_lba) {
    if (first_lba >= sectors() || entry.sectors > sectors() - first_lba) return faulty.beyond_end.push_back(number);
    Partition partition;
    partition.number = number;
    partition.start_bytes = first_lba * table.sector_bytes;
    partition.size_bytes = std::uint64_t(entry.sectors) * table.sector_bytes;
    partition.type = "0x" + base::hex(entry.type, 2);
    const PartitionType* known = find_partition_type(partition.type);
    partition.type_name = known ? std::string(known->name) : partition.type;
    partition.partuuid = fmt::format("{}-{:02x}", table.uuid, number);
    partition.active = entry.status == 0x80;
    table.partitions.push_back(std::move(partition));
  }

  // Follows the EBRs from the extended partition's start. Returns what is wrong with the chain, "" for nothing.
  std::string follow_chain(std::uint64_t extended_lba) {
    std::set<std::uint64_t> seen;
    unsigned number = first_logical_number;
    for (std::uint64_t lba = extended_lba;;) {
      if (seen.size() == most_logical) return fmt::format("it is longer than {} links", most_logical);
      if (!seen.insert(lba).second) return "it leads back into itself";
      if (lba >= sectors()) return "it leads beyond the end of the disk";
      const auto record = base::load<BootSector>(disk.read(lba * table.sector_bytes, sizeof(BootSector)));
      if (record.magic != boot_sector_magic) return fmt::format("there is no boot record at LBA {}", lba);
      const DosEntry* next = nullptr;
      for (const DosEntry& entry : std::span(record.entries).first(2)) {
        if (!in_use(entry)) continue;
        if (is_extended(entry))
          next = &entry;
        else
          add(entry, number++, lba + entry.first_lba);
      }
      if (next == nullptr) return "";
      lba = extended_lba + next->first_lba;
    }
  }

  void add_logical(std::uint64_t extended_lba) {
    std::string fault;
    try {
      fault = follow_chain(extended_lba);
    } catch (const base::Error& error) {
      fault = fmt::format("it cannot be read: {}", error.message());
    }
    if (fault.empty()) return;
    table.findings.push_back(
        {"dos-chain-broken", Severity::error, disk.name(),
         fmt::format("the chain of logical partitions is broken: {}; what follows is not told", fault), ""});
  }
};

// What a partition begins with, as far as it is enough to see that one begins there.
struct Mark {
  std::uint64_t offset;
  std::string_view bytes;
};
constexpr Mark marks[] = {
    {510, "\x55\xaa"},   // FAT, NTFS, and the record of a logical partition
    {1080, "\x53\xef"},  // ext
    {0, "XFSB"},
    {0, std::string_view("LUKS\xba\xbe", 6)},
    {512, "LABELONE"},
    {4086, "SWAPSPACE2"},
    {4096, "\xfc\x4e\x2b\xa9"},  // md 1.2
    {1024, "\x10\x20\xf5\xf2"},  // F2FS
    {65600, "_BHRfS_M"},
};

bool has_mark(block::BlockDevice& disk, std::uint64_t start) {
  return std::ranges::any_of(marks, [&](const Mark& mark) {
    const std::uint64_t at = start + mark.offset;
    if (at > disk.size() || disk.size() - at < mark.bytes.size()) return false;
    try {
      return std::ranges::equal(disk.read(at, mark.bytes.size()), std::as_bytes(std::span(mark.bytes)));
    } catch (const base::Error&) {
      return false;  // reported by who reads what lies there
    }
  });
}

}  // namespace

bool is_file_system_boot_sector(const BootSector& sector) {
  const auto block = base::load<BiosParameterBlock>(std::as_bytes(std::span(&sector, 1)));
  const std::string_view oem(block.oem.data(), block.oem.size());
  if (oem == "NTFS    " || oem == "EXFAT   " || oem == "-FVE-FS-") return true;
  const bool jumps = block.jump[0] == 0xe9 || (block.jump[0] == 0xeb && block.jump[2] == 0x90);
  return jumps && is_fat(block);
}

bool holds_dos_table(const BootSector& sector) {
  const auto can_be_one = [](const DosEntry& entry) { return entry.status == 0 || entry.status == 0x80; };
  return sector.magic == boot_sector_magic && std::ranges::all_of(sector.entries, can_be_one) &&
         (sector.disk_signature != 0 || std::ranges::any_of(sector.entries, in_use));
}

bool has_protective_entry(const BootSector& sector) {
  return sector.magic == boot_sector_magic && std::ranges::any_of(sector.entries, is_protective);
}

bool has_other_entries(const BootSector& sector) {
  return std::ranges::any_of(sector.entries, [](const DosEntry& e) { return in_use(e) && !is_protective(e); });
}

std::uint32_t dos_sector_bytes(const BootSector& sector, block::BlockDevice& disk) {
  const std::uint32_t own = std::max(512u, disk.sector_sizes().logical_bytes), other = own == 512 ? 4096 : 512;
  const auto leads_to_something = [&](std::uint32_t bytes) {
    return std::ranges::any_of(sector.entries, [&](const DosEntry& entry) {
      return in_use(entry) && has_mark(disk, std::uint64_t(entry.first_lba) * bytes);
    });
  };
  return !leads_to_something(own) && leads_to_something(other) ? other : own;
}

void apply_dos(const BootSector& sector, block::BlockDevice& disk, PartitionTable& table) {
  table.uuid = base::hex(std::uint32_t(sector.disk_signature), 8);
  Reader reader{disk, table, {}};
  const DosEntry* extended = nullptr;
  for (unsigned i = 0; i < sector.entries.size(); ++i) {
    const DosEntry& entry = sector.entries[i];
    if (!in_use(entry)) continue;
    reader.add(entry, i + 1, entry.first_lba);
    if (extended == nullptr && is_extended(entry)) extended = &entry;
  }
  if (extended != nullptr) reader.add_logical(extended->first_lba);
  add_findings(reader.faulty, disk.name(), table.findings);
}

}  // namespace hrvm::probe
