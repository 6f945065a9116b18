#include <ostream>

#include "hrvm/report/report.hpp"
#include "report/rows.hpp"

namespace hrvm::report {
namespace {

using base::Json;

std::string escaped(const std::string& text) {
  std::string line;
  for (const char c : text) {
    switch (c) {
      case '\t':
        line += "\\t";
        break;
      case '\n':
        line += "\\n";
        break;
      case '\\':
        line += "\\\\";
        break;
      default:
        line += c;
    }
  }
  return line;
}

// The raw value: null is empty, lists are joined by commas.
std::string raw(const Json& value) {
  if (value.is_null()) return "";
  if (const auto text = value.text()) return escaped(*text);
  if (!value.is_array()) return escaped(base::to_text(value, -1));
  std::string joined;
  for (const auto& item : value.items()) joined += (joined.empty() ? "" : ",") + raw(item);
  return joined;
}

}  // namespace

void render_plain(const Report& report, std::ostream& out) {
  if (report.plain.columns.empty()) return render_human(report, {.color = Color::off, .columns = ~0u}, out);
  for (const auto& row : rows_at(report.data, report.plain.rows)) {
    std::string_view separator;
    for (const auto& column : report.plain.columns) {
      out << separator << raw(value_at(row, column.path));
      separator = "\t";
    }
    out << '\n';
  }
}

}  // namespace hrvm::report
