#include "hrvm/probe/partition_table.hpp"

#include <algorithm>

#include "probe/table/dos.hpp"
#include "probe/table/gpt.hpp"
#include "probe/table/partition_checks.hpp"

namespace hrvm::probe {
namespace {

using base::Severity;

bool holds_code(const BootSector& sector) {
  return sector.magic == boot_sector_magic &&
         std::ranges::any_of(sector.code, [](std::byte b) { return b != std::byte{0}; });
}

void read_protected_gpt(const BootSector& sector, block::BlockDevice& disk, PartitionTable& table) {
  table.kind = TableKind::gpt;
  const auto gpt = find_gpt(disk);
  if (!gpt || !gpt->usable()) {
    table.findings.push_back({"gpt-both-damaged", Severity::error, disk.name(),
                              "the disk is marked as GPT, but neither the primary nor the backup table can be used",
                              "testdisk finds partitions by their contents"});
    return;
  }
  apply_gpt(*gpt, disk, table);
  if (has_other_entries(sector))
    table.findings.push_back({"gpt-hybrid-mbr", Severity::note, disk.name(),
                              "a hybrid MBR names partitions of its own beside the GPT; only the GPT is told", ""});
}

// Systems and firmware do not look at a GPT without a protective MBR, so a DOS table that is there counts, and so does
// a filesystem. Where sector 0 says nothing at all, the GPT is what is left of the disk's order.
bool read_unprotected_gpt(block::BlockDevice& disk, PartitionTable& table) {
  const auto gpt = find_gpt(disk);
  if (!gpt || !gpt->usable()) return false;
  table.kind = TableKind::gpt;
  table.findings.push_back(
      {"gpt-protective-mbr-missing", Severity::error, disk.name(),
       "the GPT is there, but not the protective MBR that makes systems and firmware look for it",
       "in a machine gdisk writes a new one (x, then n, then w), which goes to the machine's layer; on the disk "
       "itself that is for its owner to decide"});
  apply_gpt(*gpt, disk, table);
  return true;
}

void read_table(const BootSector& sector, block::BlockDevice& disk, PartitionTable& table) {
  if (has_protective_entry(sector)) return read_protected_gpt(sector, disk, table);
  if (sector.magic == boot_sector_magic && is_file_system_boot_sector(sector)) return;
  if (holds_dos_table(sector)) {
    table.kind = TableKind::dos;
    table.sector_bytes = dos_sector_bytes(sector, disk);
    return apply_dos(sector, disk, table);
  }
  read_unprotected_gpt(disk, table);
}

}  // namespace

std::string_view word(TableKind kind) {
  constexpr std::string_view words[] = {"none", "dos", "gpt"};
  return words[std::size_t(kind)];
}

PartitionTable read_partition_table(block::BlockDevice& disk) {
  PartitionTable table;
  table.sector_bytes = std::max(512u, disk.sector_sizes().logical_bytes);
  if (disk.size() < sizeof(BootSector)) return table;
  const auto sector = base::load<BootSector>(disk.read(0, sizeof(BootSector)));
  table.has_boot_code = holds_code(sector);
  read_table(sector, disk, table);
  check_overlaps(table, disk.name());
  std::ranges::stable_sort(table.partitions, {}, &Partition::number);
  return table;
}

}  // namespace hrvm::probe
