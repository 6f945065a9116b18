#include <catch2/catch.hpp>

#include "hrvm/base/byte_size.hpp"

using namespace hrvm::base;

TEST_CASE("sizes are shown in binary units with at most one decimal") {
  CHECK(format_bytes(0) == "0 B");
  CHECK(format_bytes(1023) == "1023 B");
  CHECK(format_bytes(1024) == "1 KiB");
  CHECK(format_bytes(1536) == "1.5 KiB");
  CHECK(format_bytes(256060514304) == "238.5 GiB");
  CHECK(format_bytes(std::uint64_t{3} << 40) == "3 TiB");
}

TEST_CASE("rounding up reaches the next unit instead of 1024 of one") {
  CHECK(format_bytes(1048575) == "1 MiB");
  CHECK(format_bytes(1023 * KiB) == "1023 KiB");
  CHECK(format_bytes(GiB - 1) == "1 GiB");
}

TEST_CASE("the largest size there is can be shown") { CHECK(format_bytes(UINT64_MAX) == "16 EiB"); }

TEST_CASE("a size is read with or without a unit, and every unit is a power of 1024") {
  CHECK(parse_bytes("0") == 0u);
  CHECK(parse_bytes("512") == 512u);
  CHECK(parse_bytes("512B") == 512u);
  CHECK(parse_bytes("512M") == 512 * MiB);
  CHECK(parse_bytes("512m") == 512 * MiB);
  CHECK(parse_bytes("4GiB") == 4 * GiB);
  CHECK(parse_bytes("4GB") == 4 * GiB);
  CHECK(parse_bytes("2P") == 2048 * TiB);
}

TEST_CASE("a fraction of a unit is a size, a fraction of a byte is not") {
  CHECK(parse_bytes("1.5T") == 3 * TiB / 2);
  CHECK(parse_bytes("0.1K") == 102u);
  CHECK_FALSE(parse_bytes("1.5"));
  CHECK_FALSE(parse_bytes("1.5B"));
}

TEST_CASE("what is no size is refused") {
  for (const auto text : {"", "G", ".5G", "1.G", "1.2.3G", "-1", "-1G", "+1", "1 G", "1X", "1iB", "1GiBs", "1Bi", "1E",
                          "0x10", "1e3", "G1", " 1"})
    CHECK_FALSE(parse_bytes(text));
}

TEST_CASE("a size may be 2^63 bytes and not more") {
  CHECK(parse_bytes("9223372036854775808") == std::uint64_t{1} << 63);
  CHECK_FALSE(parse_bytes("9223372036854775809"));
  CHECK(parse_bytes("8192P") == std::uint64_t{1} << 63);
  CHECK_FALSE(parse_bytes("8193P"));
  CHECK_FALSE(parse_bytes("8192.5P"));
  CHECK_FALSE(parse_bytes("99999999999999999999P"));
}

TEST_CASE("what was shown exactly is read back as the same") {
  for (const std::uint64_t bytes : {std::uint64_t{7}, 1536 * KiB, 64 * MiB, 238 * GiB + GiB / 2, 20 * TiB}) {
    std::string text = format_bytes(bytes);
    std::erase(text, ' ');
    CHECK(parse_bytes(text) == bytes);
  }
}

TEST_CASE("rounding goes to multiples and leaves multiples alone") {
  CHECK(round_up(1, 4096) == 4096);
  CHECK(round_up(4096, 4096) == 4096);
  CHECK(round_down(4097, 4096) == 4096);
  CHECK(round_down(4095, 4096) == 0);
}
