// What the fuzz targets of the filesystem readers do with a filesystem: walk down it, read and resolve.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "hrvm/base/error.hpp"
#include "hrvm/block/devices.hpp"
#include "hrvm/fs/file_system.hpp"

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

// What one asks of a file by its node.
inline void look_at(fs::FileSystem& files, fs::Node node, const fs::Stat& stat) {
  constexpr int most_pieces = 64;
  files.attributes(node);
  files.streams(node);
  if (stat.kind == fs::FileKind::symlink) files.read_link(node);
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
      const auto stat = files.stat(node);
      if (stat.kind == fs::FileKind::directory && depth > 0) visit(files, node, depth - 1);
      look_at(files, node, stat);
    } catch (const base::Error&) {
    }
  }
}

inline void walk(block::BlockDevice& device, std::unique_ptr<fs::FileSystem> (*open)(block::BlockDevice&)) {
  try {
    auto files = open(device);
    fs::try_read(*files, "/etc/os-release");
    visit(*files, "", 3);
    visit(*files, files->root(), 3);  // unsupported by those that go by path only
  } catch (const base::Error&) {
  }
}

inline void walk(const std::uint8_t* data, std::size_t size,
                 std::unique_ptr<fs::FileSystem> (*open)(block::BlockDevice&)) {
  auto bytes = std::as_bytes(std::span(data, size));
  walk(*block::memory_device({bytes.begin(), bytes.end()}, "fuzz"), open);
}

}  // namespace hrvm::fuzz
