// A text that may be empty, as JSON has it.
#pragma once

#include <string>

#include "hrvm/base/json.hpp"

namespace hrvm::cli {

inline base::Json or_null(const std::string& text) { return text.empty() ? base::Json() : base::Json(text); }

}  // namespace hrvm::cli
