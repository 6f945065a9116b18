#include "hrvm/launch/guard.hpp"

#include <catch2/catch.hpp>

#include "support/temporary_directory.hpp"

using namespace hrvm;
using launch::GuardReport;

TEST_CASE("a layer that does not grow is never full, however little room there is") {
  CHECK_FALSE(GuardReport{}.seconds_to_full());
  CHECK_FALSE((GuardReport{false, 1000, 0}.seconds_to_full()));
  CHECK_FALSE((GuardReport{true, 0, 0}.seconds_to_full()));
}

TEST_CASE("a layer that grows is full once its room is used up") {
  CHECK((GuardReport{false, 1000, 10}.seconds_to_full()) == 100);
  CHECK((GuardReport{true, 0, 10}.seconds_to_full()) == 0);
}

TEST_CASE("a guard's report is read back, and a damaged one is none") {
  const test::TemporaryDirectory folder;
  CHECK_FALSE(launch::guard_report(folder.path()));
  folder.write("guard.json", R"({"paused":true,"room_bytes":5,"bytes_per_second":7})");
  CHECK(launch::guard_report(folder.path()) == GuardReport{true, 5, 7});
  folder.write("guard.json", "{");
  CHECK_FALSE(launch::guard_report(folder.path()));
}
