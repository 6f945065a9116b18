// hrvm image check FILE: whether every cluster of a qcow2 image is counted as often as it is used, and with --repair
// what was wrong set right.
#include <fmt/core.h>

#include <algorithm>

#include "cli/commands/commands.hpp"
#include "cli/words/image_words.hpp"
#include "cli/words/named_machine.hpp"
#include "cli/words/target_file.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/image/check.hpp"
#include "hrvm/sys/files.hpp"

namespace hrvm::cli {
namespace {

using base::Json;
using image::CheckResult;
using report::Format;

constexpr int problems_found = 3;

struct Examined {
  std::filesystem::path file;
  std::optional<image::Repair> repair;
  CheckResult before, after;  // the same where nothing is repaired
};

std::optional<image::Repair> asked_repair(const Arguments& arguments) {
  const auto repair = arguments.value("--repair");
  if (!repair) return std::nullopt;
  return *repair == "all" ? image::Repair::all : image::Repair::leaks;
}

// Whoever uses the image may change it at any time, or be misled by what changes under it.
template <typename Function>
auto refusing_busy(Function function) {
  try {
    return function();
  } catch (const base::Error& error) {
    if (error.kind() != base::ErrorKind::busy) throw;
    throw base::Error(base::ErrorKind::refused, error.message()).on(error.path()).hint(error.hint());
  }
}

Examined examine(const Context& context) {
  Examined examined{image_file(context.arguments), asked_repair(context.arguments), {}, {}};
  const auto& file = examined.file;
  const bool repairs = examined.repair && !context.dry_run();
  sys::Progress line(context.host, (repairs ? "Repairing " : "Checking ") + file.string(), sys::status(file).size_bytes,
                     context.quiet);
  const auto progress = [&](std::uint64_t done) { line.at(done); };
  if (repairs) {
    check_is_no_base(file, open_store(context));
    auto result = refusing_busy([&] { return image::repair_image(file, *examined.repair, progress); });
    examined.before = std::move(result.before);
    examined.after = std::move(result.after);
  } else {
    examined.before = examined.after = refusing_busy([&] { return image::check_image(file, progress); });
  }
  return examined;
}

Json finding_json(const image::CheckFinding& found) {
  Json json;
  json.set("id", found.finding.id).set("severity", word(found.finding.severity)).set("subject", found.finding.subject);
  json.set("message", found.finding.message).set("remedy", found.finding.remedy).set("offset_bytes", found.offset);
  return json;
}

// Of a plan: what would be repaired, as far as it can be.
Json repaired_json(const Examined& examined, bool dry_run) {
  if (!examined.repair) return {};
  const bool all = *examined.repair == image::Repair::all;
  const auto& before = examined.before;
  const auto less = [](std::uint64_t then, std::uint64_t now) { return then - std::min(then, now); };
  Json json;
  json.set("corruptions",
           dry_run ? (all ? before.corruptions : 0) : less(before.corruptions, examined.after.corruptions));
  return json.set("leaks", dry_run ? before.leaks : less(before.leaks, examined.after.leaks));
}

Json to_json(const Examined& examined, bool dry_run) {
  const auto& result = examined.after;
  Json json, findings = Json::array();
  for (const auto& found : result.findings) findings.push(finding_json(found));
  json.set("path", examined.file.string()).set("errors", result.errors).set("corruptions", result.corruptions);
  json.set("leaks", result.leaks).set("allocated_clusters", result.allocated_clusters);
  json.set("compressed_clusters", result.compressed_clusters).set("total_clusters", result.total_clusters);
  json.set("image_end_bytes", result.image_end_bytes).set("repaired", repaired_json(examined, dry_run));
  return json.set("findings", findings).set("more_findings", result.more_findings);
}

std::vector<report::View> views(const Examined& examined, bool dry_run) {
  std::vector<report::Column> fields = {{"Image", "path"},
                                        {"Corruptions", "corruptions"},
                                        {"Leaked clusters", "leaks"},
                                        {"Unreadable", "errors"},
                                        {"Allocated", "allocated_clusters"},
                                        {"of", "total_clusters"},
                                        {"Ends at", "image_end_bytes", Format::bytes}};
  if (examined.repair) {
    const std::string verb = dry_run ? "Would repair" : "Repaired";
    fields.insert(fields.begin() + 1,
                  {{verb + " corruptions", "repaired.corruptions"}, {verb + " leaks", "repaired.leaks"}});
  }
  return {report::FieldsView{.fields = fields}, report::FindingsView{.rows = "findings"}};
}

Outcome run_image_check(const Context& context) {
  const bool dry_run = context.dry_run();
  const auto examined = examine(context);
  if (examined.after.more_findings != 0)
    context.note(fmt::format("{} more findings of these kinds are not listed", examined.after.more_findings));
  return {.report = report::Report{.schema = dry_run ? "hrvm.image-check-plan/1" : "hrvm.image-check/1",
                                   .data = to_json(examined, dry_run),
                                   .human = views(examined, dry_run),
                                   .plain = {.rows = "",
                                             .columns = {{"", "path"},
                                                         {"", "errors"},
                                                         {"", "corruptions"},
                                                         {"", "leaks"},
                                                         {"", "allocated_clusters"},
                                                         {"", "total_clusters"},
                                                         {"", "image_end_bytes"}}}},
          .status = examined.after.is_sound() ? 0 : problems_found};
}

}  // namespace

const Command image_check_command = {
    .name = "image check",
    .summary = "check a qcow2 image, and repair it",
    .options = {{.name = "--repair",
                 .value = "WHAT",
                 .help = "give leaked clusters back, or set right all that can be",
                 .choices = {"leaks", "all"}},
                dry_run_option()},
    .positionals = {{"FILE", "a qcow2 image", Completes::file}},
    .run = run_image_check,
};

}  // namespace hrvm::cli
