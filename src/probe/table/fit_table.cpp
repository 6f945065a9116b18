#include "hrvm/probe/fit_table.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/crc32.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/json.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/probe/partition_table.hpp"
#include "hrvm/sys/confined.hpp"
#include "probe/table/dos.hpp"
#include "probe/table/gpt.hpp"

namespace hrvm::probe {
namespace {

using base::Error;
using base::ErrorKind;
using base::Json;
using block::Region;

std::uint64_t end_of(const Region& region) { return region.offset + region.length; }

// What is left of these without `hole`.
std::vector<Region> without(const std::vector<Region>& regions, const Region& hole) {
  std::vector<Region> left;
  for (const auto& region : regions) {
    const Region before{region.offset, std::max(region.offset, std::min(end_of(region), hole.offset)) - region.offset};
    const auto behind = std::min(end_of(region), std::max(region.offset, end_of(hole)));
    if (hole.length == 0 || hole.offset >= end_of(region) || end_of(hole) <= region.offset) {
      left.push_back(region);
      continue;
    }
    if (before.length != 0) left.push_back(before);
    if (behind != end_of(region)) left.push_back({behind, end_of(region) - behind});
  }
  return left;
}

// On a smaller disk only a table that tells of all there is tells that nothing is lost.
std::optional<std::string> fault_of(const PartitionTable& table) {
  if (table.kind == TableKind::none) return "without a partition table all of it counts as used";
  for (const auto& finding : table.findings)
    if (finding.severity == base::Severity::error || finding.id.starts_with("partition"))
      return fmt::format("its partition table cannot be relied on ({})", finding.message);
  return std::nullopt;
}

// Where a GPT's copies go on a disk of so many sectors.
struct Places {
  std::uint64_t sectors = 0, entries_sectors = 0;
  std::uint64_t backup_header() const { return sectors - 1; }
  std::uint64_t backup_entries() const { return backup_header() - entries_sectors; }
};

std::uint64_t sectors_for(std::uint64_t bytes, std::uint64_t sector_bytes) {
  return base::round_up(bytes, sector_bytes) / sector_bytes;
}

std::uint64_t entries_bytes(const GptHeader& header) {
  return std::uint64_t(header.entry_count) * std::uint64_t(header.entry_bytes);
}

// What partitions take, also those that no disk could have.
struct Used {
  std::uint64_t first = ~0ull, last = 0;
};

Used used_by_partitions(const GptCopy& copy) {
  Used used;
  for (std::uint32_t i = 0; i < copy.header.entry_count; ++i) {
    const auto entry = base::load<GptEntry>(copy.entries, std::size_t(i) * copy.header.entry_bytes);
    if (std::ranges::all_of(entry.type, [](std::byte b) { return b == std::byte{0}; })) continue;
    used.first = std::min<std::uint64_t>(used.first, entry.first_lba);
    used.last = std::max<std::uint64_t>(used.last, entry.last_lba);
  }
  return used;
}

class GptFit {
 public:
  GptFit(block::BlockDevice& source, const Gpt& gpt, std::uint64_t disk_bytes)
      : source_(source),
        gpt_(gpt),
        copy_(gpt.primary.good() ? gpt.primary : gpt.backup),
        used_(used_by_partitions(copy_)),
        sector_(gpt.sector_bytes),
        places_{disk_bytes / gpt.sector_bytes, sectors_for(entries_bytes(copy_.header), gpt.sector_bytes)},
        is_smaller_(disk_bytes < source.size()) {}

  TableFit fit() {
    if (is_sound_where_it_is()) return {};
    if (const auto want = room_wanted()) {
      // Nobody would look for the only sound copy where it is now.
      const bool is_lost = !gpt_.primary.good() && gpt_.backup_lba != places_.backup_header();
      if (is_smaller_ || is_lost) fit_.obstacle = *want;
      fit_.note = "its GPT stays as it is: " + *want;
      return std::move(fit_);
    }
    const auto header = source_.read(lba_of_copy() * sector_, std::size_t(sector_));
    add_header(header, 1, places_.backup_header(), primary_entries());
    if (!gpt_.primary.good()) add_patch(primary_entries(), copy_.entries);
    clear_old_backup();
    add_patch(places_.backup_entries(), copy_.entries);
    add_header(header, places_.backup_header(), 1, places_.backup_entries());
    add_protective_mbr();
    if (is_smaller_) fit_.to_be_zero = lost();
    return std::move(fit_);
  }

