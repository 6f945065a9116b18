#include "cli/views/findings_json.hpp"

#include "cli/views/or_null.hpp"

namespace hrvm::cli {

base::Json findings_json(const std::vector<base::Finding>& findings) {
  auto list = base::Json::array();
  for (const auto& finding : findings)
    list.push(base::Json::object()
                  .set("id", finding.id)
                  .set("severity", base::word(finding.severity))
                  .set("subject", finding.subject)
                  .set("message", finding.message)
                  .set("remedy", or_null(finding.remedy)));
  return list;
}

}  // namespace hrvm::cli
