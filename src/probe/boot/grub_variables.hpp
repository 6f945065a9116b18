// The variables of GRUB's shell, and the file in which it keeps some.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "probe/boot/grub_words.hpp"

namespace hrvm::probe {

inline constexpr std::size_t most_grub_variables = 4096;

// A grubenv file: "name=value" lines behind a signature, filled up with "#". What goes beyond most_grub_variables is
// left out.
GrubVariables parse_grubenv(std::string_view text);

// "$name" and "${name}" replaced; cut at longest_text.
std::string expand_variables(std::string_view text, const GrubVariables& variables);

}  // namespace hrvm::probe
