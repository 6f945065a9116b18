// Nothing is undocumented, and nothing is documented that is not there.
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

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

TEST_CASE("no man page sets an option in bold that hrvm does not have") {
  std::set<std::string> known;
  for (const auto& option : global_options()) known.insert(option.name);
  for (const auto* command : commands()) {
    for (const auto& option : command->options) known.insert(option.name);
  }
  for (const auto& entry : std::filesystem::directory_iterator(HRVM_SOURCE_DIR "/man")) {
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
