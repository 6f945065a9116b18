#include <deque>

#include "fs/path.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/fs/file_system.hpp"

namespace hrvm::fs {

namespace {

constexpr unsigned most_links = 40;            // as Linux (path_resolution(7))
constexpr std::size_t most_components = 4096;  // links that expand links could otherwise fill memory

std::string joined(const std::vector<std::string>& names) { return names.empty() ? "/" : "/" + base::join(names, "/"); }

}  // namespace

std::vector<std::string> components(std::string_view path) {
  std::vector<std::string> names;
  for (const std::string_view name : base::split(path, '/'))
    if (!name.empty() && name != ".") names.emplace_back(name);
  return names;
}

std::optional<std::string> resolve(FileSystem& files, std::string_view path) {
  std::vector<std::string> done;
  const std::vector<std::string> names = components(path);
  std::deque<std::string> ahead(names.begin(), names.end());
  for (unsigned links = 0; !ahead.empty();) {
    if (ahead.size() > most_components) return std::nullopt;
    const std::string name = std::move(ahead.front());
    ahead.pop_front();
    if (name == "..") {
      if (!done.empty()) done.pop_back();
      continue;
    }
    done.push_back(name);
    const std::string here = joined(done);
    const std::optional<FileInfo> info = files.info(here);
    if (!info) return std::nullopt;
    if (info->kind != FileKind::symlink) continue;
    if (++links > most_links) return std::nullopt;
    const std::string target = files.read_link(here);
    done.pop_back();
    if (target.starts_with('/')) done.clear();
    const std::vector<std::string> inserted = components(target);
    ahead.insert(ahead.begin(), inserted.begin(), inserted.end());
  }
  return joined(done);
}

std::optional<std::string> try_read(FileSystem& files, std::string_view path, std::size_t limit) {
  try {
    const std::optional<std::string> place = resolve(files, path);
    if (!place) return std::nullopt;
    const std::optional<FileInfo> info = files.info(*place);
    if (!info || info->kind != FileKind::regular || info->size_bytes > limit) return std::nullopt;
    return files.read(*place, 0, std::size_t(info->size_bytes));
  } catch (const base::Error&) {
    return std::nullopt;
  }
}

bool exists(FileSystem& files, std::string_view path) {
  try {
    return resolve(files, path).has_value();
  } catch (const base::Error&) {
    return false;
  }
}

}  // namespace hrvm::fs
