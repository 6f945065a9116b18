#include <fmt/core.h>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/base/time.hpp"
#include "report/human.hpp"
#include "report/rows.hpp"

namespace hrvm::report {

using base::Json;

static std::string minutes(const std::string& rfc3339) {
  if (!base::parse_time(rfc3339)) return base::printable(rfc3339);
  return rfc3339.substr(0, 10) + " " + rfc3339.substr(11, 5);
}

// The two largest units.
static std::string duration(std::uint64_t seconds) {
  const auto minutes = seconds / 60, hours = minutes / 60, days = hours / 24;
  if (days > 0) return fmt::format("{} d {} h", days, hours % 24);
  if (hours > 0) return fmt::format("{} h {} min", hours, minutes % 60);
  return minutes > 0 ? fmt::format("{} min", minutes) : fmt::format("{} s", seconds);
}

static std::string list_text(const Json& list, Format format) {
  std::vector<std::string> parts;
  for (const auto& item : list.items()) parts.push_back(shown(item, format));
  return base::join(parts, format == Format::lines ? "\n" : ", ");
}

std::string shown(const Json& value, Format format) {
  if (value.is_null()) return "";
  if (value.is_array()) return list_text(value, format);
  if (const auto truth = value.boolean()) return *truth ? "yes" : "no";
  const auto number = value.unsigned_integer();
  if (number && format == Format::bytes) return base::format_bytes(*number);
  if (number && format == Format::duration) return duration(*number);
  const auto text = value.text();
  if (text && format == Format::time) return minutes(*text);
  return text ? base::printable(*text) : base::to_text(value, -1);
}

std::string shown(const Json& object, const Column& column) {
  auto text = shown(value_at(object, column.path), column.format);
  const auto now = column.now.empty() ? std::string() : shown(value_at(object, column.now), column.format);
  if (!now.empty() && now != text) text = fmt::format("{} (next boot: {})", now, text.empty() ? "none" : text);
  const auto note = column.note.empty() ? std::string() : shown(value_at(object, column.note), Format::text);
  return note.empty() ? text : fmt::format("{} ({})", text, note);
}

}  // namespace hrvm::report
