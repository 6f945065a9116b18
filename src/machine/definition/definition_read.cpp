#include <fmt/core.h>

#include <algorithm>
#include <initializer_list>
#include <limits>
#include <set>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/machine/definition.hpp"
#include "machine/definition/definition_check.hpp"
#include "machine/definition/definition_schema.hpp"
#include "machine/definition/document_value.hpp"
#include "machine/definition/setting_forms.hpp"

namespace hrvm::machine {
namespace {

using Value = DocumentValue;

constexpr auto most_bytes = std::uint64_t(std::numeric_limits<std::int64_t>::max());

bool is_hex_digit(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

// Locally administered and unicast, as QEMU's range is: "52:54:00:12:34:56".
bool is_mac(std::string_view text) {
  if (text.size() != 17) return false;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (i % 3 == 2 ? text[i] != ':' : !is_hex_digit(text[i])) return false;
  return ((text[1] <= '9' ? text[1] - '0' : text[1] - 'a' + 10) & 1) == 0;
}

bool is_sha256_or_empty(std::string_view text) {
  return text.empty() || (text.size() == 64 && std::all_of(text.begin(), text.end(), is_hex_digit));
}

// One word of QEMU's own, so that nothing else can be said with it: "pc-q35-7.2".
bool is_machine_type(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, [](char c) {
    return is_hex_digit(c) || (c >= 'g' && c <= 'z') || c == '-' || c == '.';
  });
}

std::string read_id(const Value& value) { return value.text_where(is_id, "an id of 16 hex digits"); }
std::string read_snapshot_name(const Value& value) {
  return value.text_where(is_snapshot_name, "a snapshot's name ([A-Za-z0-9][A-Za-z0-9._:-]*)");
}
// What a state or a snapshot lies on, which may have no name.
std::string read_node(const Value& value) {
  const auto is_node = [](std::string_view text) {
    return is_snapshot_name(text) || (text.starts_with('~') && is_id(text.substr(1)));
  };
  return value.text_where(is_node, "a snapshot's name, or ~ and a layer's id");
}

void check_hardware_members(const Value& value) {
  std::vector<std::string_view> first = {"mac", "because"}, later;
  for (const auto& setting : hardware_settings()) (setting.came_later ? later : first).push_back(setting.member);
  value.expect_members(first, later);
}

Hardware read_hardware(const Value& value) {
  check_hardware_members(value);
  Hardware hardware;
  for (const auto& setting : hardware_settings())
    if (value.has(setting.member)) read_setting(setting, value[setting.member], hardware);
  hardware.mac = value["mac"].text_where(is_mac, "a unicast MAC address in lower case");
  hardware.because = value["because"].texts();
  return hardware;
}

std::uint32_t read_sector_bytes(const Value& value) {
  const auto bytes = value.number(512, base::MiB);
  if ((bytes & (bytes - 1)) != 0) value.fail_expected("a power of two");
  return std::uint32_t(bytes);
}

// One of those values of a closed set that can stand here.
template <typename T>
T read_one_of(const Value& value, std::initializer_list<T> allowed) {
  std::vector<std::string> words;
  for (const auto each : allowed) words.emplace_back(word(each));
  const auto found = from_word<T>(value.text());
  if (!found || std::ranges::find(allowed, *found) == allowed.end()) value.fail_expected(base::one_of(words));
  return *found;
}

BaseIdentity read_base(const Value& value) {
  value.expect_members({"path", "stable_path", "kind", "format", "size_bytes", "logical_sector_bytes",
                        "physical_sector_bytes", "model", "serial", "wwn", "table_uuid", "sha256"},
                       {"former_paths"});
  BaseIdentity identity;
  identity.path = value["path"].text_where(is_absolute_path, "an absolute path");
  identity.stable_path = value["stable_path"].text_where(is_absolute_path, "an absolute path");
  identity.kind = read_one_of(value["kind"], {BaseKind::disk, BaseKind::image, BaseKind::folder});
  identity.format = identity.is_folder()
                        ? read_one_of(value["format"], {BaseFormat::folder, BaseFormat::direct})
                        : read_one_of(value["format"], {BaseFormat::raw, BaseFormat::qcow2, BaseFormat::vdi,
                                                        BaseFormat::vpc, BaseFormat::vhdx, BaseFormat::vmdk});
  identity.size_bytes = value["size_bytes"].number(identity.is_folder() ? 0 : 1, most_bytes);
  identity.sectors.logical_bytes = read_sector_bytes(value["logical_sector_bytes"]);
  identity.sectors.physical_bytes = read_sector_bytes(value["physical_sector_bytes"]);
  identity.model = value["model"].text();
  identity.serial = value["serial"].text();
  identity.wwn = value["wwn"].text();
  identity.table_uuid = value["table_uuid"].text();
  if (value.has("former_paths")) identity.former_paths = value["former_paths"].texts();
  identity.sha256 = value["sha256"].text_where(is_sha256_or_empty, "a SHA-256 in lower-case hex, or empty");
  return identity;
}

BaseIdentity read_empty_disk(const Value& value) {
  value.expect_members({"kind", "size_bytes"});
  BaseIdentity identity;
  identity.kind = BaseKind::empty;
  identity.size_bytes = value["size_bytes"].number(1, most_bytes);
  return identity;
}

// Only the first disk of a machine can be a folder, and that one only if it is alone.
BaseIdentity read_other_disk(const Value& value) {
  if (value["kind"].text() == word(BaseKind::empty)) return read_empty_disk(value);
  auto identity = read_base(value);
  if (identity.is_folder()) value["kind"].fail_expected("disk, image or empty");
  return identity;
}

// `other_disks` stands only in the document of a machine that has more than one.
std::vector<BaseIdentity> read_disks(const Value& value) {
  std::vector<BaseIdentity> disks = {read_base(value["base"])};
  if (!value.has("other_disks")) return disks;
  const auto others = value["other_disks"];
  for (const auto& item : others.items()) disks.push_back(read_other_disk(item));
  if (disks.size() > most_disks) others.fail(fmt::format("has more than {} members", most_disks - 1));
  if (disks.front().is_folder() && disks.size() > 1) others.fail("has members, and the machine's base is a folder");
  return disks;
}

image::Geometry read_geometry(const Value& value) {
  value.expect_members({"cluster_bytes", "extended_l2"});
  const auto cluster = value["cluster_bytes"].number(512, 2 * base::MiB);
  if ((cluster & (cluster - 1)) != 0) value["cluster_bytes"].fail_expected("a power of two");
  return {std::uint32_t(cluster), value["extended_l2"].boolean()};
}

// What the states of a document are read with.
struct Reading {
  bool is_first_version = false;   // each state has its hardware in itself
  std::vector<Hardware> hardware;  // of the machine, in later versions
};

Hardware read_hardware_of(const Value& state, const Reading& reading) {
  if (reading.is_first_version) return read_hardware(state["hardware"]);
  if (!state.has("hardware")) return reading.hardware.front();
  return reading.hardware[state["hardware"].number(0, reading.hardware.size() - 1)];
}

Reading read_reading(const Value& value) {
  Reading reading;
  for (const auto& item : value["hardware"].items()) reading.hardware.push_back(read_hardware(item));
  if (reading.hardware.empty()) value["hardware"].fail("has no members");
  return reading;
}

State read_state(const Value& value, const Reading& reading) {
  value.expect_members({"layer", "nvram", "head", "hardware"});
  State state;
  state.layer = read_id(value["layer"]);
  state.nvram = value["nvram"].optional(read_id);
  state.head = value["head"].optional(read_node);
  state.hardware = read_hardware_of(value, reading);
  return state;
}

// There may be more kinds by then.
Consistency read_consistency(const Value& value) {
  const auto text = value.text();
  const auto found = from_word<Consistency>(text);
  if (!found) value.fail_newer(fmt::format("is \"{}\", which this hrvm does not know", base::printable(text)));
  return *found;
}

std::vector<Mark> read_marks(const Value& value) {
  std::vector<Mark> marks;
  for (const auto& item : value.items()) {
    item.expect_members({"what", "value"});
    marks.push_back({item["what"].text(), item["value"].text()});
  }
  return marks;
}

SavedMemory read_memory(const Value& value) {
  value.expect_members({"id", "size_bytes", "machine_type", "needs"}, {"sha256"});
  SavedMemory memory;
  memory.id = read_id(value["id"]);
  memory.size_bytes = value["size_bytes"].number(1, most_bytes);
  memory.machine_type = value["machine_type"].text_where(is_machine_type, "a machine type of QEMU's");
  memory.needs = read_marks(value["needs"]);
  if (value.has("sha256"))
    memory.sha256 = value["sha256"].text_where(is_sha256_or_empty, "a SHA-256 in lower-case hex");
  return memory;
}

Snapshot read_snapshot(const Value& value, const Reading& reading) {
  value.expect_members({"name", "created", "layer"},
                       {"parent", "description", "nvram", "hardware", "auto", "consistency", "memory", "nameless"});
  Snapshot snapshot;
  const bool is_nameless = value.has("nameless") && value["nameless"].boolean();
  snapshot.name = is_nameless ? read_node(value["name"]) : read_snapshot_name(value["name"]);
  if (value.has("parent")) snapshot.parent = value["parent"].optional(read_node);
  snapshot.created = value["created"].time();
  if (value.has("description")) snapshot.description = value["description"].text();
  snapshot.layer = read_id(value["layer"]);
  if (is_nameless && snapshot.name != nameless(snapshot.layer)) value["name"].fail("is not that of its layer");
  if (value.has("nvram")) snapshot.nvram = value["nvram"].optional(read_id);
  snapshot.hardware = read_hardware_of(value, reading);
  if (value.has("auto")) snapshot.is_auto = value["auto"].boolean();
  if (value.has("consistency")) snapshot.consistency = read_consistency(value["consistency"]);
  if (value.has("memory")) snapshot.memory = read_memory(value["memory"]);
  return snapshot;
}

std::vector<Snapshot> read_deleted(const Value& value, const Reading& reading) {
  std::vector<Snapshot> deleted;
  for (const auto& item : value.items()) {
    deleted.push_back(read_snapshot(item, reading));
    if (deleted.back().is_nameless() || deleted.back().parent) item.fail("has no name, or a parent");
  }
  return deleted;
}

std::vector<std::string> read_ids(const Value& value) {
  std::vector<std::string> ids;
  for (const auto& item : value.items()) ids.push_back(read_id(item));
  return ids;
}

Step read_step(const Value& value, const Reading& reading) {
  value.expect_members({"number", "what"}, {"when", "is_undo", "held", "is_empty", "deleted", "restored"});
  Step step;
  step.number = value["number"].number(1, most_bytes);
  step.what = value["what"].text();
  if (value.has("when")) step.when = value["when"].time();
  if (value.has("is_undo")) step.is_undo = value["is_undo"].boolean();
  if (value.has("held")) step.held = read_state(value["held"], reading);
  if (value.has("is_empty")) step.is_empty = value["is_empty"].boolean();
  if (value.has("deleted")) step.deleted = read_deleted(value["deleted"], reading);
  if (value.has("restored")) step.restored = read_ids(value["restored"]);
  return step;
}

std::vector<Step> read_log(const Value& value, const Reading& reading) {
  std::vector<Step> log;
  for (const auto& item : value.items()) {
    const auto last = log.empty() ? 0 : log.back().number;
    log.push_back(read_step(item, reading));
    if (log.back().number <= last) item["number"].fail("is not above that of the step before");
  }
  return log;
}

// The first version kept one state, of the last reset or revert.
std::vector<Step> read_previous(const Value& value, const Reading& reading) {
  if (value.is_null()) return {};
  return {{1, {}, "reset or revert", false, read_state(value, reading), false}};
}

PendingSnapshot read_pending(const Value& value) {
  value.expect_members({"name", "created", "layer"}, {"description", "nvram", "auto"});
  PendingSnapshot pending;
  pending.name = read_snapshot_name(value["name"]);
  pending.created = value["created"].time();
  if (value.has("description")) pending.description = value["description"].text();
  pending.layer = read_id(value["layer"]);
  if (value.has("nvram")) pending.nvram = value["nvram"].optional(read_id);
  if (value.has("auto")) pending.is_auto = value["auto"].boolean();
  return pending;
}

// Parents stand before their children, which also rules out a loop.
std::vector<Snapshot> read_snapshots(const Value& value, const Reading& reading) {
  std::vector<Snapshot> snapshots;
  std::set<std::string> names;
  for (const auto& item : value.items()) {
    snapshots.push_back(read_snapshot(item, reading));
    const auto& parent = snapshots.back().parent;
    if (parent && !names.contains(*parent))
      item["parent"].fail(fmt::format("no snapshot named \"{}\" stands before this one", *parent));
    if (!names.insert(snapshots.back().name).second)
      item["name"].fail(fmt::format("\"{}\" is there twice", snapshots.back().name));
  }
  return snapshots;
}

Fingerprint read_fingerprint(const Value& value) {
  value.expect_members({"taken", "marks"}, {"traces"});
  Fingerprint fingerprint;
  fingerprint.taken = value["taken"].time();
  fingerprint.marks = read_marks(value["marks"]);
  if (value.has("traces")) fingerprint.traces = read_marks(value["traces"]);
  return fingerprint;
}

FrozenFile read_frozen_file(const Value& value) {
  value.expect_members({"size_bytes", "modified", "tables"}, {"sha256"});
  FrozenFile file{value["size_bytes"].number(0, most_bytes), value["modified"].text(), value["tables"].text()};
  if (value.has("sha256")) file.sha256 = value["sha256"].text_where(is_sha256_or_empty, "a SHA-256 in lower-case hex");
  return file;
}

// A file for each disk.
std::map<std::string, std::vector<FrozenFile>> read_frozen(const Value& value, std::size_t disks) {
  std::map<std::string, std::vector<FrozenFile>> all;
  for (const auto& [layer, member] : value.members()) {
    if (!is_id(layer)) member.fail("is not named by a layer's id");
    for (const auto& item : member.items()) all[layer].push_back(read_frozen_file(item));
    if (all[layer].size() != disks) member.fail(fmt::format("does not have {} members", disks));
  }
  return all;
}

std::map<std::string, Fingerprint> read_fingerprints(const Value& value) {
  std::map<std::string, Fingerprint> all;
  for (const auto& [layer, member] : value.members()) {
    if (!is_id(layer)) member.fail("is not named by a layer's id");
    all[layer] = read_fingerprint(member);
  }
  return all;
}

std::optional<std::uint64_t> version_in(std::string_view schema) {
  if (!schema.starts_with(definition_schema_name)) return std::nullopt;
  return base::parse_unsigned(schema.substr(definition_schema_name.size()));
}

std::uint64_t read_version(const Value& value) {
  const auto schema = value.text();
  const auto version = version_in(schema).value_or(0);
  if (version >= 1 && version <= definition_schema_version) return version;
  const auto message =
      fmt::format("is \"{}\", and this hrvm reads up to \"{}\"", base::printable(schema), definition_schema);
  if (version > definition_schema_version) value.fail_newer(message);
  value.fail(message);
}

}  // namespace

bool is_absolute_path(std::string_view text) {
  return text.starts_with('/') && text.find('\0') == text.npos && text.size() < 1024;
}

bool is_id(std::string_view text) { return text.size() == 16 && std::all_of(text.begin(), text.end(), is_hex_digit); }

Fingerprint fingerprint_from_json(const base::Json& json, const std::string& file) {
  return read_fingerprint(Value(json, file));
}

Definition definition_from_json(const base::Json& json, const std::string& file) {
  const Value value(json, file);
  const bool is_first = json.is_object() && json.contains("schema") && read_version(value["schema"]) == 1;
  Value::Names members = {"schema", "uuid",   "created",   "description", "system",
                          "base",   "active", "snapshots", "geometry",    "fingerprints"};
  for (const auto name : is_first ? Value::Names{"previous"} : Value::Names{"log", "hardware"}) members.push_back(name);
  value.expect_members(members, {"autostart", "auto_snapshot", "other_disks", "frozen", "folder_inode", "pending"});
  const Reading reading = is_first ? Reading{true, {}} : read_reading(value);
  Definition definition;
  definition.uuid = value["uuid"].word(base::Guid::parse, "a UUID");
  definition.created = value["created"].time();
  definition.description = value["description"].text();
  definition.system = value["system"].text();
  definition.disks = read_disks(value);
  definition.geometry = read_geometry(value["geometry"]);
  definition.active = read_state(value["active"], reading);
  definition.log = is_first ? read_previous(value["previous"], reading) : read_log(value["log"], reading);
  definition.snapshots = read_snapshots(value["snapshots"], reading);
  if (value.has("pending")) definition.pending = read_pending(value["pending"]);
  definition.fingerprints = read_fingerprints(value["fingerprints"]);
  if (value.has("autostart")) definition.autostart = value["autostart"].boolean();
  if (value.has("auto_snapshot")) definition.auto_snapshot = value["auto_snapshot"].boolean();
  if (value.has("folder_inode")) definition.folder_inode = value["folder_inode"].number(0, ~std::uint64_t(0));
  if (value.has("frozen")) definition.frozen = read_frozen(value["frozen"], definition.disks.size());
  check_references(value, definition);
  return definition;
}

}  // namespace hrvm::machine
