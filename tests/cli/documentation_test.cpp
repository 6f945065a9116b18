// Nothing is undocumented, and nothing is documented that is not there.
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <vector>

#include "hrvm/cli/command.hpp"
#include "hrvm/machine/change.hpp"
#include "hrvm/machine/settings.hpp"

using hrvm::cli::Command;
using hrvm::cli::commands;
using hrvm::cli::global_options;
using hrvm::cli::Option;

static std::string read(const std::filesystem::path& file) {
  std::ifstream in(file);
  INFO(file.string());
  REQUIRE(in);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

static std::string first_word(const Command& command) { return command.name.substr(0, command.name.find(' ')); }

static std::string page(const std::string& name) { return read(HRVM_SOURCE_DIR "/man/" + name + ".1.scd"); }

static bool documents(const std::string& text, const Option& option) {
  const bool name = text.find("*" + option.name + "*") != text.npos;
  return name && (option.letter == 0 || text.find(std::string("*-") + option.letter + "*") != text.npos);
}

// The options that a page sets in bold: "*--store* _DIR_".
static std::set<std::string> documented_options(const std::string& text) {
  std::set<std::string> found;
  for (auto at = text.find("*--"); at != text.npos; at = text.find("*--", at + 1)) {
    found.insert(text.substr(at + 1, text.find('*', at + 1) - at - 1));
  }
  return found;
}

// What a page says of each option in its section OPTIONS: from the line that names it to the next that does, on one
// line.
static std::map<std::string, std::string> option_texts(const std::string& page) {
  std::map<std::string, std::string> texts;
  std::istringstream lines(page);
  std::vector<std::string> named;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("*-")) {
      const auto options = documented_options(line);
      named.assign(options.begin(), options.end());
    } else if (line.starts_with("# ")) {
      named.clear();
    }
    for (const auto& name : named) texts[name] += line + " ";
  }
  return texts;
}

// The verbs a text is of: "*info*, *map*: reads FILE as …; *compare*: the same for ONE. *convert* writes …" is of info,
// map and compare.
static std::set<std::string> verbs_of(const std::string& text, const std::set<std::string>& verbs) {
  std::set<std::string> found;
  for (auto colon = text.find(": "); colon != text.npos; colon = text.find(": ", colon + 1)) {
    const auto before = text.substr(0, colon);
    const auto sentence = before.substr(std::max(before.rfind(". ") + 1, before.rfind("; ") + 1));
    for (const auto& verb : verbs)
      if (sentence.find("*" + verb + "*") != sentence.npos) found.insert(verb);
  }
  return found;
}

TEST_CASE("every option of every command is in its man page") {
  for (const auto* command : commands()) {
    if (command->hidden) continue;
    const auto text = page("hrvm-" + first_word(*command));
    for (const auto& option : command->options) {
      INFO("hrvm " << command->name << " " << option.name);
      CHECK(documents(text, option));
    }
  }
}

TEST_CASE("everything that can be set is in hrvm-set(1)") {
  const auto text = page("hrvm-set");
  for (const auto& kind : hrvm::machine::setting_kinds()) {
    INFO(kind.key);
    CHECK(text.find("\n*" + std::string(kind.key) + "*\n") != text.npos);
  }
}

TEST_CASE("every member of a definition that is a setting of the hardware is in hrvm-machine(5)") {
  const auto text = read(HRVM_SOURCE_DIR "/man/hrvm-machine.5.scd");
  for (const auto& setting : hrvm::machine::hardware_settings()) {
    INFO(setting.member);
    CHECK(text.find("*" + std::string(setting.member) + "*") != text.npos);
  }
}

TEST_CASE("a page of several commands says of each option which of them take it, where not all do") {
  std::map<std::string, std::set<std::string>> verbs;
  std::map<std::string, std::map<std::string, std::set<std::string>>> takers;
  for (const auto* command : commands()) {
    const auto space = command->name.find(' ');
    if (command->hidden || space == command->name.npos) continue;
    const auto verb = command->name.substr(space + 1);
    verbs[first_word(*command)].insert(verb);
    for (const auto& option : command->options) takers[first_word(*command)][option.name].insert(verb);
  }
  REQUIRE(verbs.size() >= 2);
  for (const auto& [word, options] : takers) {
    const auto texts = option_texts(page("hrvm-" + word));
    for (const auto& [option, taken_by] : options) {
      INFO("hrvm " << word << ", " << option);
      REQUIRE(texts.contains(option));
      const auto named = verbs_of(texts.at(option), verbs[word]);
      CHECK((named.empty() ? verbs[word] : named) == taken_by);
    }
  }
}

TEST_CASE("every command's words are in its man page's synopsis") {
  for (const auto* command : commands()) {
    if (command->hidden) continue;
    INFO("hrvm " << command->name);
    CHECK(page("hrvm-" + first_word(*command)).find("*hrvm " + command->name + "*") != std::string::npos);
  }
}

TEST_CASE("every command and every global option is in hrvm(1)") {
  const auto text = page("hrvm");
  for (const auto* command : commands()) {
    INFO("hrvm " << command->name);
    CHECK((text.find("*" + command->name + "*") != text.npos) != command->hidden);
  }
  for (const auto& option : global_options()) {
    INFO(option.name);
    CHECK(documents(text, option));
  }
}

// The options that a page may set in bold: those of the commands that it is of, and those that all have; a page that is
// of no command may name any.
static std::set<std::string> options_of_page(const std::string& stem) {
  std::set<std::string> known;
  for (const auto& option : global_options()) known.insert(option.name);
  const auto is_of_page = [&](const Command* command) { return stem == "hrvm-" + first_word(*command) + ".1"; };
  const bool any = std::ranges::none_of(commands(), is_of_page);
  for (const auto* command : commands()) {
    if (!any && !is_of_page(command)) continue;
    for (const auto& option : command->options) known.insert(option.name);
  }
  return known;
}

TEST_CASE("no man page sets an option in bold that its commands do not have") {
  for (const auto& entry : std::filesystem::directory_iterator(HRVM_SOURCE_DIR "/man")) {
    const auto known = options_of_page(entry.path().stem());
    for (const auto& option : documented_options(read(entry.path()))) {
      INFO(entry.path().string() << ": " << option);
      CHECK(known.contains(option));
    }
  }
}

TEST_CASE("completion shims are at most 40 lines") {
  for (const auto* name : {"hrvm.bash", "_hrvm", "hrvm.fish"}) {
    const auto text = read(std::string(HRVM_SOURCE_DIR "/completions/") + name);
    INFO(name);
    CHECK(std::count(text.begin(), text.end(), '\n') <= 40);
  }
}
