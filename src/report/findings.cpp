#include <fmt/core.h>

#include <algorithm>

#include "hrvm/base/text.hpp"
#include "report/human.hpp"

namespace hrvm::report {
namespace {

using base::Json;

// A severity, or the status of a check, in the order in which a person wants to read them.
struct Weight {
  std::string_view word, color;
};
constexpr Weight weights[] = {
    {"error", "\033[1;31m"}, {"warning", "\033[1;33m"}, {"note", "\033[1m"}, {"ok", ""}, {"skipped", ""}};

std::string severity_of(const Json& finding) {
  const auto status = finding["status"].text();
  return status ? *status : finding["severity"].text().value_or("note");
}

// A check says what it looked at by its id.
std::string subject_of(const Json& finding, const HumanStyle& style) {
  return shown(finding[finding.contains("status") ? "id" : "subject"], Format::text, style);
}

const Weight* weight_of(const std::string& severity) {
  return std::find_if(std::begin(weights), std::end(weights), [&](const Weight& w) { return w.word == severity; });
}

std::string finding_text(const Json& finding, const HumanStyle& style) {
  const auto severity = severity_of(finding);
  const auto* weight = weight_of(severity);
  const auto label = style.color == Color::on && weight != std::end(weights)
                         ? fmt::format("{}{}:\033[0m", weight->color, severity)
                         : severity + ":";
  const auto subject = subject_of(finding, style);
  auto text = fmt::format("{} {}{}{}\n", label, subject, subject.empty() ? "" : ": ",
                          shown(finding["message"], Format::text, style));
  const auto remedy = finding["remedy"].text().value_or("");
  for (const auto line : base::lines(remedy)) text += fmt::format("    {}\n", base::printable(line));
  return text;
}

}  // namespace

std::string findings_text(const Json& findings, const HumanStyle& style) {
  auto sorted = findings.items();
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Json& a, const Json& b) { return weight_of(severity_of(a)) < weight_of(severity_of(b)); });
  std::string text;
  for (const auto& finding : sorted) text += finding_text(finding, style);
  return text;
}

}  // namespace hrvm::report
