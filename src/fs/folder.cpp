// A folder of the host as a filesystem, or a stack of them as an overlay shows it. No symbolic link is ever followed
// here: each component is looked at before the next is.
#include <algorithm>
#include <fstream>
#include <set>

#include "hrvm/base/error.hpp"
#include "hrvm/fs/folder.hpp"
#include "hrvm/sys/overlay.hpp"
#include "path.hpp"

namespace hrvm::fs {

namespace {

constexpr std::size_t most_entries = 65536;

FileKind kind_of(sys::FileType type) {
  if (type == sys::FileType::regular) return FileKind::regular;
  if (type == sys::FileType::directory) return FileKind::directory;
  return type == sys::FileType::symlink ? FileKind::symlink : FileKind::other;
}

class Folder : public FileSystem {
 public:
  explicit Folder(std::vector<std::filesystem::path> layers) : layers_(std::move(layers)) {}

  std::string_view type() const override { return "virtiofs"; }

  std::optional<FileInfo> info(std::string_view path) override {
    const auto places = places_of(path);
    if (places.empty()) return std::nullopt;
    const auto status = sys::link_status(places.front());
    const auto seconds = std::chrono::floor<std::chrono::seconds>(status.modified);
    return FileInfo{kind_of(status.type), status.size_bytes, seconds.time_since_epoch().count()};
  }

  std::vector<Entry> list(std::string_view path) override {
    std::set<std::string> told;  // whiteouts as well: they hide what is below
    std::vector<Entry> entries;
    for (const auto& place : folders_of(path))
      for (const auto& name : sys::list_directory(place)) {
        const auto status = sys::link_status(place / name);
        if (!told.insert(name).second || sys::is_whiteout(status) || entries.size() >= most_entries) continue;
        entries.push_back({name, kind_of(status.type)});
      }
    return entries;
  }

  std::string read(std::string_view path, std::uint64_t offset, std::size_t length) override {
    std::ifstream file(place_of(path), std::ios::binary);
    std::string bytes(length, '\0');
    file.seekg(std::streamoff(offset));
    file.read(bytes.data(), std::streamsize(length));
    bytes.resize(std::size_t(file.gcount()));
    return bytes;
  }

  std::string read_link(std::string_view path) override {
    return sys::read_link(place_of(path)).value_or(sys::Path()).string();
  }

  sys::Path place_of(std::string_view path) const {
    auto places = places_of(path);
    if (places.empty())
      throw base::Error(base::ErrorKind::not_found,
                        "there is no " + std::string(path) + " in " + layers_.back().string());
    return places.front();
  }

 private:
  // Where it lies, the topmost first: a file in one place, a folder in all that are seen together.
  std::vector<sys::Path> places_of(std::string_view path) const {
    auto places = layers_;
    for (const auto& name : components(path)) places = below(places, name);
    return places;
  }

  static std::vector<sys::Path> below(const std::vector<sys::Path>& folders, const std::string& name) {
    std::vector<sys::Path> found;
    for (const auto& folder : folders) {
      const auto status = sys::link_status(folder / name);
      if (status.type == sys::FileType::missing) continue;
      const bool is_folder = status.type == sys::FileType::directory;
      if (sys::is_whiteout(status) || (!is_folder && !found.empty())) break;
      found.push_back(folder / name);
      if (!is_folder || sys::is_opaque(folder / name)) break;
    }
    return found;
  }

  std::vector<sys::Path> folders_of(std::string_view path) const {
    auto places = places_of(path);
    if (places.empty() || sys::link_status(places.front()).type != sys::FileType::directory)
      throw base::Error(base::ErrorKind::not_found, std::string(path) + " is no folder in " + layers_.back().string());
    return places;
  }

  std::vector<sys::Path> layers_;
};

}  // namespace

std::unique_ptr<FileSystem> open_folder(const std::vector<std::filesystem::path>& layers) {
  return std::make_unique<Folder>(layers);
}

std::optional<std::filesystem::path> place_in_folder(const std::vector<std::filesystem::path>& layers,
                                                     std::string_view path) {
  Folder folder(layers);
  const auto resolved = resolve(folder, path);
  return resolved ? std::optional(folder.place_of(*resolved)) : std::nullopt;
}

}  // namespace hrvm::fs
