// Generations of NixOS: links beside the system's profile, each to a system in the store.
#include <algorithm>
#include <functional>

#include <fmt/core.h>

#include "hrvm/base/text.hpp"
#include "probe/roots/state_keepers.hpp"

namespace hrvm::probe {
namespace {

constexpr std::string_view profiles = "/nix/var/nix/profiles";

struct Generation {
  std::uint64_t number = 0;
  std::string target;  // "/nix/store/…"
  SystemState state;
};

// 42 of "system-42-link".
std::optional<std::uint64_t> number_of(std::string_view name) {
  constexpr std::string_view before = "system-", after = "-link";
  if (!name.starts_with(before) || !name.ends_with(after) || name.size() < before.size() + after.size())
    return std::nullopt;
  return base::parse_unsigned(name.substr(before.size(), name.size() - before.size() - after.size()));
}

std::vector<Generation> read_generations(fs::FileSystem& files, const System& system) {
  std::vector<Generation> found;
  const auto folder = fs::resolve(files, profiles);
  if (!folder || !is_folder(files, *folder)) return found;
  for (const fs::Entry& entry : files.list(*folder)) {
    const auto number = number_of(entry.name);
    const std::string path = *folder + "/" + entry.name;
    const auto target = number ? fs::resolve(files, path) : std::nullopt;
    if (!target) continue;
    Generation generation{*number, *target, {}};
    generation.state.name = fmt::format("generation {}", *number);
    generation.state.version =
        base::printable(base::trim(fs::try_read(files, *target + "/nixos-version", 4096).value_or("")));
    generation.state.date = files.info(path)->modified;
    generation.state.root = system.root;
    generation.state.folder = *target;
    found.push_back(std::move(generation));
  }
  std::ranges::sort(found, std::greater(), &Generation::number);
  if (found.size() > most_states) found.resize(most_states);
  return found;
}

// The one whose init the default entry names, else the one of the profile.
std::string default_target(fs::FileSystem& files, const StateSearch& search) {
  if (const auto line = search.default_line(); line && line->init.ends_with("/init"))
    return line->init.substr(0, line->init.size() - 5);
  return fs::resolve(files, std::string(profiles) + "/system").value_or("");
}

void add_to(System& system, fs::FileSystem& files, const StateSearch& search) {
  auto generations = read_generations(files, system);
  if (generations.empty()) return;
  const auto target = default_target(files, search);
  const auto is_default = [&](const Generation& each) { return each.target == target; };
  std::stable_partition(generations.begin(), generations.end(), is_default);
  generations.front().state.is_default = true;
  system.kind = "nixos";
  if (!generations.front().state.version.empty()) system.version = generations.front().state.version;
  for (Generation& each : generations) system.states.push_back(std::move(each.state));
}

}  // namespace

void add_generations(const StateSearch& search) {
  for (System& system : search.contents.systems) {
    if (system.inside || system.id != "nixos" || !system.states.empty()) continue;
    if (fs::FileSystem* files = search.files_of(system)) add_to(system, *files, search);
  }
}

}  // namespace hrvm::probe
