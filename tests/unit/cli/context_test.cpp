// How commands speak with the person while they work.
#include <catch2/catch.hpp>

#include "hrvm/base/error.hpp"
#include "hrvm/cli/command.hpp"
#include "support/test_host.hpp"

using namespace hrvm;
using base::Error;
using base::ErrorKind;

class Asked {
 public:
  explicit Asked(std::initializer_list<const char*> options = {}) {
    for (const auto* option : options) arguments.set(option, "");
  }
  // The kind of error that asking ends in; nullopt for a yes.
  std::optional<ErrorKind> confirm() {
    const cli::Context context{.host = host.host(), .arguments = arguments};
    try {
      context.confirm("Remove web?");
    } catch (const Error& error) {
      return error.kind();
    }
    return std::nullopt;
  }

  test::TestHost host;
  cli::Arguments arguments;
};

TEST_CASE("without a terminal nothing is asked, and nothing done without --yes") {
  Asked asked;
  asked.host.type("y\n");
  CHECK(asked.confirm() == ErrorKind::usage);
  CHECK(asked.host.err.str().empty());
  CHECK(Asked({"--yes"}).confirm() == std::nullopt);
}

TEST_CASE("on a terminal only yes is yes") {
  const auto answered = [](const std::string& answer) {
    Asked asked;
    asked.host.use_terminal();
    asked.host.type(answer);
    const auto end = asked.confirm();
    CHECK(asked.host.err.str() == "Remove web? [y/N] ");
    return end;
  };
  CHECK(answered("y\n") == std::nullopt);
  CHECK(answered(" YES \n") == std::nullopt);
  CHECK(answered("n\n") == ErrorKind::refused);
  CHECK(answered("yesterday\n") == ErrorKind::refused);
  CHECK(answered("\n") == ErrorKind::refused);
  CHECK(answered("") == ErrorKind::refused);
}

TEST_CASE("warnings and hints go to stderr, unless they are not wanted") {
  Asked asked;
  const cli::Context talking{.host = asked.host.host(), .arguments = asked.arguments};
  talking.warn("the disk is \033[31mred\nand round");
  talking.hint("paint it");
  CHECK(asked.host.err.str() == "hrvm: warning: the disk is \\x1b[31mred\n  and round\nhint: paint it\n");
  CHECK(asked.host.out.str().empty());
  asked.host.forget();
  const cli::Context silent{.host = asked.host.host(), .arguments = asked.arguments, .quiet = true};
  silent.warn("the disk is red");
  silent.hint("paint it");
  CHECK(asked.host.err.str().empty());
}
