// The files of completions/, built in.
#pragma once

#include <string_view>

namespace hrvm::cli {

extern const std::string_view bash_completion, zsh_completion, fish_completion;

}  // namespace hrvm::cli
