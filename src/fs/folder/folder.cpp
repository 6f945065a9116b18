// A folder of the host as a filesystem, or a stack of them as an overlay shows it.
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <deque>

#include "fs/folder/seen_paths.hpp"
#include "fs/path.hpp"
#include "fs/stacked.hpp"
#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/fs/folder.hpp"
#include "hrvm/sys/overlay.hpp"
#include "hrvm/sys/tree.hpp"

namespace hrvm::fs {

namespace {

using base::Error, base::ErrorKind, folder::SeenPaths;

constexpr std::size_t most_seen_files = 128 << 10, most_seen_bytes = 16 * base::MiB;
constexpr unsigned layer_shift = 56;  // the inodes of most filesystems leave the bits above free

constexpr std::array<std::pair<sys::FileType, FileKind>, 5> kinds = {
    {{sys::FileType::regular, FileKind::regular},
     {sys::FileType::directory, FileKind::directory},
     {sys::FileType::symlink, FileKind::symlink},
     {sys::FileType::block, FileKind::block_device},
     {sys::FileType::character, FileKind::character_device}}};

FileKind kind_of(const sys::FullStatus& full) {
  const auto found = std::ranges::find(kinds, full.status.type, &std::pair<sys::FileType, FileKind>::first);
  if (found != kinds.end()) return found->second;
  return full.is_fifo ? FileKind::fifo : full.is_socket ? FileKind::socket : FileKind::other;
}

FileKind kind_of(const sys::Tree& layer, const std::string& path, const sys::FileStatus& status) {
  return kind_of(status.type == sys::FileType::other ? layer.full_status(path) : sys::FullStatus{.status = status});
}

Time time_of(const sys::FileTime& time) { return {time.seconds, time.nanoseconds}; }

Stat stat_of(Node node, const sys::FullStatus& full) {
  const auto& status = full.status;
  return {.node = node,
          .kind = kind_of(full),
          .mode = status.mode,
          .uid = status.uid,
          .gid = status.gid,
          .links = full.links,
          .device = {full.device_major, full.device_minor},
          .size_bytes = status.size_bytes,
          .allocated_bytes = status.allocated_bytes,
          .times = {.modified = time_of(full.modified),
                    .changed = time_of(full.changed),
                    .accessed = time_of(full.accessed),
                    .created = full.created ? std::optional(time_of(*full.created)) : std::nullopt}};
}

class Folder : public FileSystem {
 public:
  explicit Folder(const std::vector<std::filesystem::path>& layers) {
    for (const auto& layer : layers) layers_.emplace_back(layer);
  }

  std::string_view type() const override { return "virtiofs"; }

  using FileSystem::read, FileSystem::read_link;
  Node root() override { return met(layers_.front(), "", layers_.front().status("")); }
  std::optional<Node> find(Node folder, std::string_view name) override;
  Stat stat(Node node) override;
  void visit(Node folder, const EntryVisitor& visitor) override;
  std::size_t read(Node file, std::uint64_t offset, std::span<std::byte> out) override;
  std::optional<FileExtent> extent_at(Node file, std::uint64_t offset, std::uint64_t limit) override;
  std::string read_link(Node link) override;
  std::vector<Attribute> attributes(Node node) override;

  const sys::Tree& layer_of(std::string_view path) const {
    const auto places = places_of(path);
    if (places.empty()) throw Error(ErrorKind::not_found, fmt::format("there is no {} in {}", path, name()));
    return *places.front();
  }

 private:
  // Where a file lies: a file in one layer, a folder in all that are seen together, the topmost first.
  struct Place {
    std::string path;
    Layers layers;
    const sys::Tree& top() const { return *layers.front(); }
  };

  std::string name() const { return layers_.back().folder().string(); }
  Error not_there(std::string_view path, std::string_view why) const {
    return Error(ErrorKind::not_found, fmt::format("{} {} in {}", path.empty() ? "/" : path, why, name())).on(name());
  }

  Layers places_of(std::string_view path) const;
  const Layers& layers_of_folder(const std::string& path);
  Node node_of(const sys::Tree& layer, const sys::FileStatus& status) const;
  Node met(const sys::Tree& layer, const std::string& path, const sys::FileStatus& status);
  Place place_of(Node node);
  Place place_of(Node node, sys::FileType type, std::string_view otherwise);
  bool visit_layer(const Place& folder, std::size_t layer, const EntryVisitor& visitor);

