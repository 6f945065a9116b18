#include "cli/steps/verify_report.hpp"

#include <fmt/core.h>

#include "cli/views/or_null.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/machine/full_hash.hpp"
#include "hrvm/sys/files.hpp"

namespace hrvm::cli {
namespace {

using base::Json;

Json host_json(const sys::Host& host) {
  const auto line = [&](std::string_view file) {
    return or_null(sys::try_read_line(host.path(fmt::format("/proc/sys/kernel/{}", file))).value_or(""));
  };
  return Json::object()
      .set("name", line("hostname"))
      .set("kernel", line("osrelease"))
      .set("boot_id", line("random/boot_id"));
}

// As it was imported, and where it is now.
Json disk_json(const machine::BaseIdentity& then, const probe::Disk* now) {
  Json json;
  json.set("kind", word(then.kind)).set("format", word(then.format)).set("path", or_null(then.path));
  json.set("stable_path", or_null(then.stable_path)).set("size_bytes", then.size_bytes);
  json.set("model", or_null(then.model)).set("serial", or_null(then.serial)).set("wwn", or_null(then.wwn));
  json.set("table_uuid", or_null(then.table_uuid)).set("sha256_then", or_null(then.sha256));
  return json.set("path_now", now ? or_null(now->path) : Json());
}

Json disks_json(const VerifyReport& report) {
  Json list = Json::array();
  const auto& disks = report.machine.definition.disks;
  for (std::size_t i = 0; i < disks.size(); ++i)
    list.push(disk_json(disks[i], i < report.disks.size() ? &report.disks[i] : nullptr));
  return list;
}

Json report_json(const Context& context, const VerifyReport& report) {
  Json json;
  json.set("schema", "hrvm.verify-report/1").set("hrvm", HRVM_VERSION).set("host", host_json(context.host));
  json.set("begun", base::format_time(report.begun)).set("ended", base::format_time(context.host.now()));
  json.set("machine_uuid", report.machine.definition.uuid.text()).set("disks", disks_json(report));
  for (const auto& [name, value] : report.found.members()) json.set(name, value);
  return json;
}

std::string shown(const Json& value) {
  if (value.is_null()) return "-";
  if (const auto text = value.text()) return base::printable(*text);
  if (const auto truth = value.boolean()) return *truth ? "yes" : "no";
  return base::printable(base::to_text(value, -1));
}

void add_line(std::string& text, std::string_view name, const Json& value) {
  text += fmt::format("{:<16}{}\n", name, shown(value));
}

void add_members(std::string& text, const Json& object) {
  for (const auto& [name, value] : object.members()) add_line(text, "  " + name, value);
}

void add_evidence(std::string& text, const Json& evidence) {
  text += "\nEvidence\n";
  for (const auto& each : evidence.items()) {
    text += fmt::format("  {}\n", shown(each["what"]));
    for (const auto* part : {"then", "now", "same"}) text += fmt::format("    {:<6}{}\n", part, shown(each[part]));
  }
}

std::string report_text(const Json& json) {
  std::string text = fmt::format("Is the disk of {} what it was? A report by hrvm {}\n\n", shown(json["machine"]),
                                 shown(json["hrvm"]));
  for (const auto* name : {"begun", "ended", "machine", "machine_uuid", "snapshot", "verdict", "summary"})
    add_line(text, name, json[name]);
  add_line(text, "compared with", json["taken"]);
  for (const auto& reason : json.at_path("base.reasons").items()) add_line(text, "because", reason);
  for (const auto& touch : json["touched"].items()) add_line(text, "touched", touch);
  for (const auto& fault : json["layer_faults"].items()) add_line(text, "damaged", fault);
  text += "\nHost\n";
  add_members(text, json["host"]);
  for (const auto& disk : json["disks"].items()) {
    text += "\nDisk\n";
    add_members(text, disk);
  }
  add_evidence(text, json["evidence"]);
  return text + "\n";
}

std::string sealed_text(const Json& json) {
  const auto text = report_text(json);
  return fmt::format("{}SHA-256 of all above: {}\n", text, machine::sha256_of(text));
}

// The hash is the last member, and its line no part of what is hashed.
std::string sealed_json(const Json& json) {
  auto text = base::to_text(json);
  text.resize(text.rfind('\n'));
  text += ",\n";
  return fmt::format("{}  \"report_sha256\": \"{}\"\n}}\n", text, machine::sha256_of(text));
}

}  // namespace

void write_report(const Context& context, const VerifyReport& report, const sys::Path& file) {
  const auto json = report_json(context, report);
  sys::AtomicFile out(file, 0644);
  out.write(file.extension() == ".json" ? sealed_json(json) : sealed_text(json));
  out.commit();
}

}  // namespace hrvm::cli
