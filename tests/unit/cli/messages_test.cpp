#include "cli/messages.hpp"

#include <catch2/catch.hpp>
#include <sstream>

using namespace hrvm;
using base::Error;
using base::ErrorKind;

static std::string printed(const Error& error, bool json = false, bool color = false) {
  std::ostringstream out;
  cli::print_error(out, error, {.color = color, .json = json});
  return out.str();
}

TEST_CASE("an error names its file and offset, once") {
  CHECK(printed(Error(ErrorKind::io, "cannot read /dev/sda")) == "hrvm: error: cannot read /dev/sda\n");
  CHECK(printed(Error(ErrorKind::io, "cannot read /dev/sda").on("/dev/sda")) == "hrvm: error: cannot read /dev/sda\n");
  CHECK(printed(Error(ErrorKind::corrupt, "the header is cut off").on("/x")) ==
        "hrvm: error: the header is cut off (/x)\n");
  CHECK(printed(Error(ErrorKind::corrupt, "the table is cut off").on("/x").at(512).hint("look at it")) ==
        "hrvm: error: the table is cut off (/x at byte 512)\nhint: look at it\n");
  CHECK(printed(Error(ErrorKind::corrupt, "/x is cut off").on("/x").at(512)) ==
        "hrvm: error: /x is cut off (at byte 512)\n");
}

TEST_CASE("an error as JSON is one line with every field") {
  CHECK(printed(Error(ErrorKind::not_found, "no \"web\"").on("/s").hint("hrvm list"), true) ==
        "{\"schema\":\"hrvm.error/1\",\"kind\":\"not_found\",\"message\":\"no \\\"web\\\"\",\"path\":\"/s\","
        "\"offset\":null,\"hint\":\"hrvm list\"}\n");
}

TEST_CASE("only the label of an error is coloured, and what a guest wrote never colours") {
  CHECK(printed(Error(ErrorKind::io, "bad \033[2J"), false, true) == "\033[1;31mhrvm: error:\033[0m bad \\x1b[2J\n");
}
