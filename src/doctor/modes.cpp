// Layers hold what guests write, passwords among it: nobody but their owner may read them.
#include <fmt/core.h>

#include <filesystem>

#include "doctor/checks.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/sys/files.hpp"

namespace hrvm::doctor {
namespace {

using sys::FileType;
using sys::Path;

// Going through a folder is harmless: libvirt's user has to reach the layer that it runs.
constexpr unsigned open_folder = 066, open_file = 077;

bool is_open(const sys::FileStatus& status) {
  return (status.type == FileType::directory && (status.mode & open_folder) != 0) ||
         (status.type == FileType::regular && (status.mode & open_file) != 0);
}

void collect_open(const Path& path, std::vector<Path>& found) {
  const auto status = sys::link_status(path);
  if (is_open(status)) found.push_back(path);
  // What a guest has in a folder's layer has the modes that the guest gave it; the layer itself lets nobody in.
  if (status.type != FileType::directory || path.extension() == ".folder") return;
  for (const auto& name : sys::list_directory(path)) collect_open(path / name, found);
}

std::vector<Path> open_paths(const machine::Machine& machine) {
  std::vector<Path> found;
  collect_open(machine.folder, found);
  return found;
}

}  // namespace

Results check_modes(const Circumstances& at) {
  auto problems = for_each_machine(at, "modes", [](const machine::Machine& machine) -> Results {
    const auto found = open_paths(machine);
    if (found.empty()) return {};
    const auto more = found.size() > 1 ? fmt::format(" and {} more", found.size() - 1) : "";
    return {{"modes", Status::warning, fmt::format("{}: others may read {}{}", machine.name, found[0].string(), more),
             fmt::format("chmod -R go-rw {}", base::shell_quote(machine.folder.string()))}};
  });
  return or_ok("modes", std::move(problems), "nobody else may read the machines' files");
}

void fix_modes(const Circumstances& at) {
  for (const auto& machine : machines(at)) {
    for (const auto& path : open_paths(machine)) {
      const bool folder = sys::link_status(path).type == FileType::directory;
      const auto taken = std::filesystem::perms(folder ? open_folder : open_file);
      std::error_code failure;
      std::filesystem::permissions(path, taken, std::filesystem::perm_options::remove, failure);
      if (failure) throw base::system_error(failure.value(), "change the mode of", path);
    }
  }
}

}  // namespace hrvm::doctor
