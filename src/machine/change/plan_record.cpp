#include <algorithm>

#include "machine/change/change_parts.hpp"

namespace hrvm::machine {

static bool fits(const Fingerprint& then, const Fingerprint& now) {
  return std::ranges::all_of(compare(then, now), &MarkComparison::same);
}

Change plan_record(const Machine& machine, const std::vector<std::string>& hashes, const Fingerprint& now,
                   const Drawn& drawn) {
  Change change =
      begin_change(machine, "verify --full --record", "record the SHA-256 of the disks of " + machine.name, drawn);
  Definition& next = change.definition;
  for (std::size_t disk = 0; disk < hashes.size(); ++disk)
    if (!hashes[disk].empty()) next.disks.at(disk).sha256 = hashes[disk];
  for (auto& [layer, fingerprint] : next.fingerprints)
    if (fits(fingerprint, now)) fingerprint.traces = now.traces;
  return finish_change(std::move(change), machine.definition);
}

}  // namespace hrvm::machine
