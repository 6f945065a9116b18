// Names as NTFS keeps them: UTF-16, in which any value may stand. What is no pair of surrogates goes through UTF-8 and
// back as if it were a character.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hrvm::fs::ntfs {

using Name = std::vector<std::uint16_t>;

// nullopt for what can be no name: no UTF-8, empty, with a NUL, or longer than 255 units.
std::optional<Name> to_utf16(std::string_view name);
std::optional<std::string> to_utf8(std::span<const std::uint16_t> name);

// Not "." or "..", and without a slash.
bool is_plain(std::string_view name);

}  // namespace hrvm::fs::ntfs
