#include "cli/steps/export_to_disk.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <iostream>

#include "cli/messages.hpp"
#include "cli/views/or_null.hpp"
#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/block/copy.hpp"
#include "hrvm/block/patched_device.hpp"
#include "hrvm/block/put_onto.hpp"
#include "hrvm/launch/runs.hpp"
#include "hrvm/machine/open_state.hpp"
#include "hrvm/machine/target_disk.hpp"
#include "hrvm/probe/fit_table.hpp"
#include "hrvm/probe/survey.hpp"
#include "hrvm/sys/files.hpp"
#include "hrvm/sys/terminal.hpp"

namespace hrvm::cli {
namespace {

using base::Error;
using base::ErrorKind;
using base::Json;
using report::Format;

// What of a larger disk lies behind the machine's end stays, but for its last MiB, from the grid on: md, ZFS and others
// keep there what they know a disk by.
constexpr std::uint64_t tail_bytes = base::MiB, grid_bytes = base::MiB;

struct DiskPlan {
  const ExportSource& source;
  machine::TargetDisk target;
  std::string holds;  // what is on it now; empty for nothing that is known
  probe::TableFit table;
  std::vector<block::Region> regions;
};

// --- the plan ---

// Those of this store, and of what this user has without --store, in whatever order they were begun.
std::vector<machine::Store> known_stores(const Context& context, const machine::Store& store) {
  std::vector<machine::Store> stores{store};
  for (const machine::Path& folder : {machine::Path(usual_store(context.host)), machine::default_store(context.host)}) {
    const auto is_known = [&](const machine::Store& other) {
      return other.folder() == folder || sys::is_same_file(other.folder(), folder);
    };
    if (sys::status(folder).type != sys::FileType::directory || std::ranges::any_of(stores, is_known)) continue;
    if (sys::is_readable(folder))
      stores.emplace_back(context.host, folder);
    else
      context.warn(fmt::format("the machines in {} cannot be read: see yourself that none is made of this disk",
                               folder.string()));
  }
  return stores;
}

std::string table_text(const probe::Contents& contents) {
  std::vector<std::string> file_systems;
  for (const auto& partition : contents.partitions)
    if (!partition.filesystem.empty()) file_systems.push_back(partition.filesystem);
  const auto bears = file_systems.empty() ? std::string() : " (" + base::join(file_systems, ", ") + ")";
  return fmt::format("a partition table with {} {}{}", contents.partitions.size(),
                     contents.partitions.size() == 1 ? "partition" : "partitions", bears);
}

// "Debian GNU/Linux 12 (bookworm), web".
std::string holds_text(const probe::Contents& contents) {
  if (const auto* system = contents.own_system())
    return system->hostname ? fmt::format("{}, {}", system->pretty, *system->hostname) : system->pretty;
  if (contents.table != probe::TableKind::none) return table_text(contents);
  return contents.volumes.empty() ? std::string() : contents.volumes.front().filesystem;
}

// A file or a folder is no disk, and in a reader there may be none, which is said later on.
probe::Contents contents_of(const Context& context, const probe::Disk& disk) {
  if (disk.kind != probe::DiskKind::disk || disk.size_bytes == 0) return {};
  return probe::survey_disk(context.host, disk, probe::Thoroughness::quick).contents;
}

void check_is_zero(const Context& context, block::BlockDevice& source, const machine::TargetDisk& target,
                   const std::vector<block::Region>& regions) {
  std::uint64_t total = 0, done = 0;
  for (const auto& region : regions) total += region.length;
  sys::Progress progress(context.host, "Looking at what " + target.disk.path + " has no room for", total,
                         context.quiet);
  std::vector<std::byte> buffer;
  for (const auto& [offset, length] : regions)
    for (std::uint64_t at = 0; at < length;) {
      const auto extent = source.extent_at(offset + at);
      auto part = std::min(extent.length, length - at);
      if (extent.kind == block::ExtentKind::data) {
        part = std::min<std::uint64_t>(part, grid_bytes);
        buffer.resize(std::size_t(part));
        source.read(offset + at, buffer);
        if (!block::is_zero(buffer))
          throw Error(
              ErrorKind::refused,
              fmt::format("{} is smaller than the machine's disk, which holds something from {} on that is in no "
                          "partition",
                          target.disk.path, base::format_bytes(offset + at)))
              .on(target.disk.path)
              .hint("name a disk of at least " + base::format_bytes(source.size()));
      }
      at += part;
      progress.at(done += part);
    }
}

std::vector<block::Region> regions_to_write(std::uint64_t source_bytes, std::uint64_t disk_bytes,
                                            const std::vector<block::Patch>& patches) {
  const auto end = std::min(base::round_up(source_bytes, grid_bytes), disk_bytes);
  std::vector<block::Region> regions{{0, end}};
  auto tail = disk_bytes - std::min(disk_bytes, tail_bytes);
  for (const auto& patch : patches)
    if (patch.offset >= end) tail = std::min(tail, patch.offset);
  tail = std::max(end, base::round_down(tail, grid_bytes));
  if (tail < disk_bytes) regions.push_back({tail, disk_bytes - tail});
  return regions;
}

std::unique_ptr<block::BlockDevice> open_source(const Context& context, const ExportSource& source) {
  return machine::open_state(context.host, source.machine, source.state, source.disk, source.base);
}

DiskPlan plan_disk(const Context& context, const machine::Store& store, const ExportSource& source,
                   const std::string& word) {
  auto disk = probe::locate_disk(context.host, word);
  auto facts = disk.kind == probe::DiskKind::disk ? probe::target_facts(context.host, disk) : probe::TargetFacts{};
  DiskPlan plan{source, {sys::absolute(word).string(), std::move(disk), std::move(facts)}, {}, {}, {}};
  auto& target = plan.target;
  const auto contents = contents_of(context, target.disk);
  target.table_uuid = contents.table_uuid;
  plan.holds = holds_text(contents);
  machine::check_target(context.host, known_stores(context, store), target);
  const auto device = open_source(context, source);
  plan.table = probe::fit_table_confined(*device, target.disk.size_bytes, target.disk.sectors.logical_bytes);
  if (plan.table.obstacle)
    throw Error(ErrorKind::refused, fmt::format("{} ({}) cannot take the machine's disk of {}: {}", target.disk.path,
                                                base::format_bytes(target.disk.size_bytes),
                                                base::format_bytes(device->size()), *plan.table.obstacle))
        .on(target.disk.path)
        .hint("name another disk");
  check_is_zero(context, *device, target, plan.table.to_be_zero);
  plan.regions = regions_to_write(device->size(), target.disk.size_bytes, plan.table.patches);
  return plan;
}

// --- asking ---

std::string described(const DiskPlan& plan) {
  const auto& disk = plan.target.disk;
  const auto [what, word] = machine::confirmation_of(plan.target);
  return fmt::format("{} ({}{}, {} {}) holds {}.", plan.target.named, disk.model.empty() ? "" : disk.model + ", ",
                     base::format_bytes(disk.size_bytes), what, word,
                     plan.holds.empty() ? "nothing that is known" : plan.holds);
}

void check_word(const machine::Confirmation& asked, std::string_view given, const DiskPlan& plan) {
  if (base::trim(given) == asked.word) return;
  throw Error(ErrorKind::refused,
              fmt::format("that is not the {} of {}: nothing was written", asked.what, plan.target.named))
      .on(plan.target.named)
      .hint("hrvm export --dry-run tells what would be overwritten");
}

// Not by a letter that a hand types by itself: by a word that is this disk's alone.
void confirm(const Context& context, const DiskPlan& plan) {
  const auto asked = machine::confirmation_of(plan.target);
  if (const auto given = context.arguments.value("--yes")) return check_word(asked, *given, plan);
  const auto& streams = context.host.streams;
  const auto question = fmt::format("{} All of it is overwritten with {}.", described(plan), plan.source.machine.name);
  if (!streams.in_is_terminal || !streams.err_is_terminal)
    throw Error(ErrorKind::usage, question + " There is no terminal to ask on")
        .hint(fmt::format("add --yes and its {} to do it", asked.what));
  streams.err << base::printable(question) << "\nType its " << asked.what << " to go on: " << std::flush;
  std::string answer;
  std::getline(streams.in, answer);
  sys::check_interrupted();
  check_word(asked, answer, plan);
}

// --- writing ---

// A run that is cut off has done no harm but to the disk that was to be overwritten, and that is said.
[[noreturn]] void tell_half_written(Error& error, const DiskPlan& plan, const block::PutCount& count) {
  if (!count.has_begun) throw error;
  error.while_doing(fmt::format("{} is half-written, and bears no system until it is whole", plan.target.named));
  throw std::move(error).hint(
      "the same command goes on: what is there already is only read; the machine and its base are as they were");
}

std::uint64_t total_of(const std::vector<block::Region>& regions) {
  std::uint64_t total = 0;
  for (const auto& region : regions) total += region.length;
  return total;
}

void verify(const Context& context, const DiskPlan& plan, block::BlockDevice& picture, block::TargetDevice& disk) try {
  sys::Progress progress(context.host, "Verifying " + plan.target.disk.path, total_of(plan.regions), context.quiet);
  block::check_is_on(picture, disk, plan.regions, [&](std::uint64_t done) { progress.at(done); });
} catch (Error& error) {
  if (error.kind() == ErrorKind::interrupted)
    error.while_doing(fmt::format("all is written onto {}, and was not read again to the end", plan.target.named));
  throw;
}

void write_disk(const Context& context, const DiskPlan& plan, block::PutCount& count) {
  const auto& source = plan.source;
  const auto& target = plan.target;
  const auto device = open_source(context, source);
  block::PatchedDevice picture(*device, target.disk.size_bytes, plan.table.patches);
  const auto disk = block::open_target(target.disk.path, target.facts.identity);
  const auto total = total_of(plan.regions);
  try {
    // Not every program that runs a machine asks hrvm first.
    const auto check_unwritten = [&] {
      if (!source.from.snapshot) launch::check_stopped(context.host, source.machine, "exported");
    };
    {
      sys::Progress progress(context.host, fmt::format("Writing {} onto {}", source.machine.name, target.disk.path),
                             total, context.quiet);
      block::put_onto(
          picture, *disk, plan.regions, count, [&](std::uint64_t done) { progress.at(done); }, check_unwritten);
    }
    disk->sync();
  } catch (Error& error) {
    tell_half_written(error, plan, count);
  }
  verify(context, plan, picture, *disk);
  if (!disk->reread_table())
    context.note(fmt::format("the kernel did not look for the partitions of {}: that it does once it is attached again",
                             target.disk.path));
}

// --- telling ---

Json target_json(const DiskPlan& plan) {
  const auto& disk = plan.target.disk;
  Json json;
  json.set("path", disk.path).set("stable_path", disk.stable_path).set("bus", disk.bus);
  json.set("model", or_null(disk.model)).set("serial", or_null(disk.serial)).set("wwn", or_null(disk.wwn));
  json.set("size_bytes", disk.size_bytes).set("logical_sector_bytes", disk.sectors.logical_bytes);
  return json.set("holds", or_null(plan.holds));
}

Json data_of(const DiskPlan& plan, std::uint64_t virtual_bytes) {
  Json data;
  data.set("machine", plan.source.machine.name).set("snapshot", plan.source.from.snapshot);
  data.set("path", plan.target.disk.path).set("format", "raw").set("virtual_bytes", virtual_bytes);
  return data.set("target", target_json(plan));
}

const std::vector<report::Column> identity_fields = {
    {"Model", "target.model"}, {"Serial number", "target.serial"}, {"Its size", "target.size_bytes", Format::bytes}};

std::vector<report::Column> with_identity(std::vector<report::Column> first, const std::vector<report::Column>& then) {
  first.insert(first.end(), identity_fields.begin(), identity_fields.end());
  first.insert(first.end(), then.begin(), then.end());
  return first;
}

const report::TableView plain_line{
    .columns = {{"", "path"}, {"", "format"}, {"", "virtual_bytes"}, {"", "allocated_bytes"}}};

report::Report plan_report(const DiskPlan& plan, std::uint64_t virtual_bytes) {
  auto data = data_of(plan, virtual_bytes);
  data.set("replaces", true).set("compared_bytes", total_of(plan.regions));
  data.set("confirm_with", machine::confirmation_of(plan.target).word);
  const auto fields =
      with_identity({{"Would write onto", "target.path"}}, {{"It holds", "target.holds"},
                                                            {"The machine", "virtual_bytes", Format::bytes},
                                                            {"At most written", "compared_bytes", Format::bytes},
                                                            {"Confirmed by", "confirm_with"}});
  return {.schema = "hrvm.export-plan/1",
          .data = std::move(data),
          .human = {report::FieldsView{.fields = fields}},
          .plain = plain_line};
}

report::Report done_report(const DiskPlan& plan, std::uint64_t virtual_bytes, const block::PutCount& count) {
  auto data = data_of(plan, virtual_bytes);
  data.set("allocated_bytes", nullptr);
  data.set("compared_bytes", count.compared_bytes.load()).set("written_bytes", count.written_bytes.load());
  data.set("verified", true);
  const auto fields =
      with_identity({{"Wrote onto", "target.path"}}, {{"Compared", "compared_bytes", Format::bytes},
                                                      {"Differed, and written", "written_bytes", Format::bytes},
                                                      {"Read again, and equal", "verified", Format::yes_no}});
  return {
      .schema = "hrvm.export/1",
      .data = std::move(data),
      .human = {report::FieldsView{.fields = fields},
                report::TextView{"\nTake the old disk out before you start from this one: both bear the same UUIDs"}},
      .plain = plain_line,
      .names = std::vector{plan.target.disk.path}};
}

}  // namespace

Outcome export_to_disk(const Context& context, const machine::Store& store, const ExportSource& source,
                       const std::string& disk) {
  const auto plan = plan_disk(context, store, source, disk);
  if (!plan.table.note.empty()) context.warn(plan.table.note);
  const auto virtual_bytes = open_source(context, source)->size();
  if (context.dry_run()) return {.report = plan_report(plan, virtual_bytes)};
  confirm(context, plan);
  block::PutCount count;
  write_disk(context, plan, count);
  return {.report = done_report(plan, virtual_bytes, count)};
}

}  // namespace hrvm::cli
