#include "volume/lvm/text.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"

namespace hrvm::volume::lvm {
namespace {

constexpr unsigned deepest = 8;

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("_-+.#").find(c) != std::string_view::npos;
}

[[noreturn]] void missing(std::string_view key) {
  throw base::Error(base::ErrorKind::corrupt, fmt::format("the volume group's metadata lack '{}'", key));
}

}  // namespace

std::optional<std::uint64_t> Section::number(std::string_view key) const {
  const auto& values = list(key);
  const auto* value = values.size() == 1 ? std::get_if<std::int64_t>(&values.front()) : nullptr;
  return value && *value >= 0 ? std::optional(std::uint64_t(*value)) : std::nullopt;
}

std::optional<std::string> Section::text(std::string_view key) const {
  const auto& values = list(key);
  const auto* value = values.size() == 1 ? std::get_if<std::string>(&values.front()) : nullptr;
  return value ? std::optional(*value) : std::nullopt;
}

const std::vector<Value>& Section::list(std::string_view key) const {
  static const std::vector<Value> none;
  const auto found = values_.find(key);
  return found == values_.end() ? none : found->second;
}

const std::vector<Section::Named>& Section::sections() const { return sections_; }

const Section* Section::section(std::string_view key) const {
  const auto found = std::ranges::find(sections_, key, &Named::name);
  return found == sections_.end() ? nullptr : &found->section;
}

std::uint64_t Section::required_number(std::string_view key) const {
  const auto value = number(key);
  if (!value) missing(key);
  return *value;
}

const Section& Section::required_section(std::string_view key) const {
  const auto* found = section(key);
  if (!found) missing(key);
  return *found;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Section run() {
    Section top;
    parse_into(top, 0);
    if (at_ != text_.size()) fail("has a '}' too many");
    return top;
  }

 private:
  [[noreturn]] void fail(std::string_view what) const {
    throw base::Error(base::ErrorKind::corrupt, fmt::format("the volume group's metadata text {}", what)).at(at_);
  }

  void skip_blanks() {
    while (at_ < text_.size()) {
      if (text_[at_] == '#')
        at_ = std::min(text_.find('\n', at_), text_.size());
      else if (is_space(text_[at_]))
        ++at_;
      else
        return;
    }
  }

  char peek() {
    skip_blanks();
    return at_ < text_.size() ? text_[at_] : '\0';
  }

  bool accept(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }

  std::string_view word() {
    skip_blanks();
    const auto begin = at_;
    while (at_ < text_.size() && is_word(text_[at_])) ++at_;
    if (at_ == begin) fail("has something where a name or a number should be");
    return text_.substr(begin, at_ - begin);
  }

  // Until the brace that closes it, or the end of the text.
  void parse_into(Section& section, unsigned depth) {
    if (depth > deepest) fail("nests too deeply");
    while (peek() != '}' && at_ < text_.size()) {
      std::string name(word());
      if (accept('{')) {
        Section inner;
        parse_into(inner, depth + 1);
        if (!accept('}')) fail("ends within a section");
        section.sections_.push_back({std::move(name), std::move(inner)});
      } else if (accept('=')) {
        section.values_.insert_or_assign(std::move(name), values());
      } else {
        fail("has a name without a value");
      }
    }
  }

  std::vector<Value> values() {
    if (!accept('[')) return {value()};
    std::vector<Value> list;
    while (!accept(']')) {
      list.push_back(value());
      if (!accept(',') && peek() != ']') fail("has a list that does not end");
    }
    return list;
  }

  Value value() {
    if (accept('"')) return string();
    const auto digits = word();
    const bool negative = digits.starts_with('-');
    const auto number = base::parse_unsigned(digits.substr(negative ? 1 : 0));
    if (!number || *number > std::uint64_t(INT64_MAX)) return std::string(digits);
    return negative ? -std::int64_t(*number) : std::int64_t(*number);
  }

  std::string string() {
    std::string text;
    for (; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      text += text_[at_];
    }
    if (at_ == text_.size()) fail("ends within a string");
    ++at_;
    return text;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

Section parse_text(std::string_view text) {
  return Parser(text.substr(0, std::min(text.find('\0'), text.size()))).run();
}

}  // namespace hrvm::volume::lvm