 private:
  bool is_sound_where_it_is() const {
    return gpt_.primary.good() && gpt_.backup.good() && gpt_.backup_lba == places_.backup_header() && !is_smaller_ &&
           source_.size() / sector_ == places_.sectors;
  }

  std::uint64_t lba_of_copy() const { return gpt_.primary.good() ? 1 : gpt_.backup_lba; }
  std::uint64_t primary_entries() const { return gpt_.primary.good() ? std::uint64_t(copy_.header.entries_lba) : 2; }

  // Why the second copy cannot be put at the end, or the first one at the beginning.
  std::optional<std::string> room_wanted() const {
    const std::uint64_t first_usable = copy_.header.first_usable_lba;
    const auto least = std::max(first_usable, primary_entries() + places_.entries_sectors);
    if (least > places_.sectors || places_.sectors - least < places_.entries_sectors + 2)
      return "the disk has no room for its table";
    if (primary_entries() < 2) return "its entries lie where its header does";
    if (std::min(first_usable, used_.first) < primary_entries() + places_.entries_sectors)
      return "its entries reach into what partitions use, or may use";
    if (used_.last < places_.backup_entries()) return std::nullopt;
    if (used_.last >= places_.sectors) return "a partition ends behind the end of the disk";
    return "a partition reaches into the last sectors of the disk, where its second copy has its place";
  }

  void add_patch(std::uint64_t lba, std::vector<std::byte> bytes) {
    fit_.patches.push_back({lba * sector_, std::move(bytes)});
  }

  // What a header has behind the fields that we know stays, as its checksum covers it.
  void add_header(std::vector<std::byte> sector, std::uint64_t lba, std::uint64_t alternate, std::uint64_t entries) {
    auto header = copy_.header;
    header.my_lba = lba;
    header.alternate_lba = alternate;
    header.entries_lba = entries;
    header.last_usable_lba = places_.backup_entries() - 1;
    header.header_crc = 0;
    base::store(std::span(sector), 0, header);
    header.header_crc = base::crc32(std::span(sector).first(std::uint32_t(header.header_bytes)));
    base::store(std::span(sector), 0, header);
    add_patch(lba, std::move(sector));
  }

  // One that lies where a second copy does: a header may name any place, also that of the first.
  bool has_old_backup() const {
    return gpt_.backup.good() && gpt_.backup_lba > used_.last && gpt_.backup_lba >= copy_.header.first_usable_lba;
  }

  // In the middle of a larger disk it would mislead who looks for a table that was lost.
  void clear_old_backup() {
    if (has_old_backup() && gpt_.backup_lba < places_.backup_entries())
      add_patch(gpt_.backup_lba, std::vector<std::byte>(std::size_t(sector_)));
  }

  // One that stands alone: in a hybrid table the sizes are somebody's own.
  void add_protective_mbr() {
    auto bytes = source_.read(0, sizeof(BootSector));
    auto sector = base::load<BootSector>(bytes);
    if (!has_protective_entry(sector) || has_other_entries(sector)) return;
    for (auto& entry : sector.entries)
      if (entry.sectors != 0 && entry.first_lba == 1)
        entry.sectors = std::uint32_t(std::min<std::uint64_t>(places_.sectors - 1, 0xffffffff));
    base::store(std::span(bytes), 0, sector);
    fit_.patches.push_back({0, std::move(bytes)});
  }

  std::vector<Region> lost() const {
    const auto kept = places_.backup_entries() * sector_;
    std::vector<Region> regions{{kept, source_.size() - kept}};
    if (!has_old_backup()) return regions;
    regions = without(regions, {gpt_.backup_lba * sector_, sector_});
    if (gpt_.backup.header.entries_lba <= used_.last) return regions;
    return without(regions, {gpt_.backup.header.entries_lba * sector_, entries_bytes(gpt_.backup.header)});
  }

