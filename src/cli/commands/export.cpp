// hrvm export MACHINE[@SNAP] FILE: what the machine's guest sees of its disk, as an image that needs neither hrvm nor
// the disk. With --to DISK the same on another disk.
#include <fmt/core.h>

#include <algorithm>

#include "cli/commands/commands.hpp"
#include "cli/messages.hpp"
#include "cli/steps/export_to_disk.hpp"
#include "cli/words/image_words.hpp"
#include "cli/words/named_machine.hpp"
#include "cli/words/target_file.hpp"
#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/block/devices.hpp"
#include "hrvm/image/flatten.hpp"
#include "hrvm/launch/runs.hpp"
#include "hrvm/launch/settled.hpp"
#include "hrvm/machine/change.hpp"
#include "hrvm/machine/folder_layer.hpp"
#include "hrvm/machine/objection.hpp"
#include "hrvm/machine/open_state.hpp"
#include "hrvm/sys/mounts.hpp"

namespace hrvm::cli {
namespace {

using base::Error;
using base::ErrorKind;
using report::Format;

constexpr std::size_t streamed_at_once = base::MiB;

struct Export : ExportSource {
  TargetFile target;
  image::ImageFormat format = image::ImageFormat::qcow2;
};

probe::Disk checked_base(const Context& context, const machine::Machine& machine, const machine::State& state,
                         std::size_t disk) {
  using machine::Purpose;
  const auto base = machine::examine_base(context.host, machine.definition, state);
  const auto heeded = [&](const machine::Objections& objections) {
    heed(objections, context.arguments.has("--force"), listener(context).warn);
  };
  heeded(objections(machine, base, Purpose::exporting));
  heeded(objections(base.disks.at(disk), Purpose::exporting));
  return base.disks.at(disk);
}

// One disk is exported: of several it must be said which.
std::size_t chosen_disk(const Context& context, const machine::Machine& machine) {
  const auto count = machine.definition.disks.size();
  const auto number = context.arguments.number("--disk");
  if (!number && count == 1) return 0;
  if (number && *number >= 1 && *number <= count) return std::size_t(*number - 1);
  throw Error(ErrorKind::usage,
              number ? fmt::format("--disk: {} has {} disks, and no disk {}", machine.name, count, *number)
                     : fmt::format("{} has {} disks, and one is exported", machine.name, count))
      .hint(fmt::format("say which: --disk 1 … --disk {}; hrvm show {} lists them", count, machine.name));
}

void warn_of_little_space(const Context& context, const Export& plan) {
  const auto available = context.host.space(plan.target.path).available_bytes;
  if (available >= plan.base.size_bytes) return;
  context.warn(fmt::format("{} are free at {}; an image of this disk takes up to {}", base::format_bytes(available),
                           plan.target.path.parent_path().string(), base::format_bytes(plan.base.size_bytes)));
}

// Of a qcow2 image the front is written last.
void check_can_stream(const Context& context, image::ImageFormat format) {
  if (format != image::ImageFormat::raw)
    throw Error(ErrorKind::unsupported, "a qcow2 image is not written front to back, as a pipe needs it")
        .hint("name a file, or send it as --format raw");
  if (!context.dry_run()) check_takes_bytes(context, "a disk");
}

ExportSource export_source(const Context& context, const machine::Store& store, const NamedMachine& named) {
  auto machine = named.snapshot ? store.load(named.machine) : launch::load_settled(context.host, store, named.machine);
  if (machine.definition.is_on_folder())
    throw Error(ErrorKind::unsupported,
                fmt::format("{} lies on a folder, of which no disk image is made", machine.name))
        .hint("what its guest has changed lies there as files: " + machine::upper_of(machine.active_layer()).string());
  // A snapshot's layers are frozen: what runs does not change them.
  if (!named.snapshot) launch::check_stopped(context.host, machine, "exported; a snapshot of it can be");
  auto state = machine::state_of(machine, named.snapshot);
  store.check_files(machine, state);
  const auto disk = chosen_disk(context, machine);
  auto base = checked_base(context, machine, state, disk);
  return {named, std::move(machine), std::move(state), disk, std::move(base)};
}

Export plan_export(const Context& context, const machine::Store& store, ExportSource source) {
  const auto& word = context.arguments.positional(1);
  const bool to_stdout = word == "-";
  auto target = to_stdout ? TargetFile{} : target_file(word, store, context.arguments.has("--force"));
  if (!source.base.path.empty() && !to_stdout) check_is_not_on(context, target, source.base.path);
  for (const auto& file : source.base.files)
    if (!to_stdout) check_is_not_on(context, target, file.path);
  const auto usual = to_stdout ? image::ImageFormat::raw : image::ImageFormat::qcow2;
  const auto format = image_format(context.arguments).value_or(usual);
  if (to_stdout) check_can_stream(context, format);
  return {std::move(source), std::move(target), format};
}

std::unique_ptr<block::BlockDevice> open_source(const Context& context, const Export& plan) {
  return machine::open_state(context.host, plan.machine, plan.state, plan.disk, plan.base);
}

void write_image(const Context& context, const Export& plan) {
  const auto source = open_source(context, plan);
  sys::AtomicFile file(plan.target.path);
  sys::Progress progress(context.host, "Exporting " + plan.machine.name, source->size(), context.quiet);
  image::flatten(*source, file.fd(), plan.target.path, {plan.format}, [&](std::uint64_t done) { progress.at(done); });
  // Not every program that runs a machine asks hrvm first.
  if (!plan.from.snapshot) launch::check_stopped(context.host, plan.machine, "exported");
  file.commit(!plan.target.replaces);
}

void stream_image(const Context& context, const Export& plan) {
  const auto source = open_source(context, plan);
  std::vector<std::byte> buffer(streamed_at_once);
  sys::Progress progress(context.host, "Exporting " + plan.machine.name, source->size(), context.quiet);
  for (std::uint64_t done = 0; done < source->size(); done += buffer.size()) {
    buffer.resize(std::min<std::uint64_t>(streamed_at_once, source->size() - done));
    source->read(done, buffer);
    write_out(context.host.streams.out, {reinterpret_cast<const char*>(buffer.data()), buffer.size()});
    progress.at(done + buffer.size());
  }
}

report::Report report_of(const Export& plan, bool dry_run) {
  base::Json data;
  data.set("machine", plan.machine.name)
      .set("snapshot", plan.from.snapshot)
      .set("path", plan.target.path.empty() ? "-" : plan.target.path.string());
  data.set("format", word(plan.format)).set("virtual_bytes", plan.base.size_bytes);
  if (dry_run)
    data.set("replaces", plan.target.replaces);
  else
    data.set("allocated_bytes", sys::status(plan.target.path).allocated_bytes);
  report::Report report{
      .schema = dry_run ? "hrvm.export-plan/1" : "hrvm.export/1",
      .data = data,
      .human = {report::FieldsView{.fields = {{dry_run ? "Would write" : "Wrote", "path"},
                                              {"Format", "format"},
                                              {"Size", "virtual_bytes", Format::bytes},
                                              {"Takes", "allocated_bytes", Format::bytes},
                                              {"Replaces a file", "replaces", Format::yes_no}}}},
      .plain = {.columns = {{"", "path"}, {"", "format"}, {"", "virtual_bytes"}, {"", "allocated_bytes"}}}};
  if (!dry_run) report.names = {plan.target.path.string()};
  return report;
}

void check_words(const Arguments& arguments) {
  const bool has_file = arguments.positionals().size() == 2, has_disk = arguments.has("--to");
  if (has_file == has_disk)
    throw Error(ErrorKind::usage, has_file ? "FILE and --to exclude each other" : "FILE is missing, or --to DISK")
        .hint("hrvm export MACHINE FILE makes an image, hrvm export MACHINE --to DISK writes it onto another disk");
  if (has_disk && arguments.value("--format").value_or("raw") != "raw")
    throw Error(ErrorKind::usage, "a disk has no format: --format is for FILE");
  if (has_file && arguments.has("--yes"))
    throw Error(ErrorKind::usage, "--yes is for --to: a file is replaced with --force");
}

Outcome export_to_file(const Context& context, const machine::Store& store, ExportSource source) {
  const auto plan = plan_export(context, store, std::move(source));
  if (plan.target.path.empty() && !context.dry_run()) {
    stream_image(context, plan);
    return {};
  }
  if (!plan.target.path.empty()) warn_of_little_space(context, plan);
  if (!context.dry_run()) write_image(context, plan);
  return {.report = report_of(plan, context.dry_run())};
}

Outcome run_export(const Context& context) {
  check_words(context.arguments);
  const auto named = named_machine(context.arguments.positional(0));
  const auto store = open_store(context);
  // Held until the end, so that no boot begins to write to the layer that is read.
  std::optional<sys::Lock> lock;
  if (!named.snapshot) lock = store.lock(named.machine);
  auto source = export_source(context, store, named);
  if (const auto disk = context.arguments.value("--to")) return export_to_disk(context, store, source, *disk);
  return export_to_file(context, store, std::move(source));
}

}  // namespace

const Command export_command = {
    .name = "export",
    .summary = "write a machine or a snapshot into a standalone image, or onto another disk",
    .options = {{.name = "--format",
                 .value = "FORMAT",
                 .help = "of the image (default: qcow2, raw to a pipe)",
                 .choices = {"qcow2", "raw"}},
                {.name = "--disk", .value = "NUMBER", .help = "which of the machine's disks, where it has several"},
                {.name = "--to",
                 .value = "DISK",
                 .help = "write onto this disk, all of which is overwritten",
                 .completes = Completes::source},
                {.name = "--yes", .value = "SERIAL", .help = "do not ask: the serial number of the disk of --to"},
                {.name = "--force", .help = "replace FILE; export though the disk changed or is in use"},
                dry_run_option()},
    .positionals = {{"MACHINE[@SNAP]", "the machine or snapshot", Completes::machine_or_snapshot},
                    {"FILE", "the image that is written; - is the standard output", Completes::file,
                     Positional::Count::optional}},
    .run = run_export,
};

}  // namespace hrvm::cli
