// The compressed extents of btrfs, unpacked at once into a buffer whose size is known before.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace hrvm::fs::btrfs {

// Fills `out`, with zeros where `packed` ends early. What is packed may end before its room does, and unpack to more
// than is asked for: neither is an error. False where it cannot be unpacked, or the kind is not known. LZO's pieces are
// of `sector_bytes`.
bool unpack(std::uint8_t compression, std::span<const std::byte> packed, std::span<std::byte> out,
            std::size_t sector_bytes);

}  // namespace hrvm::fs::btrfs
