// Where the data of a view lie.
#pragma once

#include <string>
#include <vector>

#include "hrvm/base/json.hpp"

namespace hrvm::report {

// The value at a dotted path; `where` itself for the empty path.
inline const base::Json& value_at(const base::Json& where, const std::string& path) {
  return path.empty() ? where : where.at_path(path);
}

// The rows at a path: the items of a list, or an object as the one row.
inline base::Json::Array rows_at(const base::Json& where, const std::string& path) {
  const auto& value = value_at(where, path);
  return value.is_object() ? base::Json::Array{value} : value.items();
}

// Those of them in which `only` is true; all where it is empty.
inline base::Json::Array rows_at(const base::Json& where, const std::string& path, const std::string& only) {
  auto rows = rows_at(where, path);
  if (!only.empty()) std::erase_if(rows, [&](const auto& row) { return row.at_path(only) != base::Json(true); });
  return rows;
}

}  // namespace hrvm::report
