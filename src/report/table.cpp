#include <algorithm>
#include <numeric>

#include "report/human.hpp"
#include "report/rows.hpp"

namespace hrvm::report {
namespace {

using base::Json;

constexpr std::size_t gap = 2, narrowest = 8;

// A column with its cells, ready to be measured.
struct TextColumn {
  Column column;
  std::vector<std::string> cells;
  std::size_t width = 0;
};

bool is_null_in_every_row(const Column& column, const Json::Array& rows) {
  return std::all_of(rows.begin(), rows.end(), [&](const Json& row) { return value_at(row, column.path).is_null(); });
}

TextColumn text_column(const Column& column, const Json::Array& rows) {
  TextColumn text{column, {}, display_width(column.title)};
  for (const auto& row : rows) {
    text.cells.push_back(shown(row, column));
    text.width = std::max(text.width, display_width(text.cells.back()));
  }
  return text;
}

std::size_t total_width(const std::vector<TextColumn>& columns) {
  return std::accumulate(columns.begin(), columns.end(), columns.empty() ? 0 : gap * (columns.size() - 1),
                         [](std::size_t sum, const TextColumn& column) { return sum + column.width; });
}

// The last text column gives what is too much, down to a width in which something can still be read.
void narrow(std::vector<TextColumn>& columns, std::size_t available) {
  const auto total = total_width(columns);
  if (total <= available) return;
  const auto last = std::find_if(columns.rbegin(), columns.rend(),
                                 [](const TextColumn& column) { return column.column.format == Format::text; });
  if (last == columns.rend()) return;
  const auto least = std::min(last->width, std::max(narrowest, display_width(last->column.title)));
  last->width = std::max(least, last->width - std::min(last->width, total - available));
  for (auto& cell : last->cells) cell = cut_to_width(cell, last->width);
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
    if (!is_null_in_every_row(column, rows)) columns.push_back(text_column(column, rows));
  }
  narrow(columns, style.columns);
  std::string text = bold(heading(columns), style.color) + "\n";
  for (std::size_t row = 0; row < rows.size(); ++row) text += row_text(columns, row) + "\n";
  return text;
}

}  // namespace hrvm::report
