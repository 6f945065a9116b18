#include <catch2/catch.hpp>

#include "hrvm/base/endian.hpp"

using namespace hrvm::base;

namespace {

struct Record {
  be16 big;
  le32 little;
};
static_assert(sizeof(Record) == 6);

}  // namespace

TEST_CASE("integers on disk are read in their own order from any offset") {
  const std::array<std::uint8_t, 7> bytes{0xff, 0x12, 0x34, 0x78, 0x56, 0x34, 0x12};
  const auto record = load<Record>(std::as_bytes(std::span(bytes)), 1);
  CHECK(record.big == 0x1234);
  CHECK(record.little == 0x12345678u);
}

TEST_CASE("what is stored is loaded again, and its neighbours stay") {
  std::array<std::byte, 10> bytes{};
  store(bytes, 1, be64(0x0102030405060708));
  CHECK(bytes[0] == std::byte{0});
  CHECK(bytes[1] == std::byte{1});
  CHECK(bytes[8] == std::byte{8});
  CHECK(bytes[9] == std::byte{0});
  CHECK(load<be64>(bytes, 1) == 0x0102030405060708u);
  CHECK(load<le64>(bytes, 1) == 0x0807060504030201u);
}
