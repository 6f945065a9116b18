#include <algorithm>
#include <set>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/machine/store.hpp"
#include "machine/store/store_layout.hpp"

namespace hrvm::machine {
namespace {

// The newest first.
std::vector<std::uint64_t> generations(const Path& folder) {
  std::vector<std::uint64_t> numbers;
  for (const auto& name : sys::list_directory(folder / "generations"))
    if (const auto number = base::parse_unsigned(Path(name).stem().string())) numbers.push_back(*number);
  std::ranges::sort(numbers, std::greater());
  return numbers;
}

std::vector<Path> unknown_layers(const Machine& machine) {
  const auto files = machine.definition.files();
  const std::set<std::string> named(files.begin(), files.end());
  std::vector<Path> unknown;
  for (const auto& name : sys::list_directory(machine.folder / "layers"))
    if (!named.contains("layers/" + name)) unknown.push_back(machine.folder / "layers" / name);
  return unknown;
}

}  // namespace

std::optional<Store::OlderGeneration> Store::older_generation(const std::string& name) const {
  const Path folder = folder_ / name;
  for (const auto number : generations(folder)) {
    try {
      const Machine machine{name, folder, number, read_generation(generation_path(folder, number))};
      check_presence(machine);
      return OlderGeneration{number, unknown_layers(machine)};
    } catch (const base::Error&) {  // as the one in force: an older one may do
    }
  }
  return std::nullopt;
}

void Store::go_back(const std::string& name, const OlderGeneration& generation) const {
  const Path folder = folder_ / name;
  sys::switch_link(folder / "current", generation_path(folder, generation.number).lexically_relative(folder));
}

}  // namespace hrvm::machine
