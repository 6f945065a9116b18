// Definitions that cannot be read, and files that they name and that are not there.
#include "doctor/checks.hpp"
#include "hrvm/base/error.hpp"

namespace hrvm::doctor {

Results check_definition(const Circumstances& at) {
  Results problems;
  for (const auto& name : machine_names(at)) {
    try {
      at.store.check_files(at.store.load(name));
    } catch (const base::Error& error) {
      problems.push_back({"definition", Status::error, name + ": " + error.message(), error.hint()});
    }
  }
  return or_ok("definition", std::move(problems), "every machine's definition and files are there");
}

}  // namespace hrvm::doctor
