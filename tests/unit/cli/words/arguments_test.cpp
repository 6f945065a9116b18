#include <catch2/catch.hpp>

#include "hrvm/base/error.hpp"
#include "hrvm/cli/command.hpp"

using hrvm::base::Error;
using hrvm::cli::Arguments;

TEST_CASE("an option that was not given has no value") {
  const Arguments none;
  CHECK_FALSE(none.has("--memory"));
  CHECK_FALSE(none.value("--memory"));
  CHECK_FALSE(none.bytes("--memory"));
  CHECK_FALSE(none.number("--cpus"));
  CHECK(none.values("--forward").empty());
}

TEST_CASE("sizes and numbers are read, and what is neither is a usage error that names the option") {
  Arguments arguments;
  arguments.set("--memory", "1.5G");
  arguments.set("--cpus", "4");
  arguments.set("--timeout", "soon");
  CHECK(arguments.bytes("--memory") == 1536ull << 20);
  CHECK(arguments.number("--cpus") == 4);
  CHECK_THROWS_WITH(arguments.number("--timeout"), "--timeout: \"soon\" is no whole number");
  CHECK_THROWS_WITH(arguments.bytes("--timeout"), "--timeout: \"soon\" is no size");
}
