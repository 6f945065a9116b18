// Findings, as every command that has some prints them.
#pragma once

#include <vector>

#include "hrvm/base/finding.hpp"
#include "hrvm/base/json.hpp"

namespace hrvm::cli {

base::Json findings_json(const std::vector<base::Finding>& findings);

}  // namespace hrvm::cli
