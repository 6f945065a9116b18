// The version of the document that a definition is written as, and the rules that its members share.
#pragma once

#include <string_view>

namespace hrvm::machine {

inline constexpr std::string_view definition_schema = "hrvm.machine/1";

// 16 lower-case hex digits: what layers and NVRAM files are named by.
bool is_id(std::string_view text);
// Of a length that every filesystem takes.
bool is_absolute_path(std::string_view text);

}  // namespace hrvm::machine
