// What the fuzz targets of the filesystem readers do with a filesystem: all that can be asked of it, by path and by
// node.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "hrvm/base/error.hpp"
#include "hrvm/block/devices.hpp"
#include "hrvm/fs/file_system.hpp"
#include "hrvm/fs/walk.hpp"

namespace hrvm::fuzz {

inline void visit(fs::FileSystem& files, const std::string& folder, int depth) {
  for (const auto& entry : files.list(folder, 16)) {
    auto path = folder + "/" + entry.name;
    try {
      auto info = files.info(path);
      if (!info) continue;
      if (info->kind == fs::FileKind::directory && depth > 0) visit(files, path, depth - 1);
      if (info->kind == fs::FileKind::symlink) files.read_link(path);
      if (info->kind == fs::FileKind::regular) files.read(path, info->size_bytes / 2, 100'000);
    } catch (const base::Error&) {
    }
  }
}

inline void look_at_streams(fs::FileSystem& files, fs::Node node) {
  constexpr std::size_t most_streams = 4;
  std::vector<std::byte> bytes(10'000);
  auto streams = files.streams(node);
  streams.resize(std::min(streams.size(), most_streams));
  for (const auto& [name, size] : streams)
    if (files.read_stream(node, name, size / 2, bytes) > bytes.size()) __builtin_trap();
}

// What one asks of a file by its node.
inline void look_at(fs::FileSystem& files, fs::Node node, const fs::Stat& stat) {
  constexpr int most_pieces = 64;
  const auto attributes = files.attributes(node);
  if (!std::ranges::is_sorted(attributes)) __builtin_trap();
  look_at_streams(files, node);
  if (stat.kind == fs::FileKind::symlink && files.read_link(node).size() > 4096) __builtin_trap();
  if (stat.kind != fs::FileKind::regular) return;
  std::uint64_t offset = 0;
  for (int pieces = 0; pieces < most_pieces; ++pieces) {
    const auto extent = files.extent_at(node, offset, 1 << 30);
    if (!extent) break;
    if (extent->offset != offset || extent->length == 0 || extent->length > 1 << 30) __builtin_trap();
    offset += extent->length;
  }
  std::vector<std::byte> bytes(100'000);
  if (files.read(node, stat.size_bytes / 2, bytes) > bytes.size()) __builtin_trap();
}

// What no entry leads to: a node may come from another state of the filesystem.
inline void look_at_stranger(fs::FileSystem& files, fs::Node node) try {
  look_at(files, node, files.stat(node));
} catch (const base::Error&) {
}

inline void visit(fs::FileSystem& files, fs::Node folder, int depth) {
  constexpr std::size_t most_entries = 16;
  std::vector<std::pair<std::string, fs::Node>> entries;
  try {
    files.visit(folder, [&](const fs::DirectoryEntry& entry) {
      entries.emplace_back(entry.name, entry.node);
      return entries.size() < most_entries;
    });
  } catch (const base::Error&) {  // what was given before is good
  }
  for (const auto& [name, node] : entries) {
    try {
      files.find(folder, name);
      files.find(folder, name + "x");
      const auto stat = files.stat(node);
      if (stat.kind == fs::FileKind::directory && depth > 0) visit(files, node, depth - 1);
      look_at(files, node, stat);
    } catch (const base::Error&) {
    }
  }
  if (!entries.empty()) {
    const auto last = entries.back().second;
    for (const std::uint64_t id : {last.id + 1, last.id ^ std::uint64_t(1) << 40, ~last.id})
      look_at_stranger(files, {last.tree, id, 0});
  }
}

// Goes on behind whatever fails, until it has met enough.
class Stroller : public fs::WalkVisitor {
 public:
  fs::WalkStep enter(const fs::WalkedFile& file) override {
    constexpr std::size_t most_files = 200;
    if (file.depth > fs::deepest_walk + 1) __builtin_trap();
    open_folders += file.stat.kind == fs::FileKind::directory;
    return ++files_ < most_files ? fs::WalkStep::go_on : fs::WalkStep::stop;
  }
  void leave(const fs::WalkedFile&) override { --open_folders; }
  void failed(std::string_view, const base::Error&) override {}

  int open_folders = 0;  // entered, and not left

 private:
  std::size_t files_ = 0;
};

// In batches that are so small that a folder takes several.
inline void stroll(fs::FileSystem& files, fs::Node start) {
  for (const auto order : {fs::WalkOrder::disk, fs::WalkOrder::names, fs::WalkOrder::data}) {
    Stroller stroller;
    const fs::WalkOptions options{.order = order, .crosses_trees = true, .most_names = 8, .most_bytes = 4096};
    const bool is_whole = fs::walk(files, start, stroller, options);
    if (is_whole && stroller.open_folders != 0) __builtin_trap();
  }
}

// A filesystem that goes by path only refuses at the third of these.
inline void explore(fs::FileSystem& files) try {
  if (files.journal() != fs::JournalState::clean && files.type().empty()) __builtin_trap();
  files.needs_recovery();
  fs::try_read(files, "/etc/os-release");
  visit(files, "", 3);
  visit(files, files.root(), 3);
  stroll(files, files.root());
} catch (const base::Error&) {
}

inline void walk(block::BlockDevice& device, std::unique_ptr<fs::FileSystem> (*open)(block::BlockDevice&)) try {
  explore(*open(device));
} catch (const base::Error&) {
}

inline void walk(const std::uint8_t* data, std::size_t size,
                 std::unique_ptr<fs::FileSystem> (*open)(block::BlockDevice&)) {
  auto bytes = std::as_bytes(std::span(data, size));
  walk(*block::memory_device({bytes.begin(), bytes.end()}, "fuzz"), open);
}

}  // namespace hrvm::fuzz
