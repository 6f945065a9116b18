// How commands speak with the person while they work.
#include <catch2/catch.hpp>

#include "cli/messages.hpp"
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
    } catch (const cli::NothingDone&) {
      said_no = true;
    }
    return std::nullopt;
  }

  test::TestHost host;
  cli::Arguments arguments;
  bool said_no = false;
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
    CHECK(asked.confirm() == std::nullopt);
    CHECK(asked.host.err.str() == "Remove web? [y/N] ");
    return !asked.said_no;
  };
  CHECK(answered("y\n"));
  CHECK(answered(" YES \n"));
  CHECK_FALSE(answered("n\n"));
  CHECK_FALSE(answered("yesterday\n"));
  CHECK_FALSE(answered("\n"));
  CHECK_FALSE(answered(""));
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