  std::deque<sys::Tree> layers_;
  SeenPaths seen_{most_seen_files, most_seen_bytes};
  Place last_folder_;  // so that not each of its files takes the whole way
};

Layers Folder::places_of(std::string_view path) const {
  Layers places;
  for (const auto& layer : layers_) places.push_back(&layer);
  std::string way;
  for (const auto& name : components(path)) places = that_have(places, way += "/" + name);
  return places;
}

const Layers& Folder::layers_of_folder(const std::string& path) {
  if (last_folder_.layers.empty() || last_folder_.path != path) last_folder_ = {path, places_of(path)};
  return last_folder_.layers;
}

Node Folder::node_of(const sys::Tree& layer, const sys::FileStatus& status) const {
  const auto own = layer.status("").device;
  const auto index =
      std::uint64_t(std::ranges::find(layers_, &layer, [](const auto& each) { return &each; }) - layers_.begin());
  return {status.device == own ? 0 : status.device, status.inode ^ index << layer_shift, 0};
}

Node Folder::met(const sys::Tree& layer, const std::string& path, const sys::FileStatus& status) {
  const auto node = node_of(layer, status);
  seen_.add(node, path);
  return node;
}

Folder::Place Folder::place_of(Node node) {
  const auto path = seen_.find(node);
  if (!path) throw not_there("a file", "that was met too long ago or never is asked for");
  const auto slash = path->rfind('/');
  Place place{*path, path->empty() ? places_of("") : that_have(layers_of_folder(path->substr(0, slash)), *path)};
  // What leads there now may be another file.
  if (place.layers.empty() || node_of(place.top(), place.top().status(*path)) != node)
    throw not_there(*path, "is no longer there");
  return place;
}

Folder::Place Folder::place_of(Node node, sys::FileType type, std::string_view otherwise) {
  auto place = place_of(node);
  if (place.top().status(place.path).type != type) throw not_there(place.path, otherwise);
  return place;
}

std::optional<Node> Folder::find(Node folder, std::string_view name) {
  const auto place = place_of(folder, sys::FileType::directory, "is no folder");
  const auto path = place.path + "/" + std::string(name);
  if (name.empty() || name == "." || name == ".." || name.find('/') != name.npos) return std::nullopt;
  const auto layers = that_have(place.layers, path);
  if (layers.empty()) return std::nullopt;
  return met(*layers.front(), path, layers.front()->status(path));
}

Stat Folder::stat(Node node) {
  const auto place = place_of(node);
  return stat_of(node, place.top().full_status(place.path));
}

void Folder::visit(Node folder, const EntryVisitor& visitor) {
  const auto place = place_of(folder, sys::FileType::directory, "is no folder");
  for (std::size_t layer = 0; layer < place.layers.size(); ++layer)
    if (!visit_layer(place, layer, visitor)) return;
}

// What a layer above has under a name, a whiteout too, hides what is below. False where the visitor ended it.
bool Folder::visit_layer(const Place& folder, std::size_t index, const EntryVisitor& visitor) {
  const auto& layer = *folder.layers[index];
  bool goes_on = true;
  layer.visit(folder.path, [&](std::string_view name) {
    const auto path = folder.path + "/" + std::string(name);
    const auto status = layer.status(path);
    const auto is_hidden_by = [&](const sys::Tree* above) {
      return above->status(path).type != sys::FileType::missing;
    };
    const bool is_seen =
        status.type != sys::FileType::missing && !sys::is_whiteout(status) &&
        std::none_of(folder.layers.begin(), folder.layers.begin() + std::ptrdiff_t(index), is_hidden_by);
    if (is_seen) goes_on = visitor({name, met(layer, path, status), kind_of(layer, path, status)});
    return goes_on;
  });
  return goes_on;
}

std::size_t Folder::read(Node file, std::uint64_t offset, std::span<std::byte> out) {
  const auto place = place_of(file, sys::FileType::regular, "is no file");
  return place.top().read(place.path, offset, out);
}

std::optional<FileExtent> Folder::extent_at(Node file, std::uint64_t offset, std::uint64_t limit) {
  const auto place = place_of(file, sys::FileType::regular, "is no file");
  const auto stretch = place.top().stretch_at(place.path, offset);
  if (!stretch) return std::nullopt;
  return FileExtent{.offset = offset,
                    .length = std::min(limit, stretch->length),
                    .stored = stretch->is_hole ? Stored::zeros : Stored::inside};
}

std::string Folder::read_link(Node link) {
  const auto place = place_of(link, sys::FileType::symlink, "is no symbolic link");
  return place.top().read_link(place.path);
}

std::vector<Attribute> Folder::attributes(Node node) {
  const auto place = place_of(node);
  std::vector<Attribute> found;
  for (const auto& name : place.top().attribute_names(place.path)) {
    if (is_of_overlay(name)) continue;
    if (auto value = place.top().attribute(place.path, name)) found.push_back({name, std::move(*value)});
  }
  return found;
}

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
