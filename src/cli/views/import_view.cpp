#include "cli/views/import_view.hpp"

#include <fmt/core.h>

#include "cli/views/findings_json.hpp"
#include "cli/views/machine_view.hpp"
#include "hrvm/base/text.hpp"

namespace hrvm::cli {
namespace {

using base::Json;
using report::Format;

// The choices first, then what to type; what a person should know besides goes to stderr.
std::vector<report::View> views(const std::string& heading, const std::string& next) {
  const report::FieldsView choices{.title = "",
                                   .object = "",
                                   .fields = {{"Base", "base.path"},
                                              {"Size", "base.size_bytes", Format::bytes},
                                              {"System", "system"},
                                              {"Firmware", "firmware"},
                                              {"Bus", "bus"},
                                              {"Memory", "memory_bytes", Format::bytes},
                                              {"CPUs", "cpus"},
                                              {"Network", "net"},
                                              {"Because", "because", Format::lines}}};
  return {report::TextView{heading}, report::EachView{"machines", {}, {choices}}, report::TextView{next}};
}

report::Report report_of(std::string schema, Json machine, const machine::ImportPlan& plan,
                         std::vector<report::View> human) {
  Json data;
  data.set("machines", Json::Array{std::move(machine)}).set("findings", findings_json(plan.findings));
  return {.schema = std::move(schema), .data = std::move(data), .human = std::move(human), .plain = machine_lines()};
}

// "/dev/sda and /dev/sdb".
std::string paths_of(const machine::Definition& definition) {
  std::vector<std::string> paths;
  for (const auto& disk : definition.disks)
    if (!disk.is_empty()) paths.push_back(disk.path);
  return base::join(paths, " and ");
}

}  // namespace

report::Report import_report(const sys::Host& host, const machine::Machine& machine, const machine::ImportPlan& plan) {
  const machine::BaseState just_read;  // its fingerprint was taken a moment ago
  auto report =
      report_of("hrvm.import/1", machine_json(host, machine, just_read), plan,
                views(fmt::format("Imported {} as {}", base::printable(paths_of(machine.definition)), machine.name),
                      fmt::format("\nBoot it:  hrvm boot {}", machine.name)));
  report.names = {machine.name};
  return report;
}

report::Report import_plan_report(const machine::Store& store, const machine::ImportPlan& plan) {
  const machine::Machine unborn{plan.name, store.folder() / plan.name, 0, plan.change.definition};
  Json json;
  json.set("name", plan.name).set("plan", to_json(plan.change));
  const auto& definition = plan.change.definition;
  const auto& hardware = definition.active.hardware;
  const auto& base = definition.disks.front();
  json.set("base", Json::object()
                       .set("path", base.path)
                       .set("stable_path", base.stable_path)
                       .set("size_bytes", base.is_folder() ? Json() : Json(base.size_bytes)));
  json.set("folder", unborn.folder.string())
      .set("system", definition.system.empty() ? Json() : Json(definition.system));
  set_hardware(json, hardware, false);
  json.set("because", hardware.because);
  return report_of("hrvm.import-plan/1", std::move(json), plan,
                   views(fmt::format("Would import {} as {}", paths_of(definition), plan.name), "\nNothing was done"));
}

}  // namespace hrvm::cli
