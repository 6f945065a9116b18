#include <catch2/catch.hpp>
#include <ctime>

#include "hrvm/base/error.hpp"
#include "launch/run/pattern.hpp"

using namespace hrvm;
using launch::Pattern;

TEST_CASE("a pattern is a POSIX extended regular expression") {
  Pattern pattern("^boots=[0-9]+( fw=(bios|uefi))?$");
  CHECK(pattern.matches("boots=12"));
  CHECK(pattern.matches("boots=12 fw=uefi"));
  CHECK_FALSE(pattern.matches("boots=12 fw=none"));
  CHECK_FALSE(pattern.matches(" boots=12"));
}

TEST_CASE("what is no expression is refused with the reason") {
  for (const auto* bad : {"(", "[a", "a{2,1}", "*\\"}) {
    CAPTURE(bad);
    try {
      Pattern pattern{bad};
      FAIL("it was taken");
    } catch (const base::Error& error) {
      CHECK(error.kind() == base::ErrorKind::usage);
      CHECK(error.message().size() > std::string_view(bad).size() + 40);
    }
  }
}

TEST_CASE("back-references are refused, a backslash that stands for itself is not") {
  CHECK_THROWS_AS(Pattern("(a+)\\1"), base::Error);
  CHECK(Pattern("a\\\\1").matches("a\\1"));
}

TEST_CASE("no guest makes matching slow or large") {
  const auto start = std::clock();  // of this process alone: a busy host is not slow matching
  Pattern nested("(a*)*b"), many("(x|y)*x(x|y){12}z");
  std::string line(4096, 'a'), mixed;
  for (unsigned turn = 0, random = 1; turn < 20; ++turn) {
    CHECK_FALSE(nested.matches(line));
    mixed.clear();
    while (mixed.size() < 4096) mixed += ((random = random * 1103515245 + 12345) >> 16) & 1 ? 'x' : 'y';
    CHECK_FALSE(many.matches(mixed));
  }
  CHECK(std::clock() - start < 20 * CLOCKS_PER_SEC);
}
