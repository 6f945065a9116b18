#include <algorithm>
#include <map>
#include <numeric>

#include "report/human.hpp"
#include "report/rows.hpp"

namespace hrvm::report {
namespace {

using base::Json;

constexpr std::size_t gap = 2, narrowest = 12, narrowest_path = 20;

// A column with its cells, ready to be measured.
struct TextColumn {
  Column column;
  std::vector<std::string> cells;
  std::size_t width = 0;
};

bool is_null_in_every_row(const Column& column, const Json::Array& rows) {
  return std::all_of(rows.begin(), rows.end(), [&](const Json& row) { return value_at(row, column.path).is_null(); });
}

// Two rows of one minute that are not of one second.
bool wants_seconds(const Column& column, const Json::Array& rows, const HumanStyle& style) {
  std::map<std::string, std::string> seen;
  return std::any_of(rows.begin(), rows.end(), [&](const Json& row) {
    const auto time = value_at(row, column.path).text();
    return time && seen.emplace(shown_time(*time, Precision::minutes, style), *time).first->second != *time;
  });
}

std::string cell(const Column& column, const Json& row, Precision precision, const HumanStyle& style) {
  const auto time = column.format == Format::time ? value_at(row, column.path).text() : std::nullopt;
  return time ? shown_time(*time, precision, style) : shown(row, column, style);
}

TextColumn text_column(const Column& column, const Json::Array& rows, const HumanStyle& style) {
  TextColumn text{column, {}, display_width(column.title)};
  const bool seconds = column.format == Format::time && wants_seconds(column, rows, style);
  for (const auto& row : rows) {
    const auto precision = seconds ? Precision::seconds : Precision::minutes;
    text.cells.push_back(cell(column, row, precision, style));
    text.width = std::max(text.width, display_width(text.cells.back()));
  }
  return text;
}

std::size_t total_width(const std::vector<TextColumn>& columns) {
  return std::accumulate(columns.begin(), columns.end(), columns.empty() ? 0 : gap * (columns.size() - 1),
                         [](std::size_t sum, const TextColumn& column) { return sum + column.width; });
}

// Down to which something can still be read. The first column tells what a row is of, and gives nothing; nor do
// numbers, which stand to the right: cut, they would be others.
std::size_t least_width(const std::vector<TextColumn>& columns, const TextColumn& column) {
  const bool is_path = column.column.format == Format::path;
  const bool is_text = column.column.format == Format::text && column.column.align == Align::left;
  const bool gives = &column != &columns.front() && (is_path || is_text);
  if (!gives) return column.width;
  return std::min(column.width, std::max(is_path ? narrowest_path : narrowest, display_width(column.column.title)));
}

std::size_t least_total(const std::vector<TextColumn>& columns) {
  auto least = columns;
  for (std::size_t i = 0; i < columns.size(); ++i) least[i].width = least_width(columns, columns[i]);
  return total_width(least);
}

// The next to go; nullptr where all that are left stay.
const TextColumn* least_useful(const std::vector<TextColumn>& columns) {
  const TextColumn* found = nullptr;
  for (const auto& column : columns)
    if (column.column.goes > 0 && (!found || column.column.goes < found->column.goes)) found = &column;
  return found;
}

void cut(TextColumn& column, std::string_view mark) {
  const bool is_path = column.column.format == Format::path;
  for (auto& text : column.cells)
    text = is_path ? cut_in_middle(text, column.width, mark) : cut_to_width(text, column.width, mark);
}

// The least useful columns go while the others would have to give more than they can; then those give, the last first.
void narrow(std::vector<TextColumn>& columns, const HumanStyle& style) {
  while (least_total(columns) > style.columns) {
    const auto* column = least_useful(columns);
    if (!column) break;
    columns.erase(columns.begin() + (column - columns.data()));
  }
  for (auto column = columns.rbegin(); column != columns.rend(); ++column) {
    const auto total = total_width(columns);
    if (total <= style.columns) return;
    column->width -= std::min(column->width - least_width(columns, *column), total - style.columns);
    cut(*column, style.ascii ? "..." : "…");
  }
}

std::string without_trailing_spaces(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

std::string heading(const std::vector<TextColumn>& columns) {
  std::string line;
  for (const auto& column : columns) {
    line +=
        (line.empty() ? "" : std::string(gap, ' ')) + padded(column.column.title, column.width, column.column.align);
  }
  return without_trailing_spaces(line);
}

std::string row_text(const std::vector<TextColumn>& columns, std::size_t row) {
  std::string line;
  for (const auto& column : columns) {
    line += (&column == &columns.front() ? "" : std::string(gap, ' '));
    line += padded(column.cells[row], column.width, column.column.align);
  }
  return without_trailing_spaces(line);
}

}  // namespace

std::string table_text(const TableView& view, const Json::Array& rows, const HumanStyle& style) {
  std::vector<TextColumn> columns;
  for (const auto& column : view.columns) {
    if (!is_null_in_every_row(column, rows)) columns.push_back(text_column(column, rows, style));
  }
  narrow(columns, style);
  std::string text = view.has_heading ? bold(heading(columns), style.color) + "\n" : "";
  for (std::size_t row = 0; row < rows.size(); ++row) text += row_text(columns, row) + "\n";
  return text;
}

}  // namespace hrvm::report
