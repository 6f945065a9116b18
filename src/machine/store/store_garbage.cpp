#include <algorithm>
#include <array>
#include <set>

#include "hrvm/base/error.hpp"
#include "hrvm/block/image_lock.hpp"
#include "hrvm/machine/store.hpp"
#include "machine/store/store_layout.hpp"

namespace hrvm::machine {
namespace {

// All that hrvm itself ever puts into a machine's folder. Anything else is a person's, and stays.
constexpr std::array<std::string_view, 9> folder_entries = {"layers", "nvram",   "memory",   "generations", "tpm",
                                                            "tmp",    "merging", "consoles", "hashing"};

bool is_temporary(const std::string& name) { return name.starts_with('.') && name.ends_with(".tmp"); }

bool is_hrvms_own(const std::string& name) {
  return is_temporary(name) || std::find(folder_entries.begin(), folder_entries.end(), name) != folder_entries.end();
}

// nullopt also when somebody else was faster in removing it.
std::optional<sys::Lock> lock_if_unused(const Path& folder) {
  try {
    return sys::Lock::try_take(folder, sys::Lock::Mode::exclusive);
  } catch (const base::Error& error) {
    if (error.kind() == base::ErrorKind::not_found) return std::nullopt;
    throw;
  }
}

std::vector<Path> files_in(const Path& folder) {
  std::vector<Path> files;
  for (const auto& name : sys::list_directory(folder)) files.push_back(folder / name);
  return files;
}

bool remove_if_unused(const Path& folder) {
  const auto lock = lock_if_unused(folder);
  if (lock) sys::remove_all(folder);
  return lock.has_value();
}

// Sockets and logs of a boot that was killed, or whose guest powered down with nobody watching.
void remove_run(const sys::Host& host, const Store& store, const std::string& name, const Path& id) try {
  sys::remove_all(run_folder(host, store.load(name).definition) / id);
} catch (const base::Error&) {
  // Who looks for one of a definition that cannot be read finds none.
}

bool looks_unfinished(const Store& store, const std::string& name) {
  if (name.starts_with(removed_prefix)) return true;
  const Path folder = store.folder() / name;
  if (!is_machine_name(name) || sys::link_status(folder).type != sys::FileType::directory) return false;
  if (sys::link_status(folder / "current").type != sys::FileType::missing) return false;
  const auto entries = sys::list_directory(folder);
  return std::all_of(entries.begin(), entries.end(), is_hrvms_own);
}

}  // namespace

std::vector<Path> throw_away_folders(const Machine& machine, bool in_use) {
  auto folders = files_in(machine.folder / "tmp");
  std::erase_if(folders, [&](const Path& folder) { return lock_if_unused(folder).has_value() == in_use; });
  return folders;
}

std::vector<Path> Store::garbage(const Machine& machine) const {
  std::set<Path> named;
  for (std::uint64_t back = 0; back < generations_kept && back < machine.generation; ++back)
    named.insert(generation_path(machine.folder, machine.generation - back));
  for (const auto& file : machine.definition.files()) named.insert(machine.folder / file);

  std::vector<Path> garbage;
  for (const auto folder : {"generations", "layers", "nvram", "memory"})
    for (const auto& path : files_in(machine.folder / folder))
      if (!named.contains(path) && block::image_use(path) == block::ImageUse::none) garbage.push_back(path);
  for (const auto& path : files_in(machine.folder))
    if (is_temporary(path.filename().string())) garbage.push_back(path);
  for (const auto& path : throw_away_folders(machine, false)) garbage.push_back(path);
  return garbage;
}

void Store::collect_garbage(const Machine& machine) const {
  for (const auto& path : garbage(machine)) sys::remove_all(path);
}

void Store::collect_throw_away() const {
  for (const auto& name : folder_names())
    for (const auto& folder : files_in(folder_ / name / "tmp"))
      if (contains(name) && remove_if_unused(folder)) remove_run(host_, *this, name, folder.filename());
}

std::vector<Path> Store::unfinished() const {
  std::vector<Path> folders;
  for (const auto& name : sys::list_directory(folder_))
    if (looks_unfinished(*this, name) && lock_if_unused(folder_ / name)) folders.push_back(folder_ / name);
  return folders;
}

void Store::collect_unfinished() const {
  for (const auto& folder : unfinished()) {
    // Looked at again under the lock: an import may have finished, or another may have begun, in between.
    const auto lock = lock_if_unused(folder);
    if (lock && looks_unfinished(*this, folder.filename().string())) sys::remove_all(folder);
  }
}

}  // namespace hrvm::machine
