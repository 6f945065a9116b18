#include "cli/words/help_text.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "cli/messages.hpp"
#include "cli/words/lookup.hpp"
#include "cli/words/parser.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"

namespace hrvm::cli {
namespace {

// A term on the left, what it means on the right.
struct Entry {
  std::string term, meaning;
};

// Terms are narrow: what is longer stands on a line of its own, so that one long term does not push all meanings aside.
constexpr std::size_t widest_term = 26;

// Of meanings below their terms, where a terminal has no room beside them.
constexpr std::size_t narrow_indent = 8;

// Columns that `text` takes: the only characters beyond ASCII in our own declarations ("…") are one column wide.
std::size_t width(std::string_view text) {
  return std::size_t(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

std::vector<std::string> wrapped(std::string_view text, std::size_t columns) {
  std::vector<std::string> lines(1);
  for (const auto word : base::split(text, ' ')) {
    if (!lines.back().empty() && width(lines.back()) + 1 + width(word) > columns) lines.emplace_back();
    lines.back() += (lines.back().empty() ? "" : " ") + std::string(word);
  }
  return lines;
}

class Page {
 public:
  explicit Page(const HelpStyle& style) : style_(style) {}

  void paragraph(std::string_view text) {
    for (const auto& line : wrapped(text, style_.columns)) text_ += line + "\n";
  }
  void section(std::string_view title, const std::vector<Entry>& entries) {
    if (entries.empty()) return;
    text_ += fmt::format("\n{}\n", bold(title));
    const auto indent = indentation(entries);
    for (const auto& entry : entries) add(entry, indent);
  }
  void usage(std::string_view line) { text_ += fmt::format("\n{} {}\n", bold("Usage:"), line); }
  void gap() { text_ += "\n"; }
  std::string text() && { return style_.ascii ? report::to_ascii(text_) : std::move(text_); }

 private:
  std::string bold(std::string_view text) const {
    return style_.color ? fmt::format("\033[1m{}\033[0m", text) : std::string(text);
  }
  std::size_t indentation(const std::vector<Entry>& entries) const {
    std::size_t widest = 0;
    for (const auto& entry : entries) {
      if (width(entry.term) <= widest_term) widest = std::max(widest, width(entry.term));
    }
    return widest + 4 <= style_.columns / 2 ? widest + 4 : narrow_indent;
  }
  void add(const Entry& entry, std::size_t indent) {
    text_ += "  " + entry.term;
    auto at = width(entry.term) + 2;
    if (at + 2 > indent && !entry.meaning.empty()) {
      text_ += "\n";
      at = 0;
    }
    for (const auto& line : wrapped(entry.meaning, style_.columns - indent)) {
      text_ += std::string(line.empty() ? 0 : indent - at, ' ') + line + "\n";
      at = 0;
    }
  }

  const HelpStyle& style_;
  std::string text_;
};

std::string term(const Option& option) {
  const auto letter = option.letter ? fmt::format("-{}, ", option.letter) : std::string(4, ' ');
  if (option.value.empty()) return letter + option.name;
  return letter + option.name + (option.value_optional ? fmt::format("[={}]", option.value) : " " + option.value);
}

std::string meaning(const Option& option) {
  auto text = option.help;
  if (!option.choices.empty()) text += ": " + base::join(option.choices, ", ");
  if (option.repeatable) text += " (may be given again)";
  return text;
}

std::vector<Entry> entries(std::span<const Option> options) {
  std::vector<Entry> all;
  for (const auto& option : options) all.push_back({term(option), meaning(option)});
  return all;
}

std::vector<Entry> entries(const std::vector<const Command*>& listed) {
  std::vector<Entry> all;
  for (const auto* command : listed) {
    if (!command->hidden) all.push_back({command->name, command->summary});
  }
  return all;
}

std::vector<Entry> entries(const std::vector<Positional>& positionals) {
  std::vector<Entry> all;
  for (const auto& positional : positionals) all.push_back({usage_word(positional), positional.help});
  return all;
}

std::string tool_help(const HelpStyle& style) {
  Page page(style);
  page.paragraph(
      "hrvm turns an operating system that is installed on a disk into a virtual machine, and never writes to the "
      "disk.");
  page.usage("hrvm [OPTION…] COMMAND [ARGUMENT…]");
  for (const auto& section : sections()) page.section(section.title, entries(section.commands));
  page.section("Options of every command", entries(global_options()));
  page.gap();
  page.paragraph("hrvm COMMAND --help tells what a command takes; man hrvm tells it all.");
  return std::move(page).text();
}

std::string group_help(const std::string& group, const HelpStyle& style) {
  Page page(style);
  page.paragraph(fmt::format("The commands of hrvm {}.", group));
  page.usage(fmt::format("hrvm {} COMMAND [OPTION…] [ARGUMENT…]", group));
  page.section("Commands", entries(group_commands(group)));
  page.gap();
  page.paragraph(fmt::format("hrvm {0} COMMAND --help tells what one takes; man hrvm-{0} tells it all.", group));
  return std::move(page).text();
}

std::string command_help(const Command& command, const HelpStyle& style) {
  Page page(style);
  page.paragraph(fmt::format("hrvm {}: {}.", command.name, command.summary));
  page.usage(usage_line(command));
  page.section("Arguments", entries(command.positionals));
  page.section("Options", entries(command.options));
  page.section("Options of every command", entries(global_options()));
  page.gap();
  page.paragraph(fmt::format("man hrvm-{} tells it all.", first_word(command.name)));
  return std::move(page).text();
}

}  // namespace

HelpStyle help_style(const sys::Host& host, const Arguments& arguments) {
  return {uses_color(host, arguments, Channel::out), std::clamp(host.streams.columns, 30u, 120u), !has_utf8(host)};
}

std::string help_text(const std::string& topic, const HelpStyle& style) {
  if (topic.empty()) return tool_help(style);
  if (const auto* command = find_command(topic)) return command_help(*command, style);
  if (is_group(topic)) return group_help(topic, style);
  const auto meant = similar_command(topic);
  throw base::Error(base::ErrorKind::usage, fmt::format("no command \"{}\"", base::printable(topic)))
      .hint(meant.empty() ? "hrvm --help lists the commands" : fmt::format("did you mean hrvm help {}?", meant));
}

}  // namespace hrvm::cli
