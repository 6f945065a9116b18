#include <fmt/core.h>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/base/time.hpp"
#include "report/human.hpp"
#include "report/rows.hpp"

namespace hrvm::report {

using base::Json;

std::string shown_time(const std::string& rfc3339, Precision precision, const HumanStyle& style) {
  const auto time = base::parse_time(rfc3339);
  if (!time || style.raw_times) return base::printable(rfc3339);
  const auto local = base::format_time(style.utc_offset ? *time + style.utc_offset(*time) : *time);
  return local.substr(0, 10) + " " + local.substr(11, precision == Precision::seconds ? 8 : 5);
}

// The two largest units.
static std::string duration(std::uint64_t seconds) {
  const auto minutes = seconds / 60, hours = minutes / 60, days = hours / 24;
  if (days > 0) return fmt::format("{} d {} h", days, hours % 24);
  if (hours > 0) return fmt::format("{} h {} min", hours, minutes % 60);
  return minutes > 0 ? fmt::format("{} min", minutes) : fmt::format("{} s", seconds);
}

static std::string list_text(const Json& list, Format format, const HumanStyle& style) {
  std::vector<std::string> parts;
  for (const auto& item : list.items()) parts.push_back(shown(item, format, style));
  return base::join(parts, format == Format::lines ? "\n" : ", ");
}

std::string shown(const Json& value, Format format, const HumanStyle& style) {
  if (value.is_null()) return "";
  if (value.is_array()) return list_text(value, format, style);
  if (const auto truth = value.boolean()) return *truth ? "yes" : "no";
  const auto number = value.unsigned_integer();
  if (number && format == Format::bytes) return base::format_bytes(*number);
  if (number && format == Format::duration) return duration(*number);
  const auto text = value.text();
  if (text && format == Format::time) return shown_time(*text, Precision::minutes, style);
  const auto shown = text ? base::printable(*text) : base::to_text(value, -1);
  return style.ascii ? to_ascii(shown) : shown;
}

std::string shown(const Json& object, const Column& column, const HumanStyle& style) {
  auto text = shown(value_at(object, column.path), column.format, style);
  const auto now = column.now.empty() ? std::string() : shown(value_at(object, column.now), column.format, style);
  if (!now.empty() && now != text) text = fmt::format("{} (next boot: {})", now, text.empty() ? "none" : text);
  const auto note = column.note.empty() ? std::string() : shown(value_at(object, column.note), Format::text, style);
  return note.empty() ? text : fmt::format("{} ({})", text, note);
}

}  // namespace hrvm::report
