#include "probe/windows_sets.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include <fmt/core.h>

#include "hrvm/base/endian.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"

namespace hrvm::probe {
namespace {

constexpr std::string_view ldm_metadata = "5808c8aa-7e8f-42e0-85d2-e1e90434cfb3",
                           ldm_data = "af9b60a0-1431-4f62-bc68-3311714a69ad", ldm_dos = "0x42",
                           storage_space = "e75caf8f-f680-4cee-afa3-b001e56efc2d";

// Big-endian; as far as the group's name (Linux, block/partitions/ldm.c).
struct PrivateHead {
  std::array<char, 8> magic;
  std::array<char, 40> versions_and_times;
  std::array<char, 64> disk_id, host_id, group_id;
  std::array<char, 32> group_name;
};
static_assert(sizeof(PrivateHead) == 0x110 && offsetof(PrivateHead, group_name) == 0xf0);
constexpr std::string_view magic = "PRIVHEAD";
constexpr std::uint64_t place_on_dos = 6 * 512, sector = 512;

std::string text_in(std::span<const char> field) {
  const std::string_view whole(field.data(), field.size());
  return base::printable(whole.substr(0, whole.find('\0')));
}

// On a GPT it lies in the last sector of the partition of metadata.
std::optional<std::string> group_name(block::BlockDevice& disk, std::uint64_t offset) try {
  if (offset + sizeof(PrivateHead) > disk.size()) return std::nullopt;
  const auto head = base::load<PrivateHead>(disk.read(offset, sizeof(PrivateHead)));
  if (std::string_view(head.magic.data(), head.magic.size()) != magic) return std::nullopt;
  return text_in(head.group_name);
} catch (const base::Error&) {
  return std::nullopt;
}

const Partition* find_type(const PartitionTable& table, std::string_view type) {
  const auto found = std::ranges::find(table.partitions, type, &Partition::type);
  return found == table.partitions.end() ? nullptr : &*found;
}

constexpr const char* all_of_them = "give the machine all of its disks: hrvm import FIRST --disk SECOND";

}  // namespace

std::vector<base::Finding> windows_sets(block::BlockDevice& disk, const PartitionTable& table) {
  std::vector<base::Finding> findings;
  const Partition *metadata = find_type(table, ldm_metadata), *data = find_type(table, ldm_data);
  const auto at =
      metadata && metadata->size_bytes >= sector ? metadata->start_bytes + metadata->size_bytes - sector : place_on_dos;
  const auto group = metadata || find_type(table, ldm_dos) ? group_name(disk, at) : std::nullopt;
  if (metadata || data || find_type(table, ldm_dos))
    findings.push_back(
        {"windows-dynamic-disk", base::Severity::warning, disk.name(),
         fmt::format("it is a dynamic disk of Windows{}: its volumes may lie on several disks, and are not looked into",
                     group && !group->empty() ? fmt::format(", of the group {}", *group) : ""),
         all_of_them});
  if (const auto* space = find_type(table, storage_space))
    findings.push_back({"windows-storage-space", base::Severity::warning, fmt::format("p{}", space->number),
                        "it bears a part of a pool of Windows' Storage Spaces, whose volumes lie on several disks and "
                        "are not looked into",
                        all_of_them});
  return findings;
}

}  // namespace hrvm::probe
