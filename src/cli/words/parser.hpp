// From words to a command and its checked arguments. CLI11 does the taking apart; it is included in parser.cpp alone.
#pragma once

#include <string>
#include <vector>

#include "hrvm/cli/command.hpp"

namespace hrvm::cli {

struct Invocation {
  const Command* command = nullptr;  // null: only help or version are asked for
  std::string help_topic;            // for `help`: "", a group or a command's name
  bool help = false, version = false;
  Arguments arguments;
};

// Error{usage} for what is wrong, with what was probably meant as the hint. Where --help is given nothing else is
// judged.
Invocation parse(const std::vector<std::string>& words);

// The names that a person who typed `name` may have meant: by distance, and by the second word alone ("revert").
std::string similar_command(const std::string& name);

}  // namespace hrvm::cli
