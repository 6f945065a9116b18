// hrvm doctor [MACHINE]: what is wrong or missing on this host and with its machines, each with its remedy.
#include "hrvm/doctor/check.hpp"

#include <algorithm>

#include "cli/commands/commands.hpp"
#include "hrvm/base/error.hpp"

namespace hrvm::cli {
namespace {

using base::Json;
using doctor::CheckResult;
using doctor::Circumstances;
using doctor::Status;

struct Examination {
  std::vector<CheckResult> results;
  std::vector<std::string> fixed;  // ids of checks whose findings were put right
};

bool is_bad(const CheckResult& result) { return result.status == Status::warning || result.status == Status::error; }

bool is_fixable(const Circumstances& circumstances, const doctor::Check& check,
                const std::vector<CheckResult>& results) {
  if (check.fixes == doctor::Fixes::host && circumstances.host.is_recorded()) return false;
  return check.fix && std::any_of(results.begin(), results.end(), is_bad);
}

// What is found afterwards. That one thing cannot be put right hides nothing of the others.
std::vector<CheckResult> fixed(const Circumstances& circumstances, const doctor::Check& check,
                               Examination& examination) {
  try {
    check.fix(circumstances);
  } catch (const base::Error& error) {
    auto results = check.run(circumstances);
    results.push_back(
        {std::string(check.id), Status::warning, "it cannot be put right: " + error.message(), error.hint()});
    return results;
  }
  auto results = check.run(circumstances);
  if (std::none_of(results.begin(), results.end(), is_bad)) examination.fixed.emplace_back(check.id);
  return results;
}

Examination examine(const Circumstances& circumstances, bool fix) {
  Examination examination;
  for (const auto& check : doctor::checks()) {
    auto results = check.run(circumstances);
    if (fix && is_fixable(circumstances, check, results)) results = fixed(circumstances, check, examination);
    std::move(results.begin(), results.end(), std::back_inserter(examination.results));
  }
  return examination;
}

Json to_json(const CheckResult& result) {
  Json json;
  json.set("id", result.id).set("status", word(result.status)).set("message", result.message);
  return json.set("remedy", result.remedy.empty() ? Json() : Json(result.remedy));
}

report::Report report_of(const Examination& examination) {
  Json checks = Json::array();
  for (const auto& result : examination.results) checks.push(to_json(result));
  Json data;
  data.set("checks", checks).set("fixed", examination.fixed);
  return {.schema = "hrvm.doctor/1",
          .data = data,
          .human = {report::FindingsView{"checks"}, report::FieldsView{.fields = {{"Put right", "fixed"}}}},
          .plain = {.rows = "checks", .columns = {{"", "id"}, {"", "status"}, {"", "message"}, {"", "remedy"}}}};
}

Outcome run_doctor(const Context& context) {
  const machine::Store store(context.host, context.store);
  Circumstances circumstances{context.host, store, std::nullopt, context.quiet};
  if (!context.arguments.positionals().empty()) {
    circumstances.machine = context.arguments.positional(0);
    if (!store.contains(*circumstances.machine)) store.load(*circumstances.machine);
  }
  const auto examination = examine(circumstances, context.arguments.has("--fix"));
  const bool errors = std::any_of(examination.results.begin(), examination.results.end(),
                                  [](const CheckResult& result) { return result.status == Status::error; });
  return {.report = report_of(examination), .status = errors ? 3 : 0};
}

}  // namespace

const Command doctor_command = {
    .name = "doctor",
    .summary = "tell what is wrong or missing here, each with its remedy",
    .options =
        {{.name = "--fix",
          .help = "put right what can be put right without loss: modes of files, garbage, libvirt's default network"}},
    .positionals = {{"MACHINE", "look at this one only", Completes::machine, Positional::Count::optional}},
    .run = run_doctor,
};

}  // namespace hrvm::cli
