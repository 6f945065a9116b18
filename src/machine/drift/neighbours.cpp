#include "hrvm/machine/neighbours.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>

#include "hrvm/base/error.hpp"
#include "hrvm/machine/fingerprint.hpp"

namespace hrvm::machine {

namespace {

using base::Error;
using base::ErrorKind;

bool is_machine_folder(const Path& folder) {
  const auto current = sys::read_link(folder / "current");
  return current && current->native().starts_with("generations/");
}

bool has_base_among(const Definition& definition, const std::vector<Path>& files) {
  return std::ranges::any_of(definition.disks, [&](const BaseIdentity& disk) {
    if (disk.is_empty() || disk.is_folder() || disk.kind == BaseKind::disk) return false;
    const auto below = base_files(disk);
    return std::ranges::any_of(below, [&](const std::string& base) {
      return std::ranges::any_of(files, [&](const Path& file) { return sys::is_same_file(base, file); });
    });
  });
}

}  // namespace

void check_store_place(const Path& store) {
  for (auto folder = std::filesystem::weakly_canonical(store); folder.has_relative_path();
       folder = folder.parent_path())
    if (is_machine_folder(folder))
      throw Error(ErrorKind::refused, fmt::format("a store at {} would lie in the folder of the machine {}",
                                                  store.string(), folder.filename().string()))
          .on(folder)
          .hint("name another folder: a machine removes from its own what it does not know");
}

void check_no_base_among(const Store& store, const std::string& machine, const std::vector<Path>& files) {
  if (files.empty()) return;
  for (const auto& name : store.names()) {
    if (name == machine) continue;
    try {
      if (!has_base_among(store.load(name).definition, files)) continue;
    } catch (const Error&) {
      continue;  // a damaged machine is told by others
    }
    throw Error(ErrorKind::refused,
                fmt::format("the machine {} lies on a layer of {}, which would be removed", name, machine))
        .on(store.folder() / name)
        .hint(fmt::format("remove that first: hrvm remove {0}; or make it independent: hrvm export {0} FILE", name));
  }
}

}  // namespace hrvm::machine
