#include "probe/table/gpt.hpp"

#include <algorithm>
#include <bit>

#include <fmt/core.h>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/crc32.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/guid.hpp"
#include "hrvm/base/text.hpp"
#include "probe/table/partition_checks.hpp"
#include "probe/table/partition_types.hpp"

namespace hrvm::probe {
namespace {

using base::Severity;

constexpr std::uint32_t most_entries = 4096, most_entry_bytes = 4096;

bool has_magic(const GptHeader& header) {
  return std::string_view(header.signature.data(), header.signature.size()) == gpt_magic;
}

bool header_crc_matches(const GptHeader& header, std::span<const std::byte> sector) {
  std::vector<std::byte> covered(sector.begin(), sector.begin() + std::uint32_t(header.header_bytes));
  base::store(covered, offsetof(GptHeader, header_crc), base::le32{0});
  return base::crc32(covered) == header.header_crc;
}

// Everything that is checked before the entries are read, so that no count is believed that the disk has no room for.
std::optional<std::string> header_fault(const GptHeader& header, std::span<const std::byte> sector, std::uint64_t lba,
                                        std::uint64_t disk_sectors) {
  if (header.header_bytes < sizeof(GptHeader) || header.header_bytes > sector.size())
    return "its header has a wrong size";
  if (!header_crc_matches(header, sector)) return "its header's checksum is wrong";
  if (header.my_lba != lba) return "its header is a copy from another place";
  if (header.entry_count > most_entries) return fmt::format("it claims {} entries", std::uint32_t(header.entry_count));
  const std::uint32_t entry_bytes = header.entry_bytes;
  if (entry_bytes < sizeof(GptEntry) || entry_bytes > most_entry_bytes || !std::has_single_bit(entry_bytes))
    return fmt::format("it claims entries of {} bytes", entry_bytes);
  const std::uint64_t sectors =
      base::round_up(std::uint64_t(header.entry_count) * entry_bytes, sector.size()) / sector.size();
  if (header.entries_lba >= disk_sectors || sectors > disk_sectors - header.entries_lba)
    return "its entries lie beyond the end of the disk";
  return std::nullopt;
}

GptCopy damaged(GptCopy copy, std::string fault) {
  copy.state = GptCopy::State::damaged;
  copy.fault = std::move(fault);
  return copy;
}

GptCopy read_copy_or_throw(block::BlockDevice& disk, std::uint32_t sector_bytes, std::uint64_t lba) {
  GptCopy copy;
  const std::uint64_t disk_sectors = disk.size() / sector_bytes;
  if (lba >= disk_sectors) return copy;
  const auto sector = disk.read(lba * sector_bytes, sector_bytes);
  copy.header = base::load<GptHeader>(sector);
  if (!has_magic(copy.header)) return copy;
  if (auto fault = header_fault(copy.header, sector, lba, disk_sectors)) return damaged(copy, *fault);
  copy.entries =
      disk.read(copy.header.entries_lba * sector_bytes, std::size_t(copy.header.entry_count) * copy.header.entry_bytes);
  if (base::crc32(copy.entries) != copy.header.entries_crc) return damaged(copy, "its entries' checksum is wrong");
  copy.state = GptCopy::State::good;
  return copy;
}

// A sector that cannot be read costs the copy that lies there, not the other one.
GptCopy read_copy(block::BlockDevice& disk, std::uint32_t sector_bytes, std::uint64_t lba) {
  try {
    return read_copy_or_throw(disk, sector_bytes, lba);
  } catch (const base::Error& error) {
    return damaged({}, fmt::format("it cannot be read: {}", error.message()));
  }
}

Gpt read_at(block::BlockDevice& disk, std::uint32_t sector_bytes) {
  Gpt gpt;
  gpt.sector_bytes = sector_bytes;
  const std::uint64_t disk_sectors = disk.size() / sector_bytes;
  if (disk_sectors < 3) return gpt;
  gpt.primary = read_copy(disk, sector_bytes, 1);
  gpt.backup_lba = has_magic(gpt.primary.header) ? std::uint64_t(gpt.primary.header.alternate_lba) : disk_sectors - 1;
  gpt.backup = read_copy(disk, sector_bytes, gpt.backup_lba);
  // What a damaged primary says of its backup's place may be part of the damage.
  if (!gpt.primary.good() && !gpt.backup.good()) {
    gpt.backup_lba = disk_sectors - 1;
    gpt.backup = read_copy(disk, sector_bytes, gpt.backup_lba);
  }
  return gpt;
}

bool has_trace(const Gpt& gpt) { return has_magic(gpt.primary.header) || has_magic(gpt.backup.header); }

// One entry; nullopt for one that is not in use or cannot be right.
std::optional<Partition> to_partition(const GptEntry& entry, unsigned number, const Gpt& gpt,
                                      std::uint64_t disk_sectors, FaultyNumbers& faulty) {
  const auto type = base::Guid::from_mixed_endian(entry.type);
  if (type.is_zero()) return std::nullopt;
  const std::uint64_t first = entry.first_lba, last = entry.last_lba;
  if (first > last || first == 0) return faulty.impossible.push_back(number), std::nullopt;
  if (last >= disk_sectors) return faulty.beyond_end.push_back(number), std::nullopt;
  Partition partition;
  partition.number = number;
  partition.start_bytes = first * gpt.sector_bytes;
  partition.size_bytes = (last - first + 1) * gpt.sector_bytes;
  partition.type = type.text();
  const PartitionType* known = find_partition_type(partition.type);
  partition.type_name = known ? std::string(known->name) : partition.type;
  partition.name = base::from_utf16le({entry.name.data(), entry.name.size()});
  partition.partuuid = base::Guid::from_mixed_endian(entry.guid).text();
  partition.active = (entry.attributes & gpt_legacy_bios_bootable) != 0;
  partition.no_auto = (entry.attributes & gpt_no_auto) != 0;
  if (partition.type == gpt_chromeos_kernel || partition.type == gpt_container_linux_usr)
    partition.priority = unsigned(entry.attributes >> gpt_slot_priority_shift) & 15;
  return partition;
}

void add_partitions(const Gpt& gpt, const GptCopy& copy, block::BlockDevice& disk, PartitionTable& table) {
  FaultyNumbers faulty;
  const std::uint64_t disk_sectors = disk.size() / gpt.sector_bytes;
  for (std::uint32_t i = 0; i < copy.header.entry_count; ++i) {
    const auto entry = base::load<GptEntry>(copy.entries, std::size_t(i) * copy.header.entry_bytes);
    if (auto partition = to_partition(entry, i + 1, gpt, disk_sectors, faulty))
      table.partitions.push_back(std::move(*partition));
  }
  add_findings(faulty, disk.name(), table.findings);
}

void add_finding(PartitionTable& table, block::BlockDevice& disk, std::string id, Severity severity,
                 std::string message, std::string remedy = {}) {
  table.findings.push_back({std::move(id), severity, disk.name(), std::move(message), std::move(remedy)});
}

// Nothing that is advised may write to the disk.
constexpr const char* rewrite_backup =
    "nothing needs it while the primary is sound. In a machine sgdisk --move-second-header rewrites it, which goes to "
    "the "
    "machine's layer; on the disk itself that is for its owner to decide";

void judge_backup(const Gpt& gpt, block::BlockDevice& disk, PartitionTable& table) {
  const std::uint64_t disk_sectors = disk.size() / gpt.sector_bytes;
  if (gpt.backup_lba >= disk_sectors) {
    add_finding(
        table, disk, "gpt-disk-truncated", Severity::error,
        fmt::format("the GPT was made for a disk of {}, this one ends after {}",
                    base::format_bytes((gpt.backup_lba + 1) * gpt.sector_bytes), base::format_bytes(disk.size())),
        "compare the size with the original disk or image: it was probably not copied whole");
    return;
  }
  if (gpt.backup_lba < disk_sectors - 1)
    add_finding(table, disk, "gpt-disk-grown", Severity::warning,
                fmt::format("the GPT ends {} before the end of the disk, which was larger than its table when copied",
                            base::format_bytes((disk_sectors - 1 - gpt.backup_lba) * gpt.sector_bytes)),
                rewrite_backup);
  if (gpt.backup.state == GptCopy::State::absent)
    add_finding(table, disk, "gpt-backup-missing", Severity::warning,
                "there is no backup GPT where the primary says it is", rewrite_backup);
  if (gpt.backup.state == GptCopy::State::damaged)
    add_finding(table, disk, "gpt-backup-damaged", Severity::warning,
                fmt::format("the backup GPT is damaged: {}", gpt.backup.fault), rewrite_backup);
}

void judge_copies(const Gpt& gpt, block::BlockDevice& disk, PartitionTable& table) {
  if (gpt.primary.good()) judge_backup(gpt, disk, table);
  if (!gpt.primary.good()) {
    const std::string fault = gpt.primary.fault.empty() ? "it is not there" : gpt.primary.fault;
    add_finding(table, disk, "gpt-backup-only", Severity::error,
                fmt::format("the primary GPT is damaged ({}); what is told comes from the backup", fault),
                "in a machine gdisk restores it (r, then b, then w), which goes to the machine's layer; on the disk "
                "itself that "
                "is for its owner to decide");
  }
  if (gpt.primary.good() && gpt.backup.good() && gpt.primary.header.entries_crc != gpt.backup.header.entries_crc)
    add_finding(table, disk, "gpt-copies-differ", Severity::warning,
                "primary and backup GPT are both sound but differ; what is told comes from the primary",
                rewrite_backup);
}

}  // namespace

std::optional<Gpt> find_gpt(block::BlockDevice& disk) {
  std::vector<std::uint32_t> sizes{disk.sector_sizes().logical_bytes};
  for (std::uint32_t size : {512u, 4096u})
    if (size != sizes.front()) sizes.push_back(size);
  std::optional<Gpt> trace;
  for (std::uint32_t size : sizes) {
    Gpt gpt = read_at(disk, size);
    if (gpt.usable()) return gpt;
    if (!trace && has_trace(gpt)) trace = std::move(gpt);
  }
  return trace;
}

void apply_gpt(const Gpt& gpt, block::BlockDevice& disk, PartitionTable& table) {
  const GptCopy& copy = gpt.primary.good() ? gpt.primary : gpt.backup;
  table.sector_bytes = gpt.sector_bytes;
  table.uuid = base::Guid::from_mixed_endian(copy.header.disk_guid).text();
  judge_copies(gpt, disk, table);
  add_partitions(gpt, copy, disk, table);
}

}  // namespace hrvm::probe
