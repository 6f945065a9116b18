#include <ostream>

#include "hrvm/base/text.hpp"
#include "hrvm/report/report.hpp"
#include "report/rows.hpp"

namespace hrvm::report {
namespace {

using base::Json;

std::string escaped(const std::string& text, Reader reader) {
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
  return reader == Reader::terminal ? base::printable(line) : line;
}

// The raw value: null is empty, lists are joined by commas.
std::string raw(const Json& value, Reader reader) {
  if (value.is_null()) return "";
  if (const auto text = value.text()) return escaped(*text, reader);
  if (!value.is_array()) return escaped(base::to_text(value, -1), reader);
  std::string joined;
  for (const auto& item : value.items()) joined += (joined.empty() ? "" : ",") + raw(item, reader);
  return joined;
}

}  // namespace

void render_plain(const Report& report, std::ostream& out, Reader reader) {
  if (report.plain.columns.empty())
    return render_human(report, {.color = Color::off, .columns = any_width, .raw_times = true}, out);
  for (const auto& row : rows_at(report.data, report.plain.rows)) {
    std::string_view separator;
    for (const auto& column : report.plain.columns) {
      out << separator << raw(value_at(row, column.path), reader);
      separator = "\t";
    }
    out << '\n';
  }
}

}  // namespace hrvm::report
