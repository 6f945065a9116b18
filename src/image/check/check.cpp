#include "hrvm/image/check.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "hrvm/base/error.hpp"
#include "hrvm/base/json.hpp"
#include "hrvm/block/devices.hpp"
#include "hrvm/block/image_lock.hpp"
#include "hrvm/sys/confined.hpp"
#include "image/check/passes.hpp"

namespace hrvm::image {
namespace {

using base::Error;
using base::ErrorKind;
using base::Json;

struct Number {
  const char* name;
  std::uint64_t CheckResult::*member;
};
constexpr Number numbers[] = {
    {"errors", &CheckResult::errors},
    {"corruptions", &CheckResult::corruptions},
    {"leaks", &CheckResult::leaks},
    {"allocated", &CheckResult::allocated_clusters},
    {"compressed", &CheckResult::compressed_clusters},
    {"total", &CheckResult::total_clusters},
    {"end", &CheckResult::image_end_bytes},
    {"more", &CheckResult::more_findings},
};

Json to_json(const CheckFinding& found) {
  Json json;
  json.set("id", found.finding.id).set("severity", int(found.finding.severity)).set("subject", found.finding.subject);
  json.set("message", found.finding.message).set("remedy", found.finding.remedy).set("offset", found.offset);
  return json;
}

std::string encode(const Examination& examination) {
  const auto& result = examination.result;
  Json json, findings = Json::array();
  json.set("needs_rebuild", examination.needs_rebuild).set("lost_sight_of", examination.lost_sight_of);
  json.set("has_damaged_snapshots", examination.has_damaged_snapshots);
  json.set("wrong_counts", examination.wrong_counts).set("most_uses", examination.most_uses);
  for (const auto& number : numbers) json.set(number.name, result.*number.member);
  for (const auto& found : result.findings) findings.push(to_json(found));
  return base::to_text(json.set("findings", findings), -1);
}

CheckFinding finding_from(const Json& json) {
  const auto severity = std::min(json["severity"].unsigned_integer().value_or(2), std::uint64_t(base::Severity::error));
  const auto text = [&](const char* name) { return json[name].text().value_or(""); };
  return {{text("id"), base::Severity(severity), text("subject"), text("message"), text("remedy")},
          json["offset"].unsigned_integer().value_or(0)};
}

Examination decode(const std::string& text) {
  const auto json = base::parse_json(text, "the answer");
  Examination examination{.result = {},
                          .needs_rebuild = json["needs_rebuild"].boolean().value_or(true),
                          .lost_sight_of = json["lost_sight_of"].text().value_or("its reader's answer makes no sense"),
                          .has_damaged_snapshots = json["has_damaged_snapshots"].boolean().value_or(false),
                          .wrong_counts = json["wrong_counts"].unsigned_integer().value_or(0),
                          .most_uses = json["most_uses"].unsigned_integer().value_or(0)};
  auto& result = examination.result;
  for (const auto& number : numbers) result.*number.member = json[number.name].unsigned_integer().value_or(0);
  for (const auto& item : json["findings"].items()) result.findings.push_back(finding_from(item));
  return examination;
}

void check_unwritten(const std::filesystem::path& file) {
  if (block::image_use(file) != block::ImageUse::write) return;
  const auto holder = block::image_holder(file);
  throw Error(ErrorKind::busy, fmt::format("{} is being written to by {}, so its counts cannot be checked",
                                           file.string(), holder.text()))
      .on(file.string())
      .hint(holder.remedy() + "; or check a snapshot of it");
}

// The tables of 16 TiB come in in minutes from a slow disk. What takes longer was made to.
constexpr sys::Confinement limits{.memory_bytes = 1ull << 30, .time = std::chrono::minutes(30)};

constexpr auto between_progress = std::chrono::milliseconds(100);

}  // namespace

Examination examine_confined(block::BlockDevice& file, const sys::ProgressCallback& progress) {
  sys::SharedNumber place;
  const auto examine = [&] {
    const WalkTask task{.progress = [&](std::uint64_t done) { place.set(done); }};
    return encode(run_passes(file, read_header(file), task));
  };
  sys::ConfinedRun run(examine, limits);
  while (!run.wait(between_progress)) progress(std::min(place.get(), file.size()));
  const auto answer = run.answer();
  if (answer.text) return decode(*answer.text);
  throw Error(ErrorKind::corrupt, fmt::format("checking {} failed: the reader {}", file.name(), answer.death))
      .on(file.name())
      .hint("the image may be made to break what reads it; please report it");
}

CheckResult check_image(const std::filesystem::path& file, const sys::ProgressCallback& progress) {
  check_unwritten(file);
  auto found = examine_confined(*block::open_device(file), progress).result;
  // Somebody who began to write meanwhile made what was found worth nothing.
  check_unwritten(file);
  return found;
}

}  // namespace hrvm::image
