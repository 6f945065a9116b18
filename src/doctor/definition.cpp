// Definitions that cannot be read, with the generation that the machine can go back to; and files that are named by one
// and missing.
#include <fmt/core.h>

#include "doctor/checks.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"

namespace hrvm::doctor {
namespace {

using base::ErrorKind;
using machine::Store;

std::string put_away(const Store::OlderGeneration& older) {
  std::string line = "mv";
  for (const auto& layer : older.unknown_layers) line += " " + base::shell_quote(layer.string());
  return line + " ELSEWHERE";
}

CheckResult unreadable(const Store& store, const std::string& name, const base::Error& error) {
  CheckResult result{"definition", Status::error, name + ": " + error.message(), error.hint()};
  const auto older = store.older_generation(name);
  if (!older && error.kind() == ErrorKind::corrupt)
    result.remedy = "restore the file from a backup, or give the machine up: hrvm remove " + name;
  if (!older) return result;
  result.message += fmt::format("; its generation {} can be read", older->number);
  result.remedy = "go back to it: hrvm doctor " + name + " --fix";
  if (older->unknown_layers.empty()) return result;
  result.message += ", which does not know what was made since";
  result.remedy = fmt::format("keep that elsewhere, and go back: {} && hrvm doctor {} --fix", put_away(*older), name);
  return result;
}

bool cannot_be_read(const Store& store, const std::string& name, bool by_this_hrvm) {
  try {
    store.load(name);
    return false;
  } catch (const base::Error& error) {
    return error.kind() == ErrorKind::corrupt || (by_this_hrvm && error.kind() == ErrorKind::unsupported);
  }
}

}  // namespace

Results check_definition(const Circumstances& at) {
  Results problems;
  for (const auto& name : machine_names(at)) {
    std::optional<machine::Machine> machine;
    try {
      machine = at.store.load(name);
      at.store.check_presence(*machine);
    } catch (const base::Error& error) {
      problems.push_back(machine ? CheckResult{"definition", Status::error, name + ": " + error.message(), error.hint()}
                                 : unreadable(at.store, name, error));
    }
  }
  return or_ok("definition", std::move(problems), "every machine's definition and files are there");
}

// What a newer hrvm wrote is given up only where that machine is named.
void fix_definition(const Circumstances& at) {
  for (const auto& name : machine_names(at)) {
    if (!cannot_be_read(at.store, name, at.machine.has_value())) continue;
    const auto lock = at.store.lock(name);
    const auto older = at.store.older_generation(name);
    if (older && older->unknown_layers.empty()) at.store.go_back(name, *older);
  }
}

}  // namespace hrvm::doctor
