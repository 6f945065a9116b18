// DocumentValue: a value inside a JSON document that a person may have edited, with the place where it stands. Every
// reading that does not find what it asks for is Error{corrupt} that names the document and the member
// ("active.hardware.cpus").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hrvm/base/error.hpp"
#include "hrvm/base/json.hpp"
#include "hrvm/base/time.hpp"

namespace hrvm::machine {

class DocumentValue {
 public:
  DocumentValue(const base::Json& json, const std::string& file) : json_(&json), file_(&file) {}

  // Holds this to be an object of exactly these members; those that came later may be missing. Error{unsupported} for
  // others, which a newer hrvm wrote.
  using Names = std::vector<std::string_view>;
  void expect_members(const Names& names, const Names& later = {}) const;
  bool has(std::string_view name) const { return json_->contains(name); }
  DocumentValue operator[](std::string_view name) const;
  std::vector<std::pair<std::string, DocumentValue>> members() const;
  std::vector<DocumentValue> items() const;

  bool is_null() const { return json_->is_null(); }
  bool boolean() const;
  std::uint64_t number(std::uint64_t least, std::uint64_t most) const;
  std::string text() const;
  std::string text_where(bool (*holds)(std::string_view), std::string_view what) const;
  base::Time time() const;
  std::vector<std::string> texts() const;

  // The value that `from` makes of a text; `what` says what would have been right.
  template <typename T>
  T word(std::optional<T> (*from)(std::string_view), std::string_view what) const {
    const auto value = from(text());
    if (!value) fail_expected(what);
    return *value;
  }

  // nullopt for null, else what `read` makes of it.
  template <typename Read>
  auto optional(Read read) const -> std::optional<decltype(read(*this))> {
    if (is_null()) return std::nullopt;
    return read(*this);
  }

  [[noreturn]] void fail(std::string_view message) const;
  [[noreturn]] void fail_expected(std::string_view what) const;
  // Error{unsupported}: this is right, and from a newer hrvm.
  [[noreturn]] void fail_newer(std::string_view message) const;

 private:
  DocumentValue inside(const base::Json& json, std::string path) const;

  const base::Json* json_;
  const std::string* file_;
  std::string path_;  // empty: the document itself
};

}  // namespace hrvm::machine
