#include "cli/words/lookup.hpp"

#include <algorithm>

#include "hrvm/base/text.hpp"

namespace hrvm::cli {

std::string Line::full_name() const { return base::join(name, " "); }

std::string_view first_word(std::string_view name) { return name.substr(0, name.find(' ')); }

std::string_view second_word(std::string_view name) {
  const auto space = name.find(' ');
  return space == name.npos ? std::string_view{} : name.substr(space + 1);
}

const Command* find_command(std::string_view name) {
  const auto all = commands();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const Command* command) { return command->name == name; });
  return found == all.end() ? nullptr : *found;
}

std::vector<const Command*> group_commands(std::string_view group) {
  std::vector<const Command*> members;
  for (const auto* command : commands()) {
    if (!command->hidden && first_word(command->name) == group && !second_word(command->name).empty()) {
      members.push_back(command);
    }
  }
  return members;
}

bool is_group(std::string_view word) { return !group_commands(word).empty(); }

std::vector<const Option*> options_of(const Command* command) {
  std::vector<const Option*> all;
  if (command) {
    for (const auto& option : command->options) all.push_back(&option);
  }
  for (const auto& option : global_options()) all.push_back(&option);
  return all;
}

const Option* find_option(const std::vector<const Option*>& options, std::string_view spelling) {
  const auto matches = [&](const Option* option) {
    return option->name == spelling || (spelling.size() == 2 && option->letter && spelling[1] == option->letter);
  };
  const auto found = std::find_if(options.begin(), options.end(), matches);
  return found == options.end() ? nullptr : *found;
}

bool takes_next_word(const Option& option) { return !option.value.empty() && !option.value_optional; }

// Whether `word` is the command's name or its next part: after a group's word one more is wanted.
static bool wants_another_word(const Line& line) {
  return line.name.empty() || (line.name.size() == 1 && !find_command(line.name[0]) && is_group(line.name[0]));
}

Line split_line(const std::vector<std::string>& words) {
  const auto globals = options_of(nullptr);
  Line line;
  std::size_t i = 0;
  for (; i < words.size() && wants_another_word(line); ++i) {
    if (words[i] == "--") break;
    if (!words[i].starts_with('-')) {
      line.name.push_back(words[i]);
      continue;
    }
    line.rest.push_back(words[i]);
    const auto* option = find_option(globals, words[i]);
    if (option && takes_next_word(*option) && i + 1 < words.size()) line.rest.push_back(words[++i]);
  }
  line.rest.insert(line.rest.end(), words.begin() + std::ptrdiff_t(i), words.end());
  line.command = find_command(line.full_name());
  return line;
}

bool may_repeat(const Positional& positional) {
  return positional.count == Positional::Count::some || positional.count == Positional::Count::any;
}

std::string usage_word(const Positional& positional) {
  switch (positional.count) {
    case Positional::Count::one:
      return positional.name;
    case Positional::Count::optional:
      return "[" + positional.name + "]";
    case Positional::Count::some:
      return positional.name + "…";
    case Positional::Count::any:
      return "[" + positional.name + "…]";
  }
  return {};
}

std::string usage_line(const Command& command) {
  std::string line = "hrvm " + command.name + " [OPTION…]";
  for (const auto& positional : command.positionals) line += " " + usage_word(positional);
  return line;
}

}  // namespace hrvm::cli
