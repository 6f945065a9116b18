// Giving an image another backing file by one write of one sector.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "image/qcow2/header.hpp"
#include "image/qcow2/writable_file.hpp"

namespace hrvm::image {

struct BackingSwitch {
  std::uint64_t path_offset = 0;
  std::string path;               // written first, where nothing reads it yet; empty when it lies in the sector
  std::vector<std::byte> sector;  // then this, at offset 0
};

// `first_cluster` is what `header` was read from. Error{unsupported} when the new path fits beside the old one nowhere.
BackingSwitch plan_backing_switch(std::span<const std::byte> first_cluster, const ImageHeader& header,
                                  const std::optional<BackingReference>& backing, const std::string& path);

// Path, sync, sector, sync.
void apply(const BackingSwitch& plan, WritableFile& out);

}  // namespace hrvm::image
