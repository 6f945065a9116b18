#include <ostream>

#include "hrvm/report/report.hpp"

namespace hrvm::report {

void render_json(const Report& report, std::ostream& out) {
  out << base::to_text_behind("schema", report.schema, report.data) << '\n';
}

}  // namespace hrvm::report
