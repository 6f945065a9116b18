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

// A hash that was taken once is not lost by a look that takes none.
static std::vector<FrozenFile> with_hashes(std::vector<FrozenFile> files, const Definition& before,
                                           const std::string& layer) {
  const auto known = before.frozen.find(layer);
  for (std::size_t disk = 0; disk < files.size() && known != before.frozen.end(); ++disk)
    if (files[disk].sha256.empty()) files[disk].sha256 = known->second.at(disk).sha256;
  return files;
}

Change plan_record_layers(const Machine& machine, const std::map<std::string, std::vector<FrozenFile>>& frozen,
                          const Drawn& drawn) {
  Change change = begin_change(machine, "verify --layers --record",
                               "record what the frozen layers of " + machine.name + " are", drawn);
  for (const auto& [layer, files] : frozen)
    change.definition.frozen[layer] = with_hashes(files, machine.definition, layer);
  return finish_change(std::move(change), machine.definition);
}

}  // namespace hrvm::machine
