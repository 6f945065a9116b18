#include "hrvm/base/json.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"

namespace hrvm::base {

namespace {

using Library = nlohmann::ordered_json;

constexpr std::size_t depth_limit = 64;

// Offset of the bracket that opens one level too many. Found before parsing, where the place is known exactly.
std::optional<std::size_t> first_too_deep(std::string_view text) {
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string && c == '\\') {
      ++i;
    } else if (c == '"') {
      in_string = !in_string;
    } else if (!in_string && (c == '[' || c == '{')) {
      if (++depth > depth_limit) return i;
    } else if (!in_string && (c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return std::nullopt;
}

// "[json.exception.parse_error.101] parse error at line 1, column 5: …" without what only a programmer wants.
std::string reason(std::string_view what) {
  constexpr std::string_view prefix = "parse error at ";
  constexpr std::size_t longest = 200;
  if (const std::size_t end = what.find("] "); end != std::string_view::npos) what.remove_prefix(end + 2);
  if (what.starts_with(prefix)) what.remove_prefix(prefix.size());
  return printable(what.substr(0, longest));
}

// Of several members with one name the last counts, at the place of the first: as with Json::set, but not in quadratic
// time, because the text may be hostile.
Json::Object without_repetitions(Json::Object members) {
  Json::Object kept;
  std::unordered_map<std::string, std::size_t> places;
  for (Json::Member& member : members) {
    const auto [place, is_new] = places.emplace(member.first, kept.size());
    if (is_new)
      kept.push_back(std::move(member));
    else
      kept[place->second].second = std::move(member.second);
  }
  return kept;
}

// Takes the parser's events and puts the value together.
class Builder {
 public:
  explicit Builder(std::string_view name) : name_(name) {}
  Json take() { return std::move(root_); }

  bool null() { return add(Json()); }
  bool boolean(bool value) { return add(Json(value)); }
  bool number_integer(std::int64_t value) { return add(Json(value)); }
  bool number_unsigned(std::uint64_t value) { return add(Json(value)); }
  bool number_float(double value, const std::string&) { return add(Json(value)); }
  bool string(std::string& value) { return add(Json(std::move(value))); }
  bool binary(Library::binary_t&) { return false; }
  bool start_object(std::size_t) { return open(true); }
  bool start_array(std::size_t) { return open(false); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }
  bool key(std::string& name) {
    levels_.back().key = std::move(name);
    return true;
  }
  [[noreturn]] bool parse_error(std::size_t position, const std::string&, const std::exception& error) {
    throw Error(ErrorKind::corrupt, fmt::format("{} is not valid JSON: {}", name_, reason(error.what())))
        .on(name_)
        .at(position > 0 ? position - 1 : 0);
  }

 private:
  struct Level {
    bool is_object = false;
    Json::Object members;
    Json::Array items;
    std::string key;
  };

  bool open(bool is_object) {
    levels_.push_back({.is_object = is_object});
    return true;
  }
  bool close() {
    Level level = std::move(levels_.back());
    levels_.pop_back();
    return add(level.is_object ? Json(without_repetitions(std::move(level.members))) : Json(std::move(level.items)));
  }
  bool add(Json value) {
    if (levels_.empty())
      root_ = std::move(value);
    else if (levels_.back().is_object)
      levels_.back().members.emplace_back(std::move(levels_.back().key), std::move(value));
    else
      levels_.back().items.push_back(std::move(value));
    return true;
  }

  std::string name_;
  std::vector<Level> levels_;
  Json root_;
};

// What stands in a text as it is.
bool is_plain(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; });
}

// Straight into the text: a tree of the library's beside ours would take several times the memory of it.
class Writer {
 public:
  Writer(std::string& out, int indent) : out_(out), indent_(indent) {}

  void write(const Json& value) {
    if (value.is_object())
      write_all(value.members(), "{}", [&](const Json::Member& member) { write_member(member.first, member.second); });
    else if (value.is_array())
      write_all(value.items(), "[]", [&](const Json& item) { write(item); });
    else if (value.is_string())
      write_string(*value.text());
    else
      write_scalar(value);
  }
  // With one more member before the others.
  void write_object(std::string_view first, const Json& first_value, const Json::Object& others) {
    begin('{');
    write_member(first, first_value);
    for (const auto& [name, value] : others) {
      next();
      write_member(name, value);
    }
    end('}');
  }

