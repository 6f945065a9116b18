#include "hrvm/base/time.hpp"

#include <fmt/core.h>

#include "hrvm/base/text.hpp"

namespace hrvm::base {

namespace {

// The fields of "YYYY-MM-DDTHH:MM:SSZ": where each starts, and its length.
struct Field {
  std::size_t offset, length;
};
constexpr Field year_field{0, 4}, month_field{5, 2}, day_field{8, 2}, hour_field{11, 2}, minute_field{14, 2},
    second_field{17, 2};

bool has_shape(std::string_view text) {
  constexpr std::string_view shape = "dddd-dd-ddTdd:dd:ddZ";
  if (text.size() != shape.size()) return false;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (shape[i] == 'd' ? !digit : text[i] != shape[i]) return false;
  }
  return true;
}

unsigned value_of(std::string_view text, Field field) {
  return unsigned(parse_unsigned(text.substr(field.offset, field.length)).value());
}

}  // namespace

std::string format_time(Time time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", int(date.year()), unsigned(date.month()),
                     unsigned(date.day()), clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

std::optional<Time> parse_time(std::string_view text) {
  if (!has_shape(text)) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(int(value_of(text, year_field))),
                                         std::chrono::month(value_of(text, month_field)),
                                         std::chrono::day(value_of(text, day_field))};
  const unsigned hour = value_of(text, hour_field);
  const unsigned minute = value_of(text, minute_field);
  const unsigned second = value_of(text, second_field);
  if (!date.ok() || hour > 23 || minute > 59 || second > 59) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
         std::chrono::seconds(second);
}

}  // namespace hrvm::base
