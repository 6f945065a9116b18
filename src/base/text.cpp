#include "hrvm/base/text.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

namespace hrvm::base {

namespace {

constexpr std::string_view white_space("\0 \t\n\v\f\r", 7);

char lower(char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; }

}  // namespace

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(white_space);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(white_space) - first + 1);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> fields;
  for (;;) {
    const std::size_t end = text.find(separator);
    fields.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return fields;
    text.remove_prefix(end + 1);
  }
}

std::vector<std::string_view> lines(std::string_view text) {
  std::vector<std::string_view> result = split(text, '\n');
  if (result.back().empty()) result.pop_back();
  for (std::string_view& line : result)
    if (line.ends_with('\r')) line.remove_suffix(1);
  return result;
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string result;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) result += separator;
    result += parts[i];
  }
  return result;
}

std::string lower(std::string_view ascii) {
  std::string result(ascii);
  for (char& c : result) c = lower(c);
  return result;
}

bool starts_with_ignoring_case(std::string_view text, std::string_view ascii_prefix) {
  return text.size() >= ascii_prefix.size() && std::equal(ascii_prefix.begin(), ascii_prefix.end(), text.begin(),
                                                          [](char a, char b) { return lower(a) == lower(b); });
}

std::optional<std::uint64_t> parse_unsigned(std::string_view text, int base) {
  std::uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value, base);
  if (result.ec != std::errc{} || result.ptr != end) return std::nullopt;
  return value;
}

std::string hex(std::uint64_t value, unsigned digits) { return fmt::format("{:0{}x}", value, digits); }

}  // namespace hrvm::base