 private:
  template <typename Values, typename Each>
  void write_all(const Values& values, std::string_view brackets, Each each) {
    if (values.empty()) {
      out_ += brackets;
      return;
    }
    begin(brackets[0]);
    for (const auto& value : values) {
      if (&value != &values.front()) next();
      each(value);
    }
    end(brackets[1]);
  }
  void begin(char bracket) {
    out_ += bracket;
    ++level_;
    new_line();
  }
  void next() {
    out_ += ',';
    new_line();
  }
  void end(char bracket) {
    --level_;
    new_line();
    out_ += bracket;
  }
  void new_line() {
    if (indent_ >= 0) out_.append(1, '\n').append(level_ * std::size_t(indent_), ' ');
  }
  void write_member(std::string_view name, const Json& value) {
    write_string(name);
    out_ += indent_ >= 0 ? ": " : ":";
    write(value);
  }
  void write_string(std::string_view text) {
    if (is_plain(text))
      out_.append(1, '"').append(text).append(1, '"');
    else
      out_ += Library(text).dump(-1, ' ', false, Library::error_handler_t::replace);
  }
  void write_scalar(const Json& value) {
    if (const auto boolean = value.boolean())
      out_ += *boolean ? "true" : "false";
    else if (const auto integer = value.integer())
      out_ += std::to_string(*integer);
    else if (const auto large = value.unsigned_integer())
      out_ += std::to_string(*large);
    else if (const auto number = value.number())
      out_ += Library(*number).dump();
    else
      out_ += "null";
  }

  std::string& out_;
  int indent_;
  std::size_t level_ = 0;
};

template <typename T, typename Value>
std::optional<T> if_holds(const Value& value) {
  const T* held = std::get_if<T>(&value);
  return held ? std::optional<T>(*held) : std::nullopt;
}

}  // namespace

Json::Json(std::uint64_t value) {
  if (value <= std::uint64_t(std::numeric_limits<std::int64_t>::max()))
    value_ = std::int64_t(value);
  else
    value_ = value;
}

Json::Json(const std::vector<std::string>& texts) : value_(Array(texts.begin(), texts.end())) {}

bool Json::is_number() const {
  return std::holds_alternative<std::int64_t>(value_) || std::holds_alternative<std::uint64_t>(value_) ||
         std::holds_alternative<double>(value_);
}

std::optional<bool> Json::boolean() const { return if_holds<bool>(value_); }
std::optional<std::int64_t> Json::integer() const { return if_holds<std::int64_t>(value_); }
std::optional<std::string> Json::text() const { return if_holds<std::string>(value_); }

std::optional<std::uint64_t> Json::unsigned_integer() const {
  if (const auto* small = std::get_if<std::int64_t>(&value_))
    return *small >= 0 ? std::optional(std::uint64_t(*small)) : std::nullopt;
  return if_holds<std::uint64_t>(value_);
}

std::optional<double> Json::number() const {
  if (const auto* small = std::get_if<std::int64_t>(&value_)) return double(*small);
  if (const auto* large = std::get_if<std::uint64_t>(&value_)) return double(*large);
  return if_holds<double>(value_);
}

const Json::Array& Json::items() const {
  static const Array none;
  const Array* array = std::get_if<Array>(&value_);
  return array ? *array : none;
}

const Json::Object& Json::members() const {
  static const Object none;
  const Object* object = std::get_if<Object>(&value_);
  return object ? *object : none;
}

const Json& Json::operator[](std::string_view key) const {
  static const Json null;
  for (const Member& member : members())
    if (member.first == key) return member.second;
  return null;
}

const Json& Json::at_path(std::string_view dotted) const {
  const Json* value = this;
  for (const std::string_view key : split(dotted, '.')) value = &(*value)[key];
  return *value;
}

bool Json::contains(std::string_view key) const {
  return std::ranges::any_of(members(), [&](const Member& member) { return member.first == key; });
}

Json& Json::set(std::string key, Json value) {
  if (is_null()) value_ = Object{};
  Object& object = std::get<Object>(value_);
  const auto place = std::ranges::find(object, key, &Member::first);
  if (place == object.end())
    object.emplace_back(std::move(key), std::move(value));
  else
    place->second = std::move(value);
  return *this;
}

Json& Json::push(Json value) {
  if (is_null()) value_ = Array{};
  std::get<Array>(value_).push_back(std::move(value));
  return *this;
}

Json parse_json(std::string_view text, std::string_view name) {
  if (const auto offset = first_too_deep(text)) {
    throw Error(ErrorKind::corrupt, fmt::format("{} nests deeper than {} levels", name, depth_limit))
        .on(std::string(name))
        .at(*offset);
  }
  Builder builder(name);
  Library::sax_parse(text.begin(), text.end(), &builder);
  return builder.take();
}

std::string to_text(const Json& value, int indent) {
  std::string text;
  Writer(text, indent).write(value);
  return text;
}

std::string to_text_behind(std::string_view first, const Json& first_value, const Json& object) {
  std::string text;
  Writer(text, 2).write_object(first, first_value, object.members());
  return text;
}

}  // namespace hrvm::base
