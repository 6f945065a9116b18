#include "cli/views/discover_view.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>

#include "cli/views/findings_json.hpp"
#include "cli/views/or_null.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/base/time.hpp"
#include "hrvm/machine/import.hpp"

namespace hrvm::cli {
namespace {

using base::Json;
using report::Align;
using report::Format;

template <typename T>
Json list_of(const std::vector<T>& values, Json (*to_json)(const T&)) {
  Json list = Json::array();
  for (const T& value : values) list.push(to_json(value));
  return list;
}

Json use_json(const probe::Use& use) {
  Json json;
  return json.set("by", word(use.by)).set("what", use.what).set("writable", use.writable);
}

Json partition_json(const probe::SurveyedPartition& surveyed) {
  const probe::Partition& partition = surveyed.partition;
  Json json;
  json.set("number", partition.number).set("start_bytes", partition.start_bytes);
  json.set("size_bytes", partition.size_bytes).set("type", partition.type).set("type_name", partition.type_name);
  json.set("name", or_null(partition.name)).set("role", or_null(surveyed.role));
  json.set("filesystem", or_null(surveyed.filesystem)).set("label", or_null(surveyed.label));
  return json.set("uuid", or_null(surveyed.uuid)).set("partuuid", or_null(partition.partuuid));
}

Json volume_json(const probe::Volume& volume) {
  Json json;
  json.set("path", volume.path).set("kind", word(volume.kind)).set("size_bytes", volume.size_bytes);
  json.set("filesystem", or_null(volume.filesystem)).set("label", or_null(volume.label));
  return json.set("uuid", or_null(volume.uuid)).set("details", or_null(volume.details));
}

Json driver_json(const probe::DriverEvidence& driver) {
  Json json;
  return json.set("bus", word(driver.bus)).set("verdict", word(driver.verdict)).set("because", driver.because);
}

Json nic_json(const probe::NicEvidence& nic) {
  Json json;
  return json.set("model", word(nic.model)).set("verdict", word(nic.verdict)).set("because", nic.because);
}

Json start_json(const std::optional<probe::BootConfiguration>& boot) {
  if (!boot) return {};
  Json json;
  json.set("loader", boot->loader).set("source", boot->source).set("entry", or_null(boot->entry));
  json.set("kernel", or_null(boot->kernel)).set("initramfs", or_null(boot->initramfs));
  json.set("command_line", boot->command_line).set("root", or_null(boot->root));
  json.set("root_by", or_null(boot->root_by));
  json.set("serial_console", boot->serial_console);
  Json others = Json::array();
  for (const auto& [key, value] : boot->others) {
    Json other;
    others.push(other.set("key", key).set("value", value));
  }
  return json.set("others", std::move(others));
}

// "virtio sata nvme": what it surely starts from; null where that is not known of any bus.
Json driven(const probe::System& system) {
  std::vector<std::string> buses;
  for (const probe::DriverEvidence& driver : system.drivers)
    if (driver.verdict == probe::Verdict::yes) buses.emplace_back(word(driver.bus));
  return or_null(base::join(buses, " "));
}

Json mount_json(const probe::SystemMount& mount) {
  Json json;
  return json.set("point", mount.point).set("source", mount.source);
}

// Those without which it would not start, in words; null for a system that is whole, or is a folder of its root.
Json parts_json(const probe::System& system) {
  std::vector<std::string> parts;
  for (const probe::SystemMount& mount : system.mounts)
    if ((mount.point == "/usr" || mount.point == "/etc" || mount.point == "/var") && system.folder.empty())
      parts.push_back(fmt::format("{} on {}", mount.point, mount.source));
  return or_null(base::join(parts, ", "));
}

// RFC 3339; null where it is not known.
Json date_json(std::int64_t seconds) {
  constexpr std::int64_t year_10000 = 253402300800;
  if (seconds <= 0 || seconds >= year_10000) return {};
  return base::format_time(base::Time(std::chrono::seconds(seconds)));
}

Json state_json(const probe::SystemState& state) {
  Json json;
  json.set("name", state.name).set("version", or_null(state.version)).set("title", or_null(state.title));
  json.set("date", date_json(state.date)).set("default", state.is_default);
  return json.set("root", state.root).set("folder", or_null(state.folder));
}

Json system_json(const probe::System& system) {
  Json json;
  json.set("id", system.id).set("name", system.name).set("version", or_null(system.version));
  json.set("pretty", system.pretty).set("family", word(system.family)).set("hostname", system.hostname);
  json.set("architecture", or_null(system.architecture));
  json.set("root", system.root).set("kernels", Json(system.kernels)).set("virtio", word(system.virtio));
  json.set("encrypted", system.encrypted).set("hibernated", system.hibernated);
  json.set("needs_recovery", system.needs_recovery).set("inside", system.inside);
  json.set("nics", list_of(system.nics, nic_json));
  json.set("kind", or_null(system.kind)).set("folder", or_null(system.folder));
  json.set("parts", parts_json(system));
  json.set("mounts", list_of(system.mounts, mount_json)).set("states", list_of(system.states, state_json));
  json.set("drivers", list_of(system.drivers, driver_json)).set("boot", start_json(system.boot));
  return json;
}

// What starts where nobody chooses, in a few words.
Json starts_json(const std::vector<probe::System>& systems) {
  Json starts = Json::array();
  for (const probe::System& system : systems) {
    if (!system.boot) continue;
    Json json;
    json.set("entry", or_null(system.boot->entry)).set("loader", system.boot->loader);
    starts.push(json.set("command_line", or_null(system.boot->command_line)).set("drivers", driven(system)));
  }
  return starts;
}

// Of all systems that are kept in states, in their order.
Json states_json(const std::vector<probe::System>& systems) {
  Json states = Json::array();
  for (const probe::System& system : systems)
    for (const probe::SystemState& state : system.states) states.push(state_json(state));
  return states;
}

Json advice_json(const machine::Hardware& hardware) {
  Json json;
  json.set("firmware", word(hardware.firmware)).set("machine", word(hardware.machine)).set("bus", word(hardware.bus));
  json.set("nic", word(machine::nic_of(hardware)))
      .set("memory_bytes", hardware.memory_bytes)
      .set("cpus", hardware.cpus);
  return json.set("because", Json(hardware.because));
}

Json boot_way(const char* by, const std::string& evidence) {
  Json json;
  return json.set("by", by).set("evidence", evidence);
}

// "/EFI/BOOT/BOOTX64.EFI on p2": the one that a machine without boot entries finds, where there is one.
std::string loader_evidence(const probe::BootEvidence& boot) {
  const probe::EfiLoader& loader = boot.loaders.front();
  const std::string place = describe(loader);
  return loader.removable ? place : place + ", which needs a boot entry";
}

Json boot_json(const probe::BootEvidence& boot) {
  Json ways = Json::array();
  if (boot.bios) ways.push(boot_way("bios", boot.bios_reason));
  if (boot.uefi()) ways.push(boot_way("uefi", loader_evidence(boot)));
  return ways;
}

Json firmware_json(const probe::BootEvidence& boot) {
  Json words = Json::array();
  if (boot.bios) words.push("bios");
  if (boot.uefi()) words.push("uefi");
  return words;
}

// Those of which only a part is here.
std::vector<const probe::DiskSet*> partial_sets(const Discovered& discovered) {
  std::vector<const probe::DiskSet*> sets;
  for (const auto& set : discovered.contents->sets)
    if (!set.missing.empty()) sets.push_back(&set);
  return sets;
}

// Whether hrvm import takes it as it is now. (Where the store lies may be a reason against it all the same.)
bool is_importable_whole(const Discovered& discovered) {
  const auto& disk = discovered.disk;
  return !machine::import_obstacle(disk, *discovered.contents) &&
         !machine::architecture_obstacle(disk, *discovered.contents) &&
         std::ranges::none_of(disk.in_use, &probe::Use::writable) && partial_sets(discovered).empty();
}

Json import_command(const Discovered& discovered) {
  if (!is_importable_whole(discovered)) return {};
  for (const auto& set : discovered.contents->sets)
    if (!set.disks.empty()) return probe::import_command(set.disks);
  return "hrvm import " + base::shell_quote(discovered.disk.stable_path);
}

// Why import would not take the disk as it is now, and what to do about it; null where nothing is in the way.
Json obstacle(const Discovered& discovered) {
  const probe::Disk& disk = discovered.disk;
  if (!discovered.contents) return "it could not be read";
  if (is_importable_whole(discovered)) return {};
  if (const auto obstacle = machine::import_obstacle(disk, *discovered.contents))
    return obstacle->kind() == base::ErrorKind::corrupt && disk.files.empty() ? "it is too small for a disk"
                                                                              : obstacle->message();
  if (const auto partial = partial_sets(discovered); !partial.empty())
    return fmt::format("it holds a part of {}; missing: {}; hrvm import {} --allow-partial takes what is here",
                       describe(*partial.front()), base::join(partial.front()->missing, "; "),
                       base::shell_quote(disk.stable_path));
  if (const auto obstacle = machine::architecture_obstacle(disk, *discovered.contents))
    return fmt::format("it is made for other processors; hrvm import {} --force-architecture takes it all the same",
                       base::shell_quote(disk.stable_path));
  return fmt::format("it is in use: {}, or accept the risk with hrvm import {} --allow-in-use",
                     machine::way_out(disk.in_use), base::shell_quote(disk.stable_path));
}

// What is odd about the machine that it would make matters where there is something to boot.
std::vector<base::Finding> findings_of(const Discovered& discovered) {
  if (!discovered.contents) return {};
  std::vector<base::Finding> findings = discovered.contents->findings;
  const bool is_folder = discovered.disk.kind == probe::DiskKind::directory;
  if (discovered.contents->is_blank() && findings.empty() && !is_folder)
    return {{"blank", base::Severity::note, discovered.disk.path, "nothing is on it: no partition table, no filesystem",
             ""}};
  if (discovered.advice)
    findings.insert(findings.end(), discovered.advice->findings.begin(), discovered.advice->findings.end());
  return findings;
}

// A folder has none of its own.
Json size_of(const probe::Disk& disk) {
  return disk.kind == probe::DiskKind::directory ? Json() : Json(disk.size_bytes);
}

// What its blocks are read as. Of a folder, which has none, and of a container that is not read, null.
Json format_of(const probe::Disk& disk) {
  const bool is_read = disk.kind != probe::DiskKind::directory && !disk.container;
  return is_read ? Json(word(disk.format)) : Json();
}

void add_disk(const probe::Disk& disk, Json& json) {
  json.set("path", disk.path).set("stable_path", disk.stable_path).set("kind", word(disk.kind));
  json.set("format", format_of(disk));
  json.set("bus", or_null(disk.bus)).set("model", or_null(disk.model)).set("serial", or_null(disk.serial));
  json.set("wwn", or_null(disk.wwn)).set("size_bytes", size_of(disk));
  json.set("logical_sector_bytes", disk.sectors.logical_bytes);
  json.set("physical_sector_bytes", disk.sectors.physical_bytes).set("removable", disk.removable);
}

Json disk_json(const Discovered& discovered) {
  const bool read = discovered.contents.has_value();
  const probe::Contents contents = discovered.contents.value_or(probe::Contents{});
  Json json;
  add_disk(discovered.disk, json);
  json.set("table", read ? Json(word(contents.table)) : Json()).set("table_uuid", or_null(contents.table_uuid));
  json.set("firmware", firmware_json(contents.boot)).set("boots", boot_json(contents.boot));
  json.set("importable", read && is_importable_whole(discovered));
  json.set("import_command", read ? import_command(discovered) : Json());
  json.set("obstacle", obstacle(discovered));
  json.set("in_use", list_of(discovered.disk.in_use, use_json));
  json.set("partitions", list_of(contents.partitions, partition_json));
  json.set("volumes", list_of(contents.volumes, volume_json));
  json.set("systems", list_of(contents.systems, system_json)).set("starts", starts_json(contents.systems));
  json.set("states", states_json(contents.systems));
  json.set("advice", discovered.advice ? advice_json(discovered.advice->hardware) : Json());
  return json.set("findings", findings_json(findings_of(discovered)));
}

report::EachView disk_view() {
  report::EachView view;
  view.rows = "disks";
  view.heading = {{"", "path"}, {"", "size_bytes", Format::bytes}, {"", "bus"}, {"", "model"}, {"", "serial"}};
  view.views = {
      report::TableView{.rows = "partitions",
                        .columns = {{"#", "number", Format::text, Align::right},
                                    {"Size", "size_bytes", Format::bytes, Align::right},
                                    {"Type", "type_name"},
                                    {"Role", "role"},
                                    {"Filesystem", "filesystem"},
                                    {"Label", "label"}}},
      report::TableView{.rows = "volumes",
                        .columns = {{"Volume", "path"},
                                    {"Size", "size_bytes", Format::bytes, Align::right},
                                    {"Filesystem", "filesystem"},
                                    {"Label", "label"},
                                    {"Details", "details"}}},
      report::TableView{.rows = "systems",
                        .columns = {{"System", "pretty"},
                                    {"Root", "root"},
                                    {"Parts", "parts"},
                                    {"Guest's disk", "inside"},
                                    {"Host name", "hostname"},
                                    {"Kernels", "kernels"}}},
      report::TableView{
          .rows = "starts",
          .columns = {{"Starts", "entry"}, {"By", "loader"}, {"Drivers", "drivers"}, {"Command line", "command_line"}}},
      report::TableView{.rows = "states",
                        .columns = {{"State", "name"},
                                    {"Version", "version"},
                                    {"Title", "title"},
                                    {"Date", "date", Format::time},
                                    {"Starts", "default", Format::yes_no}}},
      report::TableView{.rows = "boots", .columns = {{"Boots by", "by"}, {"Evidence", "evidence"}}},
      report::TableView{.rows = "in_use",
                        .columns = {{"In use by", "by"}, {"", "what"}, {"Writable", "writable", Format::yes_no}}},
      report::FieldsView{.fields = {{"To import", "import_command"}, {"No import", "obstacle"}}},
      report::FindingsView{"findings"},
  };
  return view;
}

}  // namespace

report::Report discover_report(const std::vector<Discovered>& disks) {
  Json data;
  data.set("disks", list_of(disks, disk_json));
  report::Report report;
  report.schema = "hrvm.discover/1";
  report.data = std::move(data);
  if (disks.empty())
    report.human = {report::TextView{"No disk is attached.\n"}};
  else
    report.human = {disk_view()};
  report.plain = {.rows = "disks",
                  .columns = {{"", "path"},
                              {"", "size_bytes"},
                              {"", "bus"},
                              {"", "model"},
                              {"", "serial"},
                              {"", "stable_path"},
                              {"", "table"},
                              {"", "firmware"},
                              {"", "importable"}}};
  return report;
}

}  // namespace hrvm::cli
