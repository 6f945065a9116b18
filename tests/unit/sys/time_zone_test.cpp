// Zones of the tz database, and what stands for one that is not there.
#include "hrvm/sys/time_zone.hpp"

#include <catch2/catch.hpp>
#include <cstdlib>

#include "support/failing.hpp"
#include "support/temporary_directory.hpp"
#include "support/test_host.hpp"

using namespace hrvm;
using std::chrono::hours;
using sys::TimeZone;

static base::Time at(std::string_view text) { return *base::parse_time(text); }

TEST_CASE("a zone knows what its clocks are ahead of UTC, at any time") {
  test::TestHost host;
  const TimeZone berlin(host.host(), "Europe/Berlin");
  CHECK(berlin.name() == "Europe/Berlin");
  CHECK(berlin.utc_offset(at("2026-01-01T00:00:00Z")) == hours(1));
  CHECK(berlin.utc_offset(at("2026-07-01T00:00:00Z")) == hours(2));
  CHECK(berlin.utc_offset(at("2026-10-25T00:59:59Z")) == hours(2));
  CHECK(berlin.utc_offset(at("2026-10-25T01:00:00Z")) == hours(1));
  CHECK(berlin.utc_offset(at("2080-07-01T00:00:00Z")) == hours(2));
}

TEST_CASE("the process has its own zone again when a zone has gone") {
  ::setenv("TZ", "UTC0", 1);
  test::TestHost host;
  { const TimeZone berlin(host.host(), "Asia/Tokyo"); }
  CHECK(std::string(std::getenv("TZ")) == "UTC0");
  ::unsetenv("TZ");
  { const TimeZone berlin(host.host(), "Asia/Tokyo"); }
  CHECK(std::getenv("TZ") == nullptr);
}

TEST_CASE("a zone that there is not is wrong usage, and what was meant is told") {
  test::TestHost host;
  for (const auto* name : {"Europe/Berln", "", "..", "../etc/passwd", "/etc/localtime", "Europe", "Europe//Berlin",
                           "tzdata.zi", "Europe/Berlin\n"}) {
    INFO(name);
    const auto error = test::error_of([&] { TimeZone(host.host(), name); });
    CHECK(error.kind() == base::ErrorKind::usage);
    CHECK_FALSE(error.hint().empty());
  }
  CHECK(test::error_of([&] { TimeZone(host.host(), "Europe/Berln"); }).hint() == "did you mean Europe/Berlin?");
}

TEST_CASE("the host's zone is that of TZ, else of the link to it, else UTC") {
  test::TestHost host;
  host.host().environment["TZ"] = "Asia/Tokyo";
  CHECK(TimeZone(host.host()).name() == "Asia/Tokyo");
  host.host().environment["TZ"] = ":Asia/Tokyo";
  CHECK(TimeZone(host.host()).utc_offset(at("2026-01-01T00:00:00Z")) == hours(9));
  host.host().environment["TZ"] = "";
  CHECK(TimeZone(host.host()).name() == "UTC");

  const test::TemporaryDirectory root;
  test::TestHost recorded(root.path());
  recorded.host().environment.erase("TZ");
  CHECK(TimeZone(recorded.host()).name() == "UTC");
  CHECK_FALSE(TimeZone(recorded.host()).missing());
  std::filesystem::create_directories(root.path() / "usr/share/zoneinfo/Asia");
  std::filesystem::create_directories(root.path() / "etc");
  std::filesystem::copy_file("/usr/share/zoneinfo/Asia/Tokyo", root.path() / "usr/share/zoneinfo/Asia/Tokyo");
  std::filesystem::create_symlink("../usr/share/zoneinfo/Asia/Tokyo", root.path() / "etc/localtime");
  CHECK(TimeZone(recorded.host()).name() == "Asia/Tokyo");
  CHECK(TimeZone(recorded.host()).utc_offset(at("2026-01-01T00:00:00Z")) == hours(9));
}

TEST_CASE("where no zones are installed there is UTC, and the one that is missing is named") {
  const test::TemporaryDirectory root;
  test::TestHost rescue(root.path());
  CHECK(TimeZone(rescue.host(), "UTC").utc_offset(at("2026-07-01T00:00:00Z")) == hours(0));
  const auto error = test::error_of([&] { TimeZone(rescue.host(), "Europe/Berlin"); });
  CHECK(error.hint() == "no zones are known here but UTC: apt install tzdata");
  rescue.host().environment["TZ"] = "Europe/Berlin";
  const TimeZone lost(rescue.host());
  CHECK(lost.name() == "UTC");
  CHECK(lost.missing() == "Europe/Berlin");
  CHECK(lost.utc_offset(at("2026-07-01T00:00:00Z")) == hours(0));
}

TEST_CASE("a rule in TZ needs no zones, and a file that is none is not taken for one") {
  const test::TemporaryDirectory root;
  test::TestHost rescue(root.path());
  rescue.host().environment["TZ"] = "CET-1CEST,M3.5.0,M10.5.0/3";
  {
    const TimeZone rule(rescue.host());
    CHECK_FALSE(rule.missing());
    CHECK(rule.utc_offset(at("2026-07-01T00:00:00Z")) == hours(2));
  }
  root.write("usr/share/zoneinfo/Europe/Berlin", "no zone");
  CHECK(test::error_of([&] { TimeZone(rescue.host(), "Europe/Berlin"); }).kind() == base::ErrorKind::usage);
}
