// The hashes by which the index of a folder knows names: Documentation/filesystems/ext4, "Hash Tree Directories".
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace hrvm::fs::ext {

// As hash_version in the index, and from `unsigned_variants` on the same for names of unsigned characters.
enum HashVersion : std::uint8_t { hash_legacy = 0, hash_half_md4 = 1, hash_tea = 2, unsigned_variants = 3 };

// The first of the two words of the hash, bit 0 cleared. A seed of zeros stands for the usual one. nullopt for versions
// that are not known.
std::optional<std::uint32_t> name_hash(std::string_view name, std::uint8_t version,
                                       const std::array<std::uint32_t, 4>& seed);

}  // namespace hrvm::fs::ext
