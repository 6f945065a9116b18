// Several machines of one line.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "hrvm/cli/command.hpp"

namespace hrvm::cli {

// The words from the first on, each once.
std::vector<std::string> words_given(const Arguments& arguments);

// Does it to one after the other. Of several, one that fails is told and hides no other; an Error of the only one is
// thrown on. Gives the exit status: 1 where one failed.
int for_each(const Context& context, const std::vector<std::string>& names,
             const std::function<void(const std::string& name)>& does);

}  // namespace hrvm::cli
