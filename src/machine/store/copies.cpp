#include <algorithm>
#include <limits>
#include <map>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/machine/store.hpp"
#include "machine/store/store_layout.hpp"

namespace hrvm::machine {
namespace {

std::vector<Machine> readable_machines(const Store& store) {
  std::vector<Machine> machines;
  for (const auto& name : store.names()) {
    try {
      machines.push_back(store.load(name));
    } catch (const base::Error&) {  // what cannot be read is told elsewhere
    }
  }
  return machines;
}

bool lies_where_it_was_made(const Machine& machine) {
  return machine.definition.folder_inode == sys::status(machine.folder).inode;
}

// When the oldest definition that is there came to be: nobody can set st_ctime back.
auto oldest_definition(const Machine& machine) {
  auto oldest = std::numeric_limits<std::uint64_t>::max();
  for (const auto& name : sys::list_directory(machine.folder / "generations"))
    oldest = std::min(oldest, base::parse_unsigned(Path(name).stem().string()).value_or(oldest));
  return sys::status(generation_path(machine.folder, oldest)).changed;
}

// Of a folder that was made there before one that was not, then of the oldest.
bool is_before(const Machine& a, const Machine& b) {
  const bool a_is_in_place = lies_where_it_was_made(a), b_is_in_place = lies_where_it_was_made(b);
  if (a_is_in_place != b_is_in_place) return a_is_in_place;
  return oldest_definition(a) < oldest_definition(b);
}

}  // namespace

std::vector<Copy> find_copies(const Store& store, const std::string& name) {
  std::map<std::string, std::vector<Machine>> by_uuid;
  for (auto& machine : readable_machines(store)) by_uuid[machine.definition.uuid.text()].push_back(std::move(machine));
  std::vector<Copy> copies;
  for (auto& [uuid, machines] : by_uuid) {
    if (machines.size() < 2) continue;
    const auto original = std::ranges::min_element(machines, is_before)->name;
    for (const auto& machine : machines)
      if (machine.name != original && (name.empty() || name == machine.name || name == original))
        copies.push_back({machine.name, original});
  }
  std::ranges::sort(copies, {}, &Copy::name);
  return copies;
}

}  // namespace hrvm::machine
