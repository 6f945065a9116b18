// CRC-32C as filesystems use it, by the processor's instruction where it has one: a file or a journal is read no faster
// than it is checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace hrvm::fs {

// Goes on from the register `crc`; nothing is inverted, neither before nor after.
std::uint32_t crc32c(std::uint32_t crc, std::span<const std::byte> bytes);

}  // namespace hrvm::fs
