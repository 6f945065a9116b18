#include "cli/words/parser.hpp"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "cli/words/lookup.hpp"
#include "cli/words/peers.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"

namespace hrvm::cli {
namespace {

using base::Error;
using base::ErrorKind;
using Options = std::vector<const Option*>;

struct TakenApart {
  Arguments arguments;
  std::vector<std::string> unknown;  // "--memroy"
};

std::string spelling_for_cli11(const Option& option) {
  return option.letter ? fmt::format("-{},{}", option.letter, option.name) : option.name;
}

CLI::Option* declare(CLI::App& app, const Option& option) {
  auto* declared = takes_next_word(option)
                       ? app.add_option(spelling_for_cli11(option), CLI::callback_t([](const auto&) { return true; }))
                       : app.add_flag(spelling_for_cli11(option));
  return declared->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)->allow_extra_args(false);
}

// CLI11 takes the word behind "--name=" as its value: an empty value is made a word of its own.
std::vector<std::string> with_empty_values_apart(const Options& options, const std::vector<std::string>& words) {
  std::vector<std::string> apart;
  for (auto word = words.begin(); word != words.end(); ++word) {
    if (*word == "--") {
      apart.insert(apart.end(), word, words.end());
      break;
    }
    const auto* option = word->ends_with('=') ? find_option(options, word->substr(0, word->size() - 1)) : nullptr;
    if (option && takes_next_word(*option)) {
      apart.insert(apart.end(), {option->name, ""});
    } else {
      apart.push_back(*word);
    }
  }
  return apart;
}

// CLI11 writes "true" for a flag that was given without a value.
void store_flag(Arguments& arguments, const Option& option, const std::string& result) {
  const bool has_value = result != "true";
  if (has_value && !option.value_optional) {
    throw Error(ErrorKind::usage, fmt::format("{} takes no value", option.name));
  }
  arguments.set(option.name, has_value ? result : "");
}

void store(Arguments& arguments, const Option& option, const CLI::Option& declared) {
  for (const auto& result : declared.results()) {
    if (takes_next_word(option)) {
      arguments.set(option.name, result);
    } else {
      store_flag(arguments, option, result);
    }
  }
}

// What CLI11 left over: words before "--" that look like options are unknown, all else are positionals.
void sort_remaining(const std::vector<std::string>& remaining, TakenApart& parts) {
  bool only_positionals = false;
  for (const auto& word : remaining) {
    if (!only_positionals && word == "--") {
      only_positionals = true;
    } else if (!only_positionals && word.size() > 1 && word[0] == '-') {
      parts.unknown.push_back(word);
    } else {
      parts.arguments.add_positional(word);
    }
  }
}

TakenApart take_apart(const Options& options, const std::vector<std::string>& words) {
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  std::vector<CLI::Option*> declared;
  for (const auto* option : options) declared.push_back(declare(app, *option));
  auto reversed = with_empty_values_apart(options, words);
  std::reverse(reversed.begin(), reversed.end());
  try {
    app.parse(std::move(reversed));
  } catch (const CLI::ArgumentMismatch&) {
    // The one mismatch left to CLI11 is a value that is missing at the end of the line.
    throw Error(ErrorKind::usage, fmt::format("{} needs a value", base::printable(words.back())));
  } catch (const CLI::Error& error) {
    throw Error(ErrorKind::usage, error.what());
  }
  TakenApart parts;
  for (std::size_t i = 0; i < options.size(); ++i) store(parts.arguments, *options[i], *declared[i]);
  sort_remaining(app.remaining(), parts);
  return parts;
}

[[noreturn]] void refuse_unknown(const Options& options, const std::string& word, const std::string& command) {
  const auto name = word.substr(0, word.find('='));
  std::vector<std::string> known;
  for (const auto* option : options) known.push_back(option->name);
  const auto meant = base::did_you_mean(name, known);
  throw Error(ErrorKind::usage, fmt::format("unknown option {}", base::printable(name)))
      .hint(meant ? fmt::format("did you mean {}?", *meant)
                  : fmt::format("hrvm {}--help lists the options", command.empty() ? "" : command + " "));
}

// A choice "bridge=IF" stands for every value that begins with "bridge=" and goes on.
bool chosen(const std::string& value, const std::string& choice) {
  const auto equals = choice.find('=');
  if (equals == choice.npos) return value == choice;
  return value.size() > equals + 1 && value.compare(0, equals + 1, choice, 0, equals + 1) == 0;
}

void check_choice(const std::string& name, const std::vector<std::string>& choices, const std::string& value) {
  if (choices.empty()) return;
  if (std::any_of(choices.begin(), choices.end(), [&](const auto& choice) { return chosen(value, choice); })) return;
  const auto meant = base::did_you_mean(value, choices);
  const auto list = base::join(choices, ", ");
  throw Error(ErrorKind::usage, fmt::format("{}: \"{}\" is none of {}", name, base::printable(value), list))
      .hint(meant ? fmt::format("did you mean {}?", *meant) : fmt::format("use one of {}", list));
}

void check_choices(const Options& options, const Arguments& arguments) {
  for (const auto* option : options) {
    for (const auto& value : arguments.values(option->name)) {
      if (!(option->value_optional && value.empty())) check_choice(option->name, option->choices, value);
    }
  }
  if (arguments.has("--json") && arguments.has("--plain")) {
    throw Error(ErrorKind::usage, "--json and --plain exclude each other").hint("give one of the two");
  }
}

bool is_needed(const Positional& positional) {
  return positional.count == Positional::Count::one || positional.count == Positional::Count::some;
}

void check_count(const Command& command, const Arguments& arguments) {
  const auto given = arguments.positionals().size();
  const auto& wanted = command.positionals;
  const bool any = !wanted.empty() && may_repeat(wanted.back());
  if (given < wanted.size() && is_needed(wanted[given])) {
    throw Error(ErrorKind::usage, fmt::format("hrvm {} needs {}", command.name, wanted[given].name))
        .hint("usage: " + usage_line(command));
  }
  if (given > wanted.size() && !any) {
    const auto word = base::printable(arguments.positional(wanted.size()));
    throw Error(ErrorKind::usage, fmt::format("\"{}\" is one argument too many", word))
        .hint("usage: " + usage_line(command));
  }
}

[[noreturn]] void refuse_no_command(const Line& line) {
  if (line.name.empty()) {
    throw Error(ErrorKind::usage, "no command given").hint("hrvm --help lists the commands");
  }
  std::vector<std::string> members;
  for (const auto* command : group_commands(line.name[0])) members.emplace_back(second_word(command->name));
  if (line.name.size() == 1 && !members.empty()) {
    throw Error(ErrorKind::usage, fmt::format("hrvm {} needs one of {}", line.name[0], base::join(members, ", ")))
        .hint(fmt::format("hrvm {} --help tells what they do", line.name[0]));
  }
  const auto name = line.full_name();
  const auto meant = similar_command(name);
  if (auto hint = hint_for_peers_word(name))
    throw Error(ErrorKind::usage, fmt::format("no command \"{}\"", base::printable(name))).hint(*std::move(hint));
  throw Error(ErrorKind::usage, fmt::format("no command \"{}\"", base::printable(name)))
      .hint(meant.empty() ? "hrvm --help lists the commands" : fmt::format("did you mean hrvm {}?", meant));
}

}  // namespace

