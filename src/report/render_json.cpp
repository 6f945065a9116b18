#include <ostream>

#include "hrvm/report/report.hpp"

namespace hrvm::report {

void render_json(const Report& report, std::ostream& out) {
  base::Json document;
  document.set("schema", report.schema);
  for (const auto& [key, value] : report.data.members()) document.set(key, value);
  out << base::to_text(document) << '\n';
}

}  // namespace hrvm::report
