// Finds which command a line names, without judging the rest of it: parsing, help and completion all start here.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hrvm/cli/command.hpp"

namespace hrvm::cli {

// A line, taken apart at its command's name. Global options may stand before the name, and between its two words.
struct Line {
  std::vector<std::string> name;     // none, one or two words; the second is there only after the first word of a group
  std::vector<std::string> rest;     // everything else, in order
  const Command* command = nullptr;  // null: no command of that name, or no name
  std::string full_name() const;     // "snapshot create"
};
Line split_line(const std::vector<std::string>& words);

const Command* find_command(std::string_view name);
// "snapshot": the first word of commands that have two.
bool is_group(std::string_view word);
// The commands of a group that are not hidden: "snapshot" → snapshot create, snapshot list, …
std::vector<const Command*> group_commands(std::string_view group);

std::string_view first_word(std::string_view name);
std::string_view second_word(std::string_view name);  // empty where there is one word

// The command's own options, then those of every command.
std::vector<const Option*> options_of(const Command* command);
// By "--name" or "-n"; null when there is none.
const Option* find_option(const std::vector<const Option*>& options, std::string_view spelling);
// Whether the option's value is the word behind it.
bool takes_next_word(const Option& option);

// Whether words without end may stand for it.
bool may_repeat(const Positional& positional);
// "MACHINE", "[NAME]", "MACHINE…", "[SOURCE…]".
std::string usage_word(const Positional& positional);
// "hrvm boot [OPTION…] MACHINE[@SNAP]".
std::string usage_line(const Command& command);

}  // namespace hrvm::cli
