// Pieces that the human renderer is made of.
#pragma once

#include <string>
#include <string_view>

#include "hrvm/base/json.hpp"
#include "hrvm/report/report.hpp"

namespace hrvm::report {

// The value as a person reads it; empty for null. Control characters are escaped: values come from disks and guests.
std::string shown(const base::Json& value, Format format, const HumanStyle& style);
// What is at the column's place in `object`, with all that belongs to it.
std::string shown(const base::Json& object, const Column& column, const HumanStyle& style);
// RFC 3339 by the clock on the wall.
enum class Precision { minutes, seconds };
std::string shown_time(const std::string& rfc3339, Precision precision, const HumanStyle& style);

// Terminal columns that UTF-8 text takes: combining marks none, East Asian wide characters and emoji two.
std::size_t display_width(std::string_view text);
// At most `columns` wide, with `mark` where something was cut: at the end, or in the middle.
std::string cut_to_width(std::string_view text, std::size_t columns, std::string_view mark);
std::string cut_in_middle(std::string_view text, std::size_t columns, std::string_view mark);
// Spaces added to `columns`.
std::string padded(const std::string& text, std::size_t columns, Align align);

std::string bold(std::string_view text, Color color);

// Aligned columns under bold headings; narrowed to `style.columns` where columns can go or give.
std::string table_text(const TableView& view, const base::Json::Array& rows, const HumanStyle& style);
// Findings, worst first, each with its remedy below.
std::string findings_text(const base::Json& findings, const HumanStyle& style);

}  // namespace hrvm::report
