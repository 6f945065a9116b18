// Pieces that the human renderer is made of.
#pragma once

#include <string>
#include <string_view>

#include "hrvm/base/json.hpp"
#include "hrvm/report/report.hpp"

namespace hrvm::report {

// The value as a person reads it; empty for null. Control characters are escaped: values come from disks and guests.
std::string shown(const base::Json& value, Format format);
// What is at the column's place in `object`, with all that belongs to it.
std::string shown(const base::Json& object, const Column& column);

// Terminal columns that UTF-8 text takes: combining marks none, East Asian wide characters and emoji two.
std::size_t display_width(std::string_view text);
// At most `columns` wide, the last of them "…" where something was cut.
std::string cut_to_width(std::string_view text, std::size_t columns);
// Spaces added to `columns`.
std::string padded(const std::string& text, std::size_t columns, Align align);

std::string bold(std::string_view text, Color color);

// Aligned columns under bold headings; narrowed to `style.columns` where the last text column can give.
std::string table_text(const TableView& view, const base::Json::Array& rows, const HumanStyle& style);
// Findings, worst first, each with its remedy below.
std::string findings_text(const base::Json& findings, const HumanStyle& style);

}  // namespace hrvm::report
