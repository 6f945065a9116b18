// The words by which other tools call what hrvm does.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace hrvm::cli {

// The hint for who typed this as a command; nullopt where no tool calls anything so.
std::optional<std::string> hint_for_peers_word(std::string_view word);

}  // namespace hrvm::cli
