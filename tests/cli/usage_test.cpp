// What a person sees who asks for help, or types something wrong.
#include <algorithm>
#include <catch2/catch.hpp>

#include "cli/golden.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/cli/command.hpp"

using namespace hrvm;
using test::TestHost;
using test::Transcript;

TEST_CASE("--help lists every command that is not hidden") {
  TestHost host;
  REQUIRE(cli::run(host.host(), {"--help"}) == 0);
  for (const auto* command : cli::commands()) {
    INFO(command->name);
    CHECK((host.out.str().find("\n  " + command->name + " ") != std::string::npos) != command->hidden);
  }
}

TEST_CASE("help for a command shows its words, its options and those of every command") {
  TestHost host;
  Transcript transcript(host, "help/completion");
  transcript.run({"completion", "--help"});
  const auto by_option = host.out.str();
  transcript.run({"help", "nonsense"});
  transcript.check();
  host.forget();
  REQUIRE(cli::run(host.host(), {"help", "completion"}) == 0);
  CHECK(host.out.str() == by_option);
}

TEST_CASE("no line of help is wider than the terminal") {
  TestHost host;
  host.use_terminal(72);
  for (const auto* command : cli::commands()) {
    host.forget();
    REQUIRE(cli::run(host.host(), {"--color=never", "help", command->name}) == 0);
    const auto text = host.out.str();
    for (const auto line : base::lines(text)) {
      const auto columns = std::count_if(line.begin(), line.end(), [](char c) { return (c & 0xc0) != 0x80; });
      INFO(line);
      CHECK(columns <= 72);
    }
  }
}

TEST_CASE("wrong usage is one message, a hint, and exit 2") {
  TestHost host;
  Transcript transcript(host, "help/wrong_usage");
  transcript.run({});
  transcript.run({"complition", "bash"});
  transcript.run({"completion"});
  transcript.run({"completion", "bash", "zsh"});
  transcript.run({"completion", "bash", "--jsno"});
  transcript.run({"--json", "complition"});
  transcript.check();
}

TEST_CASE("colours are for terminals, and for who asks") {
  TestHost host;
  const auto colored = [&](const std::vector<std::string>& words) {
    host.forget();
    REQUIRE(cli::run(host.host(), words) == 0);
    return host.out.str().find('\033') != std::string::npos;
  };
  CHECK_FALSE(colored({"help"}));
  CHECK(colored({"help", "--color=always"}));
  host.use_terminal();
  host.host().environment["TERM"] = "xterm";
  CHECK(colored({"help"}));
  CHECK_FALSE(colored({"help", "--color", "never"}));
  host.host().environment["NO_COLOR"] = "1";
  CHECK_FALSE(colored({"help"}));
  CHECK(colored({"help", "--color=always"}));
}

TEST_CASE("a standard output that cannot be written is a failure") {
  TestHost host;
  host.out.setstate(std::ios::badbit);
  CHECK(cli::run(host.host(), {"--version"}) == 1);
  CHECK(host.err.str().find("cannot write standard output") != std::string::npos);
}

TEST_CASE("a recorded machine must be there") {
  TestHost host;
  CHECK(cli::run(host.host(), {"--root", "/nonexistent", "help"}) == 1);
  CHECK(host.err.str() == "hrvm: error: --root: there is no such folder (/nonexistent)\n");
}
