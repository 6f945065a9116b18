#include <algorithm>
#include <span>

#include "hrvm/machine/definition.hpp"
#include "hrvm/machine/settings.hpp"
#include "machine/definition/definition_schema.hpp"

namespace hrvm::machine {
namespace {

base::Json hardware_json(const Hardware& hardware) {
  auto json = base::Json::object();
  for (const auto& setting : hardware_settings()) json.set(std::string(setting.member), to_json(setting, hardware));
  return json.set("mac", hardware.mac).set("because", hardware.because);
}

// Each hardware once, by its place. Most snapshots have that of the active state, which is the first.
class HardwareList {
 public:
  std::size_t place_of(const Hardware& hardware) {
    const auto found = std::ranges::find_if(list_, [&](const auto* each) { return *each == hardware; });
    if (found == list_.end()) return list_.push_back(&hardware), list_.size() - 1;
    return std::size_t(found - list_.begin());
  }
  base::Json json() const {
    auto json = base::Json::array();
    for (const auto* each : list_) json.push(hardware_json(*each));
    return json;
  }

 private:
  std::vector<const Hardware*> list_;
};

base::Json base_json(const BaseIdentity& identity) {
  auto json = base::Json::object()
                  .set("path", identity.path)
                  .set("stable_path", identity.stable_path)
                  .set("kind", word(identity.kind))
                  .set("format", word(identity.format))
                  .set("size_bytes", identity.size_bytes)
                  .set("logical_sector_bytes", identity.sectors.logical_bytes)
                  .set("physical_sector_bytes", identity.sectors.physical_bytes)
                  .set("model", identity.model)
                  .set("serial", identity.serial)
                  .set("wwn", identity.wwn)
                  .set("table_uuid", identity.table_uuid)
                  .set("sha256", identity.sha256);
  if (!identity.former_paths.empty()) json.set("former_paths", identity.former_paths);
  return json;
}

base::Json other_disk_json(const BaseIdentity& identity) {
  if (!identity.is_empty()) return base_json(identity);
  return base::Json::object().set("kind", word(identity.kind)).set("size_bytes", identity.size_bytes);
}

base::Json other_disks_json(const std::vector<BaseIdentity>& disks) {
  auto list = base::Json::array();
  for (const auto& disk : std::span(disks).subspan(1)) list.push(other_disk_json(disk));
  return list;
}

base::Json geometry_json(const image::Geometry& geometry) {
  return base::Json::object().set("cluster_bytes", geometry.cluster_bytes).set("extended_l2", geometry.extended_l2);
}

base::Json state_json(const State& state, HardwareList& hardware) {
  return base::Json::object()
      .set("layer", state.layer)
      .set("nvram", state.nvram)
      .set("head", state.head)
      .set("hardware", hardware.place_of(state.hardware));
}

base::Json marks_json(const std::vector<Mark>& marks) {
  base::Json list = base::Json::array();
  for (const auto& mark : marks) list.push(base::Json::object().set("what", mark.what).set("value", mark.value));
  return list;
}

base::Json memory_json(const SavedMemory& memory) {
  auto json = base::Json::object()
                  .set("id", memory.id)
                  .set("size_bytes", memory.size_bytes)
                  .set("machine_type", memory.machine_type)
                  .set("needs", marks_json(memory.needs));
  if (!memory.sha256.empty()) json.set("sha256", memory.sha256);
  return json;
}

// What is as it mostly is goes without saying: there may be a thousand.
base::Json snapshot_json(const Snapshot& snapshot, HardwareList& hardware) {
  auto json = base::Json::object().set("name", snapshot.name);
  if (snapshot.parent) json.set("parent", snapshot.parent);
  json.set("created", base::format_time(snapshot.created));
  if (!snapshot.description.empty()) json.set("description", snapshot.description);
  json.set("layer", snapshot.layer);
  if (snapshot.nvram) json.set("nvram", snapshot.nvram);
  if (const auto place = hardware.place_of(snapshot.hardware)) json.set("hardware", place);
  if (snapshot.is_auto) json.set("auto", true);
  if (snapshot.is_nameless()) json.set("nameless", true);
  if (snapshot.consistency != Consistency::stopped) json.set("consistency", word(snapshot.consistency));
  if (snapshot.memory) json.set("memory", memory_json(*snapshot.memory));
  return json;
}

base::Json snapshots_json(const std::vector<Snapshot>& snapshots, HardwareList& hardware) {
  base::Json list = base::Json::array();
  for (const auto& snapshot : snapshots) list.push(snapshot_json(snapshot, hardware));
  return list;
}

base::Json step_json(const Step& step, HardwareList& hardware) {
  auto json = base::Json::object().set("number", step.number);
  if (step.when != base::Time{}) json.set("when", base::format_time(step.when));
  json.set("what", step.what);
  if (step.is_undo) json.set("is_undo", true);
  if (step.held) json.set("held", state_json(*step.held, hardware));
  if (step.held && step.is_empty) json.set("is_empty", true);
  if (!step.deleted.empty()) json.set("deleted", snapshots_json(step.deleted, hardware));
  if (!step.restored.empty()) json.set("restored", step.restored);
  return json;
}

base::Json log_json(const std::vector<Step>& log, HardwareList& hardware) {
  base::Json list = base::Json::array();
  for (const auto& step : log) list.push(step_json(step, hardware));
  return list;
}

base::Json pending_json(const PendingSnapshot& pending) {
  auto json = base::Json::object().set("name", pending.name).set("created", base::format_time(pending.created));
  if (!pending.description.empty()) json.set("description", pending.description);
  json.set("layer", pending.layer);
  if (pending.nvram) json.set("nvram", pending.nvram);
  if (pending.is_auto) json.set("auto", true);
  return json;
}

base::Json fingerprints_json(const std::map<std::string, Fingerprint>& fingerprints) {
  base::Json object = base::Json::object();
  for (const auto& [layer, fingerprint] : fingerprints) object.set(layer, to_json(fingerprint));
  return object;
}

base::Json frozen_json(const std::vector<FrozenFile>& files) {
  base::Json list = base::Json::array();
  for (const auto& file : files) {
    auto json = base::Json::object().set("size_bytes", file.size_bytes).set("modified", file.modified);
    json.set("tables", file.tables);
    if (!file.sha256.empty()) json.set("sha256", file.sha256);
    list.push(std::move(json));
  }
  return list;
}

base::Json frozen_json(const std::map<std::string, std::vector<FrozenFile>>& frozen) {
  base::Json object = base::Json::object();
  for (const auto& [layer, files] : frozen) object.set(layer, frozen_json(files));
  return object;
}

}  // namespace

base::Json to_json(const Fingerprint& fingerprint) {
  auto json = base::Json::object().set("taken", base::format_time(fingerprint.taken));
  json.set("marks", marks_json(fingerprint.marks));
  if (!fingerprint.traces.empty()) json.set("traces", marks_json(fingerprint.traces));
  return json;
}

base::Json to_json(const Definition& definition) {
  auto json = base::Json::object();
  json.set("schema", definition_schema)
      .set("uuid", definition.uuid.text())
      .set("created", base::format_time(definition.created))
      .set("description", definition.description)
      .set("system", definition.system)
      .set("base", base_json(definition.disks.front()));
  if (definition.disks.size() > 1) json.set("other_disks", other_disks_json(definition.disks));
  if (definition.autostart) json.set("autostart", true);
  if (definition.auto_snapshot) json.set("auto_snapshot", true);
  if (definition.folder_inode != 0) json.set("folder_inode", definition.folder_inode);
  if (!definition.frozen.empty()) json.set("frozen", frozen_json(definition.frozen));
  if (definition.pending) json.set("pending", pending_json(*definition.pending));
  HardwareList hardware;
  return json.set("geometry", geometry_json(definition.geometry))
      .set("active", state_json(definition.active, hardware))
      .set("log", log_json(definition.log, hardware))
      .set("snapshots", snapshots_json(definition.snapshots, hardware))
      .set("hardware", hardware.json())
      .set("fingerprints", fingerprints_json(definition.fingerprints));
}

}  // namespace hrvm::machine
