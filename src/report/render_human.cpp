#include <algorithm>
#include <ostream>

#include "hrvm/base/text.hpp"
#include "report/human.hpp"
#include "report/rows.hpp"

namespace hrvm::report {

using base::Json;

std::string bold(std::string_view text, Color color) {
  return color == Color::on ? "\033[1m" + std::string(text) + "\033[0m" : std::string(text);
}

namespace {

std::string printable_but_tabs(std::string_view text) {
  std::vector<std::string> parts;
  for (const auto part : base::split(text, '\t')) parts.push_back(base::printable(part));
  return base::join(parts, "\t");
}

// What follows a row is set off by its first column.
Json indented(Json row, const Column& first) {
  return row.set(first.path, "  " + value_at(row, first.path).text().value_or(""));
}

Json::Array rows_of(const TableView& view, const Json& where) {
  if (view.below.empty()) return rows_at(where, view.rows, view.only);
  Json::Array rows;
  for (const auto& row : rows_at(where, view.rows)) {
    rows.push_back(row);
    for (const auto& item : rows_at(row, view.below, view.only)) rows.push_back(indented(item, view.columns.front()));
  }
  return rows;
}

// Renders views one after the other. A view with a heading, a table or the parts of a list stand apart from what is
// before them by one empty line.
class Page {
 public:
  Page(const HumanStyle& style, std::ostream& out) : style_(style), out_(out) {}

  void show(const std::vector<View>& views, const Json& where) {
    for (const auto& view : views) {
      std::visit([&](const auto& kind) { show(kind, where); }, view);
    }
  }

 private:
  void title(const std::string& text) {
    gap();
    if (!text.empty()) print(bold(base::printable(text), style_.color) + "\n");
  }
  void gap() {
    if (printed_) out_ << '\n';
  }
  void print(const std::string& text) {
    out_ << (style_.ascii ? to_ascii(text) : text);
    printed_ = printed_ || !text.empty();
  }

  // What goes on behind the first line stands below it.
  void print_field(const std::string& label, const std::string& value) {
    std::string before = label;
    for (const auto line : base::lines(value)) {
      print(before + " " + std::string(line) + "\n");
      before.assign(display_width(label), ' ');
    }
  }

  void show(const FieldsView& view, const Json& where) {
    const auto& object = value_at(where, view.object);
    std::vector<std::pair<std::string, std::string>> lines;
    std::size_t widest = 0;
    for (const auto& field : view.fields) {
      const auto value = shown(object, field, style_);
      if (value.empty()) continue;
      lines.emplace_back(field.title + ":", value);
      widest = std::max(widest, display_width(lines.back().first));
    }
    if (lines.empty()) return;
    if (!view.title.empty()) title(view.title);
    for (const auto& [label, value] : lines) print_field(padded(label, widest, Align::left), value);
  }

  void show(const TableView& view, const Json& where) {
    const auto rows = view.drawn ? view.drawn->items() : rows_of(view, where);
    if (rows.empty()) {
      if (!view.when_empty.empty()) print(view.when_empty + "\n");
      return;
    }
    if (view.has_heading) title(view.title);
    print(table_text(view, rows, style_));
  }

  void show(const FindingsView& view, const Json& where) {
    const auto text = findings_text(value_at(where, view.rows), style_);
    if (text.empty()) return;
    gap();
    print(text);
  }

  void show(const TextView& view, const Json&) {
    if (view.text.empty()) print("\n");
    for (const auto line : base::lines(view.text))
      print((view.is_styled ? std::string(line) : printable_but_tabs(line)) + "\n");
  }

  void show(const EachView& view, const Json& where) {
    for (const auto& object : rows_at(where, view.rows)) {
      std::vector<std::string> heading;
      for (const auto& column : view.heading) heading.push_back(shown(object, column, style_));
      std::erase(heading, "");
      title(base::join(heading, "  "));
      show(view.views, object);
    }
  }

  const HumanStyle& style_;
  std::ostream& out_;
  bool printed_ = false;
};

}  // namespace

void render_human(const Report& report, const HumanStyle& style, std::ostream& out) {
  Page(style, out).show(report.human, report.data);
}

}  // namespace hrvm::report
