#include <catch2/catch.hpp>

#include "hrvm/base/guid.hpp"

using namespace hrvm::base;

namespace {

// EFI System, as it lies in a GPT entry.
constexpr std::array<std::uint8_t, 16> esp_on_disk{0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11,
                                                   0xba, 0x4b, 0x00, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b};
constexpr auto esp_text = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b";

}  // namespace

TEST_CASE("a GUID from a GPT has its first three fields little-endian") {
  CHECK(Guid::from_mixed_endian(std::as_bytes(std::span(esp_on_disk))).text() == esp_text);
}

TEST_CASE("a UUID from a filesystem is big-endian throughout") {
  CHECK(Guid::from_big_endian(std::as_bytes(std::span(esp_on_disk))).text() == "28732ac1-1ff8-d211-ba4b-00a0c93ec93b");
}

TEST_CASE("a GUID written to a GPT lies there as it was read") {
  const auto on_disk = std::as_bytes(std::span(esp_on_disk));
  const auto written = Guid::from_mixed_endian(on_disk).to_mixed_endian();
  CHECK(std::equal(written.begin(), written.end(), on_disk.begin()));
}

TEST_CASE("a GUID is read in any case and shown in lower case") {
  CHECK(Guid::parse("C12A7328-F81F-11D2-BA4B-00A0C93EC93B").value().text() == esp_text);
}

TEST_CASE("what is no GUID is refused") {
  for (const auto text : {"", "c12a7328f81f11d2ba4b00a0c93ec93b", "c12a7328-f81f-11d2-ba4b-00a0c93ec93",
                          "{c12a7328-f81f-11d2-ba4b-00a0c93ec93b}", "c12a7328-f81f-11d2-ba4b-00a0c93ec93g",
                          "c12a73280f81f-11d2-ba4b-00a0c93ec93b", "c12a7328-f81f-11d2-ba4b--0a0c93ec93b",
                          "c12a7328-f81f-11d2-ba4b-0-a0c93ec93b"})
    CHECK_FALSE(Guid::parse(text));
}

TEST_CASE("a random GUID is of version 4 and the RFC 4122 variant, and the rest is the entropy") {
  std::array<std::uint8_t, 16> ones, zeros{};
  ones.fill(0xff);
  CHECK(Guid::random(ones).text() == "ffffffff-ffff-4fff-bfff-ffffffffffff");
  CHECK(Guid::random(zeros).text() == "00000000-0000-4000-8000-000000000000");
}

TEST_CASE("only the GUID of sixteen zeros is zero") {
  CHECK(Guid{}.is_zero());
  CHECK_FALSE(Guid::parse(esp_text)->is_zero());
}
