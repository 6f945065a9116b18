// Report: what a command has to say, once. Data are one Json value (what --json prints, as it is); views say which
// parts of it a person sees, and which table --plain prints. So the three renderings cannot disagree.
#pragma once

#include <chrono>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "hrvm/base/json.hpp"
#include "hrvm/base/time.hpp"

namespace hrvm::report {

// How a scalar is shown to a person. --plain and --json show the raw value always.
enum class Format {
  text,      // as it is; control characters escaped; lists joined by ", "
  bytes,     // an integer of bytes as "238.5 GiB"
  duration,  // an integer of seconds as "3 h 20 min"
  time,      // RFC 3339 as "2026-02-14 09:41" by the clock on the wall; with seconds where rows would look alike
  yes_no,
  lines,  // for fields: a list with each item on a line of its own
  path,   // text of which both ends tell most: cut in its middle
};

enum class Align { left, right };

struct Column {
  std::string title;  // a column's heading or a field's label
  std::string path;   // dotted, from the row or object: "base.path"
  Format format = Format::text;
  Align align = Align::left;
  unsigned goes = 0;      // in a narrow table, before those of a higher number; 0: never
  std::string now = {};   // of a field: what is in force until `path` is. Where they differ, "NOW (next boot: VALUE)"
  std::string note = {};  // what is added to it in brackets
};

// Label and value, one a line. What is null is left out.
struct FieldsView {
  std::string title;   // empty: no heading
  std::string object;  // dotted path; empty: where we are
  std::vector<Column> fields;
};

// Rows of a list of objects. An empty list prints `when_empty`, or nothing. A column in which every row is null is left
// out.
struct TableView {
  std::string title;
  std::string rows;  // dotted path to the list
  std::vector<Column> columns;
  std::string when_empty;
  std::string only = {};   // of `rows`, or where there is `below`, of that: those in which this is true
  std::string below = {};  // path from a row to a list whose items are rows below it, indented; for people alone
  std::optional<base::Json> drawn = {};  // rows that are a drawing of the data, instead of those at `rows`
  bool has_heading = true;
};

// Findings: a list of {id, severity, subject, message, remedy}, worst first, with their remedies indented below.
// Checks, {id, status, message, remedy}, are shown alike.
struct FindingsView {
  std::string rows;
};

// Lines of text. Control characters but tabs are escaped: a path may be in it.
struct TextView {
  std::string text;
  bool is_styled = false;  // by ourselves: goes out as it is
};

struct EachView;
using View = std::variant<FieldsView, TableView, FindingsView, TextView, EachView>;

// For every object of a list: a heading made of the joined `heading` columns, then the views, with paths from that
// object.
struct EachView {
  std::string rows;
  std::vector<Column> heading;
  std::vector<View> views;
};

struct Report {
  std::string schema;  // "hrvm.discover/1"
  base::Json data;     // an object, without the schema
  std::vector<View> human;
  TableView plain;  // title and when_empty are not used; no columns: --plain prints what a person sees, uncoloured
  // With --quiet these lines alone stand for `human`: the names of what there is, or was made.
  std::optional<std::vector<std::string>> names = {};
};

enum class Color { off, on };

constexpr unsigned any_width = ~0u;  // of what no terminal shows

struct HumanStyle {
  Color color = Color::off;
  unsigned columns = 80;  // tables are not wider where they can be narrowed: columns go, then text is cut with "…"
  bool ascii = false;     // the terminal's charset has no more
  std::function<std::chrono::seconds(base::Time)> utc_offset = {};  // of the clock on the wall; none: UTC
  bool raw_times = false;                                           // RFC 3339, as in the data
};

void render_human(const Report& report, const HumanStyle& style, std::ostream& out);
enum class Reader { pipe, terminal };
// Tab-separated; tab, newline and backslash in values as \t \n \\, and on a terminal other control characters as \xNN.
void render_plain(const Report& report, std::ostream& out, Reader reader = Reader::pipe);
void render_json(const Report& report, std::ostream& out);

// For a terminal whose charset has no more: "…" as "...", the lines of a tree as | and -, all else as \xNN.
std::string to_ascii(std::string_view text);

}  // namespace hrvm::report
