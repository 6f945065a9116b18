#include "hrvm/launch/run_record.hpp"

#include <fmt/core.h>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/json.hpp"
#include "hrvm/sys/files.hpp"

namespace hrvm::launch {

namespace {

using base::Json;

constexpr std::size_t largest_record = 64 * base::KiB;

machine::Path record_file(const machine::Path& run_folder) { return run_folder / "run.json"; }

Json or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }

std::string vnc_place(const PlannedConsoles& consoles) {
  return consoles.vnc_port ? fmt::format("127.0.0.1:{}", *consoles.vnc_port) : consoles.vnc_socket;
}

std::string serial_place(const PlannedConsoles& consoles) {
  if (consoles.serial == SerialTarget::none) return {};
  return consoles.serial == SerialTarget::terminal ? "terminal" : consoles.serial_socket;
}

Json forwards_json(const std::vector<machine::PortForward>& forwards) {
  Json list = Json::array();
  for (const auto& forward : forwards) list.push(word(forward));
  return list;
}

std::vector<std::string> texts_of(const Json& list) {
  std::vector<std::string> texts;
  for (const auto& item : list.items())
    if (auto text = item.text()) texts.push_back(*std::move(text));
  return texts;
}

std::optional<RunRecord> record_from(const Json& json) {
  const auto since = base::parse_time(json["since"].text().value_or(""));
  const auto memory = json["memory_bytes"].unsigned_integer(), cpus = json["cpus"].unsigned_integer();
  if (!since || !memory || !cpus) return std::nullopt;
  RunRecord record{.since = *since, .snapshot = json["snapshot"].text(), .memory_bytes = *memory, .cpus = *cpus};
  record.net = json["net"].text().value_or("");
  record.accel = json["accel"].text().value_or("");
  record.forwards = texts_of(json["forwards"]);
  record.vnc = json["vnc"].text().value_or("");
  record.console = json["console"].text().value_or("");
  return record;
}

}  // namespace

void write_run_record(const LaunchPlan& plan, base::Time since) {
  Json json;
  json.set("since", base::format_time(since)).set("snapshot", plan.snapshot);
  json.set("memory_bytes", plan.hardware.memory_bytes).set("cpus", plan.hardware.cpus);
  json.set("net", word(plan.hardware.network)).set("forwards", forwards_json(plan.network.forwards));
  json.set("vnc", or_null(vnc_place(plan.consoles))).set("console", or_null(serial_place(plan.consoles)));
  json.set("accel", word(plan.emulator.accelerator));
  sys::AtomicFile file(record_file(plan.control.run_folder));
  file.write(base::to_text(json, -1));
  file.commit();
}

std::optional<RunRecord> run_record(const machine::Path& run_folder) {
  const auto file = record_file(run_folder);
  try {
    const auto text = sys::try_read_file(file, largest_record);
    return text ? record_from(base::parse_json(*text, file.string())) : std::nullopt;
  } catch (const base::Error&) {
    return std::nullopt;
  }
}

}  // namespace hrvm::launch
