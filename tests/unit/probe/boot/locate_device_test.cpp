#include "probe/boot/locate_device.hpp"

#include <catch2/catch.hpp>

namespace hrvm::probe {
namespace {

SurveyedPartition partition(unsigned number, const char* partuuid) {
  SurveyedPartition surveyed;
  surveyed.partition.number = number;
  surveyed.partition.partuuid = partuuid;
  return surveyed;
}

Contents two_slots() {
  Contents contents;
  contents.partitions = {partition(2, "0A-02"), partition(3, "0a-03"), partition(4, "0a-04")};
  return contents;
}

std::string located(const char* name) { return locate_device(parse_device_name(name), two_slots()); }

}  // namespace

TEST_CASE("a root named by the partition beside it is that number further on, or nothing") {
  CHECK(located("PARTUUID=0a-02") == "p2");
  CHECK(located("PARTUUID=0a-02/PARTNROFF=1") == "p3");
  CHECK(located("PARTUUID=0a-03/PARTNROFF=-1") == "p2");
  CHECK(located("PARTUUID=0a-04/PARTNROFF=1") == "");
  CHECK(located("PARTUUID=0a-02/PARTNROFF=-4294967295") == "");
  CHECK(located("PARTUUID=0b-02/PARTNROFF=1") == "");
}

TEST_CASE("what is named by its neighbour is the one and not the other") {
  const auto device = parse_device_name("PARTUUID=0a-02/PARTNROFF=1");
  CHECK(is_device("p3", device, two_slots()));
  CHECK_FALSE(is_device("p2", device, two_slots()));
}

}  // namespace hrvm::probe