  block::BlockDevice& source_;
  const Gpt& gpt_;
  const GptCopy& copy_;
  Used used_;
  std::uint64_t sector_;
  Places places_;
  bool is_smaller_;
  TableFit fit_;
};

std::uint64_t last_partition_end(const PartitionTable& table) {
  std::uint64_t end = 0;
  for (const auto& partition : table.partitions) end = std::max(end, partition.start_bytes + partition.size_bytes);
  return end;
}

TableFit fit_dos(block::BlockDevice& source, const PartitionTable& table, std::uint64_t disk_bytes) {
  if (disk_bytes >= source.size()) return {};
  const auto end = last_partition_end(table);
  if (end > disk_bytes)
    return {.obstacle = fmt::format("a partition ends at {}, behind the end of the disk", base::format_bytes(end))};
  return {.to_be_zero = {{disk_bytes, source.size() - disk_bytes}}};
}

// --- through the pipe of a confined child ---

std::string to_hex(const std::vector<std::byte>& bytes) {
  std::string text;
  for (const auto byte : bytes) text += base::hex(std::uint64_t(byte), 2);
  return text;
}

std::vector<std::byte> from_hex(std::string_view text) {
  std::vector<std::byte> bytes;
  for (std::size_t at = 0; at + 1 < text.size(); at += 2)
    bytes.push_back(std::byte(base::parse_unsigned(text.substr(at, 2), 16).value_or(0)));
  return bytes;
}

Json to_json(const TableFit& fit) {
  Json patches = Json::array(), regions = Json::array();
  for (const auto& [offset, bytes] : fit.patches)
    patches.push(Json::object().set("offset", offset).set("bytes", to_hex(bytes)));
  for (const auto& [offset, length] : fit.to_be_zero)
    regions.push(Json::object().set("offset", offset).set("length", length));
  return Json::object()
      .set("obstacle", fit.obstacle)
      .set("patches", patches)
      .set("to_be_zero", regions)
      .set("note", fit.note);
}

TableFit fit_from_json(const Json& json) {
  TableFit fit;
  fit.obstacle = json["obstacle"].text();
  fit.note = json["note"].text().value_or("");
  for (const auto& patch : json["patches"].items())
    fit.patches.push_back(
        {patch["offset"].unsigned_integer().value_or(0), from_hex(patch["bytes"].text().value_or(""))});
  for (const auto& region : json["to_be_zero"].items())
    fit.to_be_zero.push_back(
        {region["offset"].unsigned_integer().value_or(0), region["length"].unsigned_integer().value_or(0)});
  return fit;
}

bool lies_within(std::uint64_t offset, std::uint64_t length, std::uint64_t size) {
  return length <= size && offset <= size - length;
}

bool makes_sense(const TableFit& fit, std::uint64_t source_bytes, std::uint64_t disk_bytes) {
  return std::ranges::all_of(
             fit.patches,
             [&](const auto& patch) { return lies_within(patch.offset, patch.bytes.size(), disk_bytes); }) &&
         std::ranges::all_of(fit.to_be_zero, [&](const Region& region) {
           return lies_within(region.offset, region.length, source_bytes);
         });
}

}  // namespace

TableFit fit_table(block::BlockDevice& source, std::uint64_t disk_bytes, std::uint32_t sector_bytes) {
  const auto table = read_partition_table(source);
  if (table.sector_bytes != sector_bytes)
    return {.obstacle =
                fmt::format("it was made in sectors of {} bytes, and those of the disk have {}: no firmware and "
                            "no kernel would find a partition on it",
                            table.sector_bytes, sector_bytes)};
  if (disk_bytes < source.size())
    if (auto fault = fault_of(table)) return {.obstacle = std::move(fault)};
  if (table.kind != TableKind::gpt) return fit_dos(source, table, disk_bytes);
  const auto gpt = find_gpt(source);
  if (!gpt || !gpt->usable()) return {.note = "neither copy of its GPT is sound: both stay as they are"};
  return GptFit(source, *gpt, disk_bytes).fit();
}

TableFit fit_table_confined(block::BlockDevice& source, std::uint64_t disk_bytes, std::uint32_t sector_bytes) {
  const auto answer =
      sys::run_confined([&] { return base::to_text(to_json(fit_table(source, disk_bytes, sector_bytes)), -1); });
  if (answer.error) throw *answer.error;
  if (!answer.text)
    throw Error(ErrorKind::corrupt,
                fmt::format("reading the partition table of {} failed: the reader {}", source.name(), answer.death))
        .on(source.name());
  auto fit = fit_from_json(base::parse_json(*answer.text, "the answer"));
  if (makes_sense(fit, source.size(), disk_bytes)) return fit;
  throw Error(ErrorKind::corrupt,
              fmt::format("reading the partition table of {} gave an answer that makes no sense", source.name()))
      .on(source.name());
}

}  // namespace hrvm::probe
