// BLAKE2b with 32 bytes of digest and no key (RFC 7693), which nettle does not have.
#pragma once

#include <array>
#include <cstddef>
#include <span>

namespace hrvm::fs::btrfs {

std::array<std::byte, 32> blake2b_256(std::span<const std::byte> data);

}  // namespace hrvm::fs::btrfs
