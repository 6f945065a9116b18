#include <catch2/catch.hpp>

#include "hrvm/base/time.hpp"

using namespace hrvm::base;
using namespace std::string_literals;

TEST_CASE("a time is shown in RFC 3339 and UTC") {
  CHECK(format_time(Time{}) == "1970-01-01T00:00:00Z");
  CHECK(format_time(Time{std::chrono::seconds(1771062067)}) == "2026-02-14T09:41:07Z");
  CHECK(format_time(Time{std::chrono::seconds(-1)}) == "1969-12-31T23:59:59Z");
}

TEST_CASE("what was shown is read back as the same, leap days too") {
  for (const auto text :
       {"2026-02-14T09:41:07Z", "2024-02-29T23:59:59Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"})
    CHECK(format_time(parse_time(text).value()) == text);
}

TEST_CASE("what is no time in UTC is refused") {
  for (const auto text : {"", "2026-02-14", "2026-02-14T09:41:07", "2026-02-14T09:41:07+01:00", "2026-02-14 09:41:07Z",
                          "2026-02-30T00:00:00Z", "2025-02-29T00:00:00Z", "2026-13-01T00:00:00Z",
                          "2026-00-01T00:00:00Z", "2026-02-14T24:00:00Z", "2026-02-14T09:60:07Z",
                          "2026-02-14T09:41:60Z", "2026-02-14T09:41:0xZ", "2026-02-14T09:41:07Zz"})
    CHECK_FALSE(parse_time(text));
}
