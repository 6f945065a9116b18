#include "probe/table/partition_checks.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "probe/table/partition_types.hpp"

namespace hrvm::probe {
namespace {

using base::Severity;

constexpr std::size_t most_told = 8;

std::string told(const std::vector<std::string>& items) {
  std::string text;
  for (std::size_t i = 0; i < std::min(items.size(), most_told); ++i) text += (i ? ", " : "") + items[i];
  if (items.size() > most_told) text += fmt::format(" and {} more", items.size() - most_told);
  return text;
}

std::string told(const std::vector<unsigned>& numbers) {
  std::vector<std::string> names;
  for (unsigned number : numbers) names.push_back(fmt::format("p{}", number));
  return told(names);
}

bool is_extended(const Partition& partition) {
  const PartitionType* type = find_partition_type(partition.type);
  return type != nullptr && type->role == "extended";
}

}  // namespace

void add_findings(const FaultyNumbers& faulty, const std::string& disk, std::vector<base::Finding>& findings) {
  if (!faulty.beyond_end.empty())
    findings.push_back({"partition-beyond-end", Severity::error, disk,
                        fmt::format("left out, as they end beyond the end of the disk: {}", told(faulty.beyond_end)),
                        "compare the size with the original disk or image: it was probably not copied whole"});
  if (!faulty.impossible.empty())
    findings.push_back({"partition-impossible", Severity::error, disk,
                        fmt::format("left out, as they end before they start: {}", told(faulty.impossible)), ""});
}

void check_overlaps(PartitionTable& table, const std::string& disk) {
  std::vector<const Partition*> by_start;
  for (const Partition& partition : table.partitions)
    if (!is_extended(partition)) by_start.push_back(&partition);
  std::ranges::stable_sort(by_start, {}, &Partition::start_bytes);
  std::vector<std::string> pairs;
  const Partition* furthest = nullptr;
  for (const Partition* partition : by_start) {
    if (furthest && partition->start_bytes < furthest->start_bytes + furthest->size_bytes)
      pairs.push_back(fmt::format("p{} and p{}", furthest->number, partition->number));
    const bool reaches_further =
        !furthest || partition->start_bytes + partition->size_bytes > furthest->start_bytes + furthest->size_bytes;
    if (reaches_further) furthest = partition;
  }
  if (!pairs.empty())
    table.findings.push_back(
        {"partitions-overlap", Severity::warning, disk, fmt::format("partitions overlap: {}", told(pairs)), ""});
}

}  // namespace hrvm::probe
