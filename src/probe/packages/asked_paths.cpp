#include "probe/packages/asked_paths.hpp"

#include <algorithm>
#include <optional>

#include "hrvm/base/error.hpp"

namespace hrvm::probe {
namespace {

// That distributions have turned into links: the merged /usr, /usr/sbin of Fedora 42 and of Arch, /run.
constexpr std::string_view linked_folders[] = {
    "/bin",      "/sbin",      "/lib",     "/lib32",    "/lib64",    "/libx32",
    "/usr/sbin", "/usr/lib64", "/var/run", "/var/lock", "/var/mail",
};

// Where a folder that is a link ends; nullopt of any other, and of one that cannot be followed.
std::optional<std::string> end_of(fs::FileSystem& root, std::string_view folder) try {
  const auto end = fs::resolve(root, folder);
  return end != folder ? end : std::nullopt;
} catch (const base::Error&) {
  return std::nullopt;
}

}  // namespace

AskedPaths::AskedPaths(fs::FileSystem& root, const std::vector<std::string>& paths) : owners_(paths.size()) {
  for (const std::string_view folder : linked_folders)
    if (auto end = end_of(root, folder)) links_.emplace_back(folder, *end == "/" ? std::string() : std::move(*end));
  for (std::size_t i = 0; i < paths.size(); ++i) places_[std::string(spelled_as_met(paths[i]))].push_back(i);
}

void AskedPaths::claim(std::string_view path, std::string_view package) {
  const auto found = places_.find(spelled_as_met(path));
  if (found == places_.end()) return;
  for (const std::size_t place : found->second)
    if (owners_[place].empty()) owners_[place] = package;
}

std::string_view AskedPaths::spelled_as_met(std::string_view path) {
  for (const auto& [folder, end] : links_)
    if (path.starts_with(folder) && path.substr(folder.size()).starts_with('/')) {
      spelled_.assign(end).append(path.substr(folder.size()));
      return spelled_;
    }
  return path;
}

}  // namespace hrvm::probe
