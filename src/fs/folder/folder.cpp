// A folder of the host as a filesystem, or a stack of them as an overlay shows it.
#include <deque>
#include <set>

#include <fmt/core.h>

#include "fs/path.hpp"
#include "fs/stacked.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/fs/folder.hpp"
#include "hrvm/sys/overlay.hpp"
#include "hrvm/sys/tree.hpp"

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
  explicit Folder(const std::vector<std::filesystem::path>& layers) {
    for (const auto& layer : layers) layers_.emplace_back(layer);
  }

  std::string_view type() const override { return "virtiofs"; }

  std::optional<FileInfo> info(std::string_view path) override {
    const auto places = places_of(path);
    if (places.empty()) return std::nullopt;
    const auto status = places.front()->status(path);
    const auto seconds = std::chrono::floor<std::chrono::seconds>(status.modified);
    return FileInfo{kind_of(status.type), status.size_bytes, seconds.time_since_epoch().count()};
  }

  std::vector<Entry> list(std::string_view path) override {
    std::set<std::string> told;  // whiteouts as well: they hide what is below
    std::vector<Entry> entries;
    for (const auto* layer : folders_of(path))
      for (const auto& name : layer->list(path, most_entries)) {
        const auto status = layer->status(fmt::format("{}/{}", path, name));
        if (!told.insert(name).second || sys::is_whiteout(status) || entries.size() >= most_entries) continue;
        entries.push_back({name, kind_of(status.type)});
      }
    return entries;
  }

  std::string read(std::string_view path, std::uint64_t offset, std::size_t length) override {
    return layer_of(path).read(path, offset, length);
  }

  std::string read_link(std::string_view path) override { return layer_of(path).read_link(path); }

  const sys::Tree& layer_of(std::string_view path) const {
    const auto places = places_of(path);
    if (places.empty())
      throw base::Error(base::ErrorKind::not_found, fmt::format("there is no {} in {}", path, name()));
    return *places.front();
  }

 private:
  std::string name() const { return layers_.back().folder().string(); }

  // The layers that it lies in, the topmost first: a file in one, a folder in all that are seen together.
  Layers places_of(std::string_view path) const {
    Layers places;
    for (const auto& layer : layers_) places.push_back(&layer);
    std::string way;
    for (const auto& name : components(path)) places = that_have(places, way += "/" + name);
    return places;
  }

  Layers folders_of(std::string_view path) const {
    auto places = places_of(path);
    if (places.empty() || places.front()->status(path).type != sys::FileType::directory)
      throw base::Error(base::ErrorKind::not_found, fmt::format("{} is no folder in {}", path, name()));
    return places;
  }

  std::deque<sys::Tree> layers_;
};

}  // namespace

std::unique_ptr<FileSystem> open_folder(const std::vector<std::filesystem::path>& layers) {
  return std::make_unique<Folder>(layers);
}

std::optional<std::filesystem::path> place_in_folder(const std::vector<std::filesystem::path>& layers,
                                                     std::string_view path) {
  Folder folder(layers);
  const auto resolved = resolve(folder, path);
  return resolved ? std::optional(folder.layer_of(*resolved).path_of(*resolved)) : std::nullopt;
}

}  // namespace hrvm::fs
