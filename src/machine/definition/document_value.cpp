#include "machine/definition/document_value.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace hrvm::machine {

void DocumentValue::fail(std::string_view message) const {
  throw base::Error(base::ErrorKind::corrupt, fmt::format("{}: {}", path_.empty() ? "the document" : path_, message))
      .on(*file_)
      .hint("hrvm-machine(5) describes this file; it is written by hrvm and not meant to be edited");
}

void DocumentValue::fail_newer(std::string_view message) const {
  throw base::Error(base::ErrorKind::unsupported,
                    fmt::format("{}: {}; the machine was made by a newer hrvm, or changed by one", path_, message))
      .on(*file_)
      .hint("use the newer hrvm for this machine; hrvm --version says which one this is");
}

void DocumentValue::fail_expected(std::string_view what) const { fail(fmt::format("is not {}", what)); }

DocumentValue DocumentValue::inside(const base::Json& json, std::string path) const {
  DocumentValue value(json, *file_);
  value.path_ = std::move(path);
  return value;
}

void DocumentValue::expect_members(const Names& names, const Names& later) const {
  if (!json_->is_object()) fail_expected("an object");
  for (std::string_view name : names)
    if (!json_->contains(name)) (*this)[name].fail("is missing");
  for (const auto& [name, value] : json_->members())
    if (std::find(names.begin(), names.end(), name) == names.end() &&
        std::find(later.begin(), later.end(), name) == later.end())
      (*this)[name].fail_newer("is not known to this hrvm");
}

DocumentValue DocumentValue::operator[](std::string_view name) const {
  return inside((*json_)[name], path_.empty() ? std::string(name) : fmt::format("{}.{}", path_, name));
}

std::vector<std::pair<std::string, DocumentValue>> DocumentValue::members() const {
  if (!json_->is_object()) fail_expected("an object");
  std::vector<std::pair<std::string, DocumentValue>> all;
  for (const auto& member : json_->members()) all.emplace_back(member.first, (*this)[member.first]);
  return all;
}

std::vector<DocumentValue> DocumentValue::items() const {
  if (!json_->is_array()) fail_expected("a list");
  std::vector<DocumentValue> all;
  for (const auto& item : json_->items()) all.push_back(inside(item, fmt::format("{}[{}]", path_, all.size())));
  return all;
}

bool DocumentValue::boolean() const {
  const auto value = json_->boolean();
  if (!value) fail_expected("true or false");
  return *value;
}

std::uint64_t DocumentValue::number(std::uint64_t least, std::uint64_t most) const {
  const auto value = json_->unsigned_integer();
  if (!value || *value < least || *value > most)
    fail_expected(fmt::format("a whole number from {} to {}", least, most));
  return *value;
}

std::string DocumentValue::text() const {
  auto value = json_->text();
  if (!value) fail_expected("a text");
  return *std::move(value);
}

std::string DocumentValue::text_where(bool (*holds)(std::string_view), std::string_view what) const {
  auto value = text();
  if (!holds(value)) fail_expected(what);
  return value;
}

base::Time DocumentValue::time() const { return word(base::parse_time, "a time such as 2026-02-14T09:41:07Z"); }

std::vector<std::string> DocumentValue::texts() const {
  std::vector<std::string> all;
  for (const auto& item : items()) all.push_back(item.text());
  return all;
}

}  // namespace hrvm::machine
