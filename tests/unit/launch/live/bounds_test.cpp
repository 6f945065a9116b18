#include "launch/live/bounds.hpp"

#include <catch2/catch.hpp>

using namespace hrvm;
using launch::bounds_of;

namespace {

sys::FileStatus layer(std::uint64_t size, std::uint64_t allocated) {
  sys::FileStatus status;
  status.size_bytes = size;
  status.allocated_bytes = allocated;
  return status;
}

}  // namespace

TEST_CASE("a layer may grow by the room that there is, which the disks share") {
  CHECK(bounds_of({layer(1000, 1000)}, 500, 0) == std::vector<std::uint64_t>{1500});
  CHECK(bounds_of({layer(1000, 1000), layer(40, 40)}, 500, 0) == std::vector<std::uint64_t>{1250, 290});
}

TEST_CASE("what can be filled without growing is taken off, but not more than half of the room") {
  CHECK(bounds_of({layer(1000, 900)}, 500, 0) == std::vector<std::uint64_t>{1400});
  CHECK(bounds_of({layer(1000, 0)}, 500, 0) == std::vector<std::uint64_t>{1250});
}

TEST_CASE("other files that QEMU writes have their room") {
  CHECK(bounds_of({layer(10, 10)}, 5, 540672) == std::vector<std::uint64_t>{540672});
}
