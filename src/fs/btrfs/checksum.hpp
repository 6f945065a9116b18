// The four kinds of checksums of which a btrfs bears one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "fs/btrfs/format.hpp"

namespace hrvm::fs::btrfs {

// How many bytes one takes; 0 for types that are not known.
std::size_t checksum_bytes(std::uint16_t type);
// Of data: filled up with zeros. Nothing but zeros for types that are not known.
Checksum checksum_of(std::uint16_t type, std::span<const std::byte> data);
// Of a node or superblock, by the one that it begins with.
bool is_intact(std::uint16_t type, std::span<const std::byte> block);
// By which folders find a name.
std::uint32_t name_hash(std::span<const std::byte> name);

}  // namespace hrvm::fs::btrfs