// What destroys is only guessed at from a slip of one key.
static bool may_be_meant(const std::string& word, const std::string& command) {
  const bool destroys = command == "remove" || command == "reset" || command.starts_with("snapshot delete");
  return !destroys || base::edit_distance(word, command, 1) <= 1;
}

std::string similar_command(const std::string& name) {
  std::vector<std::string> names;
  for (const auto* command : commands()) {
    if (command->hidden) continue;
    if (second_word(command->name) == name) return command->name;
    names.push_back(command->name);
  }
  if (const auto meant = base::did_you_mean(name, names); meant && may_be_meant(name, *meant)) return *meant;
  for (auto& known : names) known = first_word(known);
  const auto meant = base::did_you_mean(first_word(name), names).value_or("");
  return may_be_meant(std::string(first_word(name)), meant) ? meant : "";
}

Invocation parse(const std::vector<std::string>& words) {
  const auto line = split_line(words);
  const auto options = options_of(line.command);
  auto parts = take_apart(options, line.rest);
  Invocation invocation{.command = line.command, .arguments = std::move(parts.arguments)};
  invocation.help = invocation.arguments.has("--help");
  invocation.version = invocation.arguments.has("--version");
  const bool topic_known = line.command || line.name.empty() || (line.name.size() == 1 && is_group(line.name[0]));
  if (topic_known && (invocation.help || invocation.version)) {
    invocation.help_topic = line.full_name();
    return invocation;
  }
  if (!parts.unknown.empty() && topic_known) refuse_unknown(options, parts.unknown[0], line.full_name());
  if (!line.command) refuse_no_command(line);
  check_choices(options, invocation.arguments);
  check_count(*line.command, invocation.arguments);
  return invocation;
}

}  // namespace hrvm::cli
