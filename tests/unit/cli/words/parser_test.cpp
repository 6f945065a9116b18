#include "cli/words/parser.hpp"

#include <catch2/catch.hpp>

#include "cli/words/lookup.hpp"
#include "hrvm/base/error.hpp"

using namespace hrvm::cli;
using hrvm::base::Error;
using hrvm::base::ErrorKind;

// The message and hint of the usage error that these words are.
static std::pair<std::string, std::string> refusal(const std::vector<std::string>& words) {
  try {
    parse(words);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::usage);
    return {error.message(), error.hint()};
  }
  FAIL("the words were accepted");
  return {};
}

TEST_CASE("global options stand before or after the command") {
  for (const auto& words : {std::vector<std::string>{"--store", "/s", "-q", "completion", "bash"},
                            std::vector<std::string>{"completion", "--store=/s", "bash", "--quiet"},
                            std::vector<std::string>{"completion", "bash", "-q", "--store", "/s"}}) {
    const auto invocation = parse(words);
    REQUIRE(invocation.command);
    CHECK(invocation.command->name == "completion");
    CHECK(invocation.arguments.value("--store") == "/s");
    CHECK(invocation.arguments.has("--quiet"));
    CHECK(invocation.arguments.positionals() == std::vector<std::string>{"bash"});
  }
}

TEST_CASE("an option's value may be empty, or look like an option") {
  CHECK(parse({"completion", "bash", "--store="}).arguments.value("--store") == "");
  CHECK(parse({"completion", "--store=", "bash"}).arguments.positional(0) == "bash");
  CHECK(parse({"completion", "bash", "--store", "-x"}).arguments.value("--store") == "-x");
}

TEST_CASE("of an option that is given twice the last one counts") {
  const auto invocation = parse({"--store", "/a", "completion", "bash", "--store", "/b"});
  CHECK(invocation.arguments.value("--store") == "/b");
  CHECK(invocation.arguments.values("--store") == std::vector<std::string>{"/a", "/b"});
}

TEST_CASE("short flags may be joined") {
  const auto invocation = parse({"completion", "-qv", "bash"});
  CHECK(invocation.arguments.has("--quiet"));
  CHECK(invocation.arguments.has("--verbose"));
}

TEST_CASE("behind -- everything is an argument") {
  const auto invocation = parse({"__complete", "--", "boot", "--json", "--", ""});
  CHECK_FALSE(invocation.arguments.has("--json"));
  CHECK(invocation.arguments.positionals() == std::vector<std::string>{"boot", "--json", "--", ""});
}

TEST_CASE("brackets and commas in an argument are left alone") {
  CHECK(parse({"completion", "[a,b]"}).arguments.positional(0) == "[a,b]");
  CHECK(parse({"completion", "x", "--store", "[a,b]"}).arguments.value("--store") == "[a,b]");
}

TEST_CASE("what is misspelt is answered with what was probably meant") {
  CHECK(refusal({"complition"}) ==
        std::pair<std::string, std::string>{"no command \"complition\"", "did you mean hrvm completion?"});
  CHECK(refusal({"completion", "--jsno", "bash"}) ==
        std::pair<std::string, std::string>{"unknown option --jsno", "did you mean --json?"});
  CHECK(refusal({"completion", "bash", "--color", "alway"}).second == "did you mean always?");
}

TEST_CASE("an unknown option is reported although its value looks like an argument") {
  CHECK(refusal({"completion", "--stoer", "/s", "bash"}).first == "unknown option --stoer");
  CHECK(refusal({"completion", "-Z", "bash"}).first == "unknown option -Z");
}

TEST_CASE("missing and superfluous words are named, with the usage") {
  CHECK(refusal({}).first == "no command given");
  CHECK(refusal({"completion"}) ==
        std::pair<std::string, std::string>{"hrvm completion needs SHELL", "usage: hrvm completion [OPTION…] SHELL"});
  CHECK(refusal({"completion", "bash", "zsh"}).first == "\"zsh\" is one argument too many");
  CHECK(refusal({"completion", "bash", "--store"}).first == "--store needs a value");
  CHECK(refusal({"completion", "bash", "--quiet=yes"}).first == "--quiet takes no value");
  CHECK(refusal({"completion", "bash", "--json", "--plain"}).first == "--json and --plain exclude each other");
}

TEST_CASE("control characters in words do not reach the terminal") {
  CHECK(refusal({"\033[2J"}).first == "no command \"\\x1b[2J\"");
}

TEST_CASE("help is given whatever else is wrong with the words") {
  const auto invocation = parse({"completion", "--nonsense", "--help"});
  CHECK(invocation.help);
  CHECK(invocation.help_topic == "completion");
  CHECK(parse({"-h"}).help_topic.empty());
  CHECK(parse({"--version"}).version);
}

TEST_CASE("help for a command that is not there is an error") {
  CHECK(refusal({"complition", "--help"}).second == "did you mean hrvm completion?");
}

TEST_CASE("every command can be looked up by its name, and runs") {
  for (const auto* command : commands()) {
    CHECK(find_command(command->name) == command);
    CHECK(command->run != nullptr);
    CHECK_FALSE(command->summary.empty());
    CHECK_FALSE(command->summary.ends_with('.'));
  }
}

TEST_CASE("no command declares an option twice, nor one that every command has") {
  for (const auto* command : commands()) {
    const auto options = options_of(command);
    for (std::size_t i = 0; i < options.size(); ++i) {
      for (std::size_t j = i + 1; j < options.size(); ++j) {
        INFO(command->name << " " << options[i]->name);
        CHECK(options[i]->name != options[j]->name);
        CHECK((options[i]->letter == 0 || options[i]->letter != options[j]->letter));
      }
    }
  }
}

TEST_CASE("only the last positional may be optional or repeated") {
  for (const auto* command : commands()) {
    for (std::size_t i = 0; i + 1 < command->positionals.size(); ++i) {
      INFO(command->name);
      CHECK(command->positionals[i].count == Positional::Count::one);
    }
  }
}
