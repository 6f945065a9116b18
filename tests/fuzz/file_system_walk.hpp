// What the fuzz targets of the filesystem readers do with a filesystem: walk down it, read and resolve.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "hrvm/base/error.hpp"
#include "hrvm/block/devices.hpp"
#include "hrvm/fs/file_system.hpp"

namespace hrvm::fuzz {

inline void visit(fs::FileSystem& files, const std::string& folder, int depth) {
  auto entries = files.list(folder);
  entries.resize(std::min<std::size_t>(entries.size(), 16));
  for (const auto& entry : entries) {
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

inline void walk(block::BlockDevice& device, std::unique_ptr<fs::FileSystem> (*open)(block::BlockDevice&)) {
  try {
    auto files = open(device);
    fs::try_read(*files, "/etc/os-release");
    visit(*files, "", 3);
  } catch (const base::Error&) {
  }
}

inline void walk(const std::uint8_t* data, std::size_t size,
                 std::unique_ptr<fs::FileSystem> (*open)(block::BlockDevice&)) {
  auto bytes = std::as_bytes(std::span(data, size));
  walk(*block::memory_device({bytes.begin(), bytes.end()}, "fuzz"), open);
}

}  // namespace hrvm::fuzz
