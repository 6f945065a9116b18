// Contents there and back through a pipe. What comes back may be what a broken child wrote: absence is tolerated
// everywhere.
#include "hrvm/probe/survey.hpp"

namespace hrvm::probe {
namespace {

using base::Json;

std::string text(const Json& json, std::string_view key) { return json[key].text().value_or(""); }
std::uint64_t number(const Json& json, std::string_view key) { return json[key].unsigned_integer().value_or(0); }
bool flag(const Json& json, std::string_view key) { return json[key].boolean().value_or(false); }

// A word of a closed set; the first for what is none of them.
template <base::HasWords T>
T one_of(const Json& json, std::string_view key) {
  return from_word<T>(text(json, key)).value_or(T{});
}
template <typename Enum>
Enum one_of(const std::string& given, std::initializer_list<Enum> all) {
  for (Enum value : all)
    if (word(value) == given) return value;
  return *all.begin();
}

Json to_json(const SurveyedPartition& surveyed) {
  const Partition& partition = surveyed.partition;
  Json json;
  json.set("number", partition.number)
      .set("start_bytes", partition.start_bytes)
      .set("size_bytes", partition.size_bytes);
  json.set("type", partition.type).set("type_name", partition.type_name).set("name", partition.name);
  json.set("partuuid", partition.partuuid).set("active", partition.active).set("role", surveyed.role);
  return json.set("filesystem", surveyed.filesystem).set("label", surveyed.label).set("uuid", surveyed.uuid);
}

SurveyedPartition partition_from(const Json& json) {
  SurveyedPartition surveyed;
  surveyed.partition = {
      unsigned(number(json, "number")), number(json, "start_bytes"), number(json, "size_bytes"), text(json, "type"),
      text(json, "type_name"),          text(json, "name"),          text(json, "partuuid"),     flag(json, "active")};
  surveyed.role = text(json, "role");
  surveyed.filesystem = text(json, "filesystem");
  surveyed.label = text(json, "label");
  surveyed.uuid = text(json, "uuid");
  return surveyed;
}

Json to_json(const Volume& volume) {
  Json json;
  json.set("path", volume.path).set("kind", word(volume.kind)).set("size_bytes", volume.size_bytes);
  return json.set("filesystem", volume.filesystem)
      .set("label", volume.label)
      .set("uuid", volume.uuid)
      .set("details", volume.details);
}

Volume volume_from(const Json& json) {
  return {text(json, "path"),         one_of<VolumeKind>(json, "kind"),
          number(json, "size_bytes"), text(json, "filesystem"),
          text(json, "label"),        text(json, "uuid"),
          text(json, "details")};
}

Json to_json(const EfiLoader& loader) {
  Json json;
  return json.set("partition", loader.partition).set("path", loader.path).set("removable", loader.removable);
}

EfiLoader loader_from(const Json& json) {
  return {unsigned(number(json, "partition")), text(json, "path"), flag(json, "removable")};
}

Json to_json(const base::Finding& finding) {
  Json json;
  json.set("id", finding.id).set("severity", base::word(finding.severity)).set("subject", finding.subject);
  return json.set("message", finding.message).set("remedy", finding.remedy);
}

base::Finding finding_from(const Json& json) {
  using base::Severity;
  const auto severity = one_of(text(json, "severity"), {Severity::note, Severity::warning, Severity::error});
  return {text(json, "id"), severity, text(json, "subject"), text(json, "message"), text(json, "remedy")};
}

template <typename T>
Json list_of(const std::vector<T>& values, Json (*to_json)(const T&)) {
  Json list = Json::array();
  for (const T& value : values) list.push(to_json(value));
  return list;
}

template <typename T>
std::vector<T> list_from(const Json& list, T (*read)(const Json&)) {
  std::vector<T> values;
  for (const Json& item : list.items()) values.push_back(read(item));
  return values;
}

Json to_json(const DriverEvidence& driver) {
  Json json;
  return json.set("bus", word(driver.bus)).set("verdict", word(driver.verdict)).set("because", driver.because);
}

DriverEvidence driver_from(const Json& json) {
  return {one_of<Bus>(json, "bus"), one_of<Verdict>(json, "verdict"), text(json, "because")};
}

Json to_json(const NicEvidence& nic) {
  Json json;
  return json.set("model", word(nic.model)).set("verdict", word(nic.verdict)).set("because", nic.because);
}

NicEvidence nic_from(const Json& json) {
  return {one_of<Nic>(json, "model"), one_of<Verdict>(json, "verdict"), text(json, "because")};
}

Json to_json(const Bus& bus) { return Json(word(bus)); }

Bus bus_from(const Json& json) { return from_word<Bus>(json.text().value_or("")).value_or(Bus{}); }

Json to_json(const BootConfiguration& boot) {
  Json json;
  json.set("loader", boot.loader).set("source", boot.source).set("entry", boot.entry).set("kernel", boot.kernel);
  json.set("initramfs", boot.initramfs).set("command_line", boot.command_line).set("root", boot.root);
  json.set("root_by", boot.root_by);
  json.set("serial_console", boot.serial_console);
  Json others = Json::array();
  for (const auto& [key, value] : boot.others) {
    Json other;
    others.push(other.set("key", key).set("value", value));
  }
  return json.set("others", std::move(others));
}

std::optional<BootConfiguration> boot_from(const Json& json) {
  if (!json["loader"].text()) return std::nullopt;
  BootConfiguration boot{text(json, "loader"),         text(json, "source"),
                         text(json, "entry"),          text(json, "kernel"),
                         text(json, "initramfs"),      text(json, "command_line"),
                         text(json, "root"),           text(json, "root_by"),
                         flag(json, "serial_console"), {}};
  for (const Json& other : json["others"].items()) boot.others.emplace_back(text(other, "key"), text(other, "value"));
  return boot;
}

Json to_json(const SystemMount& mount) {
  Json json;
  return json.set("point", mount.point).set("source", mount.source);
}

SystemMount mount_from(const Json& json) { return {text(json, "point"), text(json, "source")}; }

Json to_json(const SystemState& state) {
  Json json;
  json.set("name", state.name).set("version", state.version).set("title", state.title).set("date", state.date);
  return json.set("default", state.is_default).set("root", state.root).set("folder", state.folder);
}

SystemState state_from(const Json& json) {
  return {text(json, "name"),    text(json, "version"), text(json, "title"), json["date"].integer().value_or(0),
          flag(json, "default"), text(json, "root"),    text(json, "folder")};
}

Json to_json(const System& system) {
  Json json;
  json.set("id", system.id).set("name", system.name).set("version", system.version).set("pretty", system.pretty);
  json.set("family", word(system.family)).set("hostname", system.hostname).set("root", system.root);
  json.set("architecture", system.architecture);
  json.set("kernels", Json(system.kernels)).set("virtio", word(system.virtio)).set("encrypted", system.encrypted);
  json.set("hibernated", system.hibernated).set("needs_recovery", system.needs_recovery);
  json.set("inside", system.inside).set("drivers", list_of(system.drivers, to_json));
  json.set("nics", list_of(system.nics, to_json));
  json.set("named_buses", list_of(system.named_buses, to_json)).set("named_by", system.named_by);
  json.set("folder", system.folder).set("kind", system.kind);
  json.set("mounts", list_of(system.mounts, to_json)).set("states", list_of(system.states, to_json));
  return json.set("boot", system.boot ? to_json(*system.boot) : Json());
}

System system_from(const Json& json) {
  System system;
  system.id = text(json, "id");
  system.name = text(json, "name");
  system.version = text(json, "version");
  system.pretty = text(json, "pretty");
  system.family = one_of<SystemFamily>(json, "family");
  system.hostname = json["hostname"].text();
  system.root = text(json, "root");
  system.architecture = text(json, "architecture");
  for (const Json& kernel : json["kernels"].items()) system.kernels.push_back(kernel.text().value_or(""));
  system.virtio = one_of<Verdict>(json, "virtio");
  system.encrypted = flag(json, "encrypted");
  system.hibernated = flag(json, "hibernated");
  system.needs_recovery = flag(json, "needs_recovery");
  system.inside = json["inside"].text();
  system.drivers = list_from(json["drivers"], driver_from);
  system.nics = list_from(json["nics"], nic_from);
  system.named_buses = list_from(json["named_buses"], bus_from);
  system.named_by = text(json, "named_by");
  system.folder = text(json, "folder");
  system.kind = text(json, "kind");
  system.mounts = list_from(json["mounts"], mount_from);
  system.states = list_from(json["states"], state_from);
  system.boot = boot_from(json["boot"]);
  return system;
}

Json to_json(const DiskSet& set) {
  Json json;
  json.set("kind", word(set.kind)).set("uuid", set.uuid).set("name", set.name);
  return json.set("is_complete", set.is_complete).set("missing", Json(set.missing));
}

DiskSet set_from(const Json& json) {
  DiskSet set{
      one_of<VolumeKind>(json, "kind"), text(json, "uuid"), text(json, "name"), flag(json, "is_complete"), {}, {}};
  for (const Json& missing : json["missing"].items()) set.missing.push_back(missing.text().value_or(""));
  return set;
}

}  // namespace

Json to_json(const Contents& contents) {
  Json boot;
  boot.set("bios", contents.boot.bios).set("bios_reason", contents.boot.bios_reason);
  boot.set("loaders", list_of(contents.boot.loaders, to_json));
  Json json;
  json.set("table", word(contents.table)).set("table_uuid", contents.table_uuid);
  json.set("logical_sector_bytes", contents.logical_sector_bytes)
      .set("partitions", list_of(contents.partitions, to_json));
  json.set("volumes", list_of(contents.volumes, to_json)).set("boot", std::move(boot));
  json.set("sets", list_of(contents.sets, to_json));
  json.set("reads", contents.reads.reads).set("read_bytes", contents.reads.bytes);
  return json.set("systems", list_of(contents.systems, to_json)).set("findings", list_of(contents.findings, to_json));
}

Contents contents_from_json(const Json& json) {
  Contents contents;
  contents.table = one_of(text(json, "table"), {TableKind::none, TableKind::dos, TableKind::gpt});
  contents.table_uuid = text(json, "table_uuid");
  contents.logical_sector_bytes = std::uint32_t(number(json, "logical_sector_bytes"));
  contents.partitions = list_from(json["partitions"], partition_from);
  contents.volumes = list_from(json["volumes"], volume_from);
  contents.boot.bios = flag(json["boot"], "bios");
  contents.boot.bios_reason = text(json["boot"], "bios_reason");
  contents.boot.loaders = list_from(json["boot"]["loaders"], loader_from);
  contents.systems = list_from(json["systems"], system_from);
  contents.sets = list_from(json["sets"], set_from);
  contents.reads = {number(json, "reads"), number(json, "read_bytes")};
  contents.findings = list_from(json["findings"], finding_from);
  return contents;
}

}  // namespace hrvm::probe
