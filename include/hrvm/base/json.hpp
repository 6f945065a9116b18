// Json: a value as JSON has it, with objects that keep the order in which their members were set.
// Definitions, QMP, firmware descriptors, survey results and --json are all made of it. Numbers are integers where they
// are integers (the whole range of int64 and uint64), else doubles.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace hrvm::base {

class Json {
 public:
  using Array = std::vector<Json>;
  using Member = std::pair<std::string, Json>;
  using Object = std::vector<Member>;

  Json() = default;  // null
  Json(std::nullptr_t) {}
  Json(bool value) : value_(value) {}
  Json(std::int64_t value) : value_(value) {}
  Json(std::uint64_t value);  // held as int64 where it fits, so that one number has one form
  Json(int value) : value_(std::int64_t(value)) {}
  Json(unsigned value) : value_(std::int64_t(value)) {}
  Json(double value) : value_(value) {}
  Json(std::string value) : value_(std::move(value)) {}
  Json(std::string_view value) : value_(std::string(value)) {}
  Json(const char* value) : value_(std::string(value)) {}
  Json(Array value) : value_(std::move(value)) {}
  Json(Object value) : value_(std::move(value)) {}
  template <typename T>
  Json(const std::optional<T>& value) {
    if (value) *this = Json(*value);
  }
  Json(const std::vector<std::string>& texts);

  // An empty array or object where the default would be null.
  static Json array() { return Json(Array{}); }
  static Json object() { return Json(Object{}); }

  bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  bool is_object() const { return std::holds_alternative<Object>(value_); }
  bool is_array() const { return std::holds_alternative<Array>(value_); }
  bool is_string() const { return std::holds_alternative<std::string>(value_); }
  bool is_number() const;
  bool is_bool() const { return std::holds_alternative<bool>(value_); }

  // Absent-tolerant reading, for what comes from outside: the wrong type is absence.
  std::optional<bool> boolean() const;
  std::optional<std::int64_t> integer() const;
  std::optional<std::uint64_t> unsigned_integer() const;
  std::optional<double> number() const;
  std::optional<std::string> text() const;
  const Array& items() const;     // empty for what is no array
  const Object& members() const;  // empty for what is no object

  // Member by name; the null value where there is none or this is no object.
  const Json& operator[](std::string_view key) const;
  // Walks "base.path" through nested objects.
  const Json& at_path(std::string_view dotted) const;
  bool contains(std::string_view key) const;

  // Sets or replaces a member; null becomes an object. Returns *this, so that calls chain.
  Json& set(std::string key, Json value);
  // Appends; null becomes an array.
  Json& push(Json value);

  friend bool operator==(const Json&, const Json&) = default;

 private:
  std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string, Array, Object> value_;
};

// Parses one JSON text of at most 64 levels. Error{corrupt} with the byte offset otherwise; `name` is what is said to
// be broken. Comments are not accepted.
Json parse_json(std::string_view text, std::string_view name);

// Invalid UTF-8 in strings is replaced by U+FFFD, so that the output always is JSON. indent < 0: on one line.
std::string to_text(const Json& value, int indent = 2);
// Of an object that has one more member, before its own, without a copy.
std::string to_text_behind(std::string_view first, const Json& first_value, const Json& object);

}  // namespace hrvm::base
