#include "hrvm/base/byte_size.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

#include "hrvm/base/text.hpp"

namespace hrvm::base {

namespace {

constexpr std::string_view unit_letters = "BKMGTPE";

std::uint64_t tenths_of(std::uint64_t bytes, std::uint64_t unit) {
  return bytes / unit * 10 + (bytes % unit * 10 + unit / 2) / unit;
}

// The unit that "K", "MB" or "GiB" names.
std::optional<std::uint64_t> parse_unit(std::string_view text) {
  if (text.empty()) return 1;
  const std::size_t power = unit_letters.substr(0, 6).find(lower(text)[0] - 'a' + 'A');
  if (power == std::string_view::npos) return std::nullopt;
  const std::string_view rest = text.substr(1);
  if (!rest.empty() && (power == 0 || (rest != "iB" && rest != "B"))) return std::nullopt;
  return std::uint64_t{1} << (10 * power);
}

bool is_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// `digits` are what stands behind the point; the result is cut to whole bytes, as in QEMU.
std::uint64_t fraction_of(std::string_view digits, std::uint64_t unit) {
  double fraction = 0;
  const std::string text = fmt::format("0.{}", digits);
  std::from_chars(text.data(), text.data() + text.size(), fraction);
  return std::uint64_t(fraction * double(unit));
}

}  // namespace

std::string format_bytes(std::uint64_t bytes) {
  if (bytes < KiB) return fmt::format("{} B", bytes);
  std::size_t power = 1;
  // Rounding can reach the next unit: 1048575 bytes are 1 MiB, not 1024 KiB.
  while (power + 1 < unit_letters.size() && tenths_of(bytes, std::uint64_t{1} << (10 * power)) >= 10240) ++power;
  const std::uint64_t tenths = tenths_of(bytes, std::uint64_t{1} << (10 * power));
  const char letter = unit_letters[power];
  if (tenths % 10 == 0) return fmt::format("{} {}iB", tenths / 10, letter);
  return fmt::format("{}.{} {}iB", tenths / 10, tenths % 10, letter);
}

std::optional<std::uint64_t> parse_bytes(std::string_view text) {
  constexpr std::uint64_t limit = std::uint64_t{1} << 63;
  const std::size_t end = std::min(text.find_first_not_of("0123456789."), text.size());
  const std::optional<std::uint64_t> unit = parse_unit(text.substr(end));
  const std::vector<std::string_view> number = split(text.substr(0, end), '.');
  const std::optional<std::uint64_t> whole = parse_unsigned(number[0]);
  if (!unit || !whole || *whole > limit / *unit) return std::nullopt;
  if (number.size() == 1) return *whole * *unit;
  if (number.size() > 2 || !is_digits(number[1]) || *unit == 1) return std::nullopt;
  const std::uint64_t bytes = *whole * *unit + fraction_of(number[1], *unit);
  return bytes <= limit ? std::optional(bytes) : std::nullopt;
}

}  // namespace hrvm::base
