// hrvm import SOURCE [NAME]: a whole disk, an image of one, or a folder, as a machine that never writes to it.
#include "hrvm/machine/import.hpp"

#include <fmt/core.h>

#include <functional>

#include "cli/commands/commands.hpp"
#include "cli/views/import_view.hpp"
#include "cli/words/hardware_options.hpp"
#include "cli/words/named_machine.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/machine/fingerprint.hpp"
#include "hrvm/machine/import_sources.hpp"
#include "hrvm/machine/neighbours.hpp"

namespace hrvm::cli {
namespace {

// A name has no slash in it: what has one, and is there, is a further disk.
bool is_further_disk(const Context& context, const std::string& word) {
  return word.find('/') != word.npos && sys::status(context.host.path(word)).type != sys::FileType::missing;
}

std::optional<std::string> named_machine_of(const Context& context) {
  const auto& words = context.arguments.positionals();
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (is_further_disk(context, words[i])) continue;
    const bool has_slash = words[i].find('/') != words[i].npos;
    if (!has_slash && i + 1 == words.size()) return words[i];
    throw base::Error(base::ErrorKind::usage, fmt::format("\"{}\" is no machine's name{}", base::printable(words[i]),
                                                          has_slash ? ", and no disk that is there" : ""))
        .hint("a further disk has a slash in its name, as ./second.img, and the machine's name comes last");
  }
  return std::nullopt;
}

machine::ImportRequest request_of(const Context& context) {
  const auto& arguments = context.arguments;
  machine::ImportRequest request;
  request.name = named_machine_of(context);
  request.hardware = chosen_hardware(arguments);
  request.description = arguments.value("--description").value_or("");
  request.classic = arguments.has("--classic");
  request.direct = arguments.has("--direct");
  request.allow_in_use = arguments.has("--allow-in-use");
  request.allow_volatile = arguments.has("--allow-volatile");
  request.allow_low_space = arguments.has("--allow-low-space");
  request.allow_partial = arguments.has("--allow-partial");
  request.force_architecture = arguments.has("--force-architecture");
  request.new_disks = chosen_new_disks(arguments);
  return request;
}

std::string hash_of(const Context& context, const probe::Disk& disk) {
  sys::Progress progress(context.host, "Hashing " + disk.path, disk.size_bytes, context.quiet);
  return machine::hash_base(context.host, disk, [&](std::uint64_t done) { progress.at(done); });
}

void hash_bases(const Context& context, const machine::ImportCircumstances& gathered, machine::Definition& definition) {
  if (!context.arguments.has("--hash")) return;
  for (std::size_t i = 0; i < gathered.surveys.size(); ++i)
    definition.disks[i].sha256 = hash_of(context, gathered.surveys[i].disk);
}

void tell(const Context& context, const std::vector<base::Finding>& findings) {
  for (const auto& finding : findings) {
    const auto text = finding.subject.empty() ? finding.message : finding.subject + ": " + finding.message;
    finding.severity == base::Severity::note ? context.note(text) : context.warn(text);
    if (!finding.remedy.empty()) context.hint(finding.remedy);
  }
}

machine::Machine apply(const Context& context, const machine::Store& store, machine::ImportPlan& plan,
                       const machine::ImportCircumstances& gathered,
                       const std::function<machine::Fingerprint()>& fingerprint) {
  auto& definition = plan.change.definition;
  definition.fingerprints[definition.active.layer] = fingerprint();
  hash_bases(context, gathered, definition);
  return apply_import(store, plan);
}

// Warnings come when it is done: where it fails, there is one message.
Outcome plan_and_import(const Context& context, const machine::Store& store,
                        const machine::ImportCircumstances& gathered, const machine::ImportRequest& request,
                        const std::function<machine::Fingerprint()>& fingerprint) {
  auto plan = plan_import(gathered, request);
  const auto report = context.dry_run()
                          ? import_plan_report(store, plan)
                          : import_report(context.host, apply(context, store, plan, gathered, fingerprint), plan);
  tell(context, plan.findings);
  return {.report = report};
}

Outcome import_folder(const Context& context, const machine::Store& store, const probe::Disk& folder,
                      const machine::ImportRequest& request) {
  const auto gathered = machine::gather_import(
      context.host, store, [&] { return std::vector{machine::survey_folder(context.host, store, folder)}; });
  return plan_and_import(context, store, gathered, request, [&] {
    return request.direct ? machine::Fingerprint{context.host.now(), {}}
                          : machine::take_fingerprint(context.host, {folder});
  });
}

std::vector<probe::Disk> disks_of(const machine::ImportCircumstances& gathered) {
  std::vector<probe::Disk> disks;
  for (const auto& survey : gathered.surveys) disks.push_back(survey.disk);
  return disks;
}

// Several that make one machine. What there is on them together is known when each has been read.
Outcome import_set(const Context& context, const machine::Store& store, const std::vector<probe::Disk>& named,
                   const machine::ImportRequest& request) {
  const auto survey = [&](probe::Thoroughness how) { return machine::survey_set(context.host, named, how); };
  auto gathered = machine::gather_import(context.host, store, [&] { return survey(probe::Thoroughness::quick); });
  if (machine::wants_initramfs(request, gathered.surveys.front().contents))
    gathered = machine::gather_import(context.host, store, [&] { return survey(probe::Thoroughness::full); });
  return plan_and_import(context, store, gathered, request,
                         [&] { return machine::take_fingerprint(context.host, disks_of(gathered)); });
}

// The fingerprint is begun before it is known whether the disk may be imported at all: it is read beside what finds
// that out.
Outcome import_disk(const Context& context, const machine::Store& store, const probe::Disk& disk,
                    const machine::ImportRequest& request) {
  probe::SurveyRun survey(context.host, disk, probe::Thoroughness::quick);
  std::optional<machine::FingerprintRun> fingerprint;
  if (!context.dry_run()) fingerprint.emplace(context.host, std::vector{disk});
  auto gathered = machine::gather_import(context.host, store, [&] { return std::vector{survey.result()}; });
  if (machine::is_part_of_a_set(gathered.surveys.front())) return import_set(context, store, {disk}, request);
  if (machine::wants_initramfs(request, gathered.surveys.front().contents))
    gathered.surveys = {probe::survey_disk(context.host, disk, probe::Thoroughness::full)};
  return plan_and_import(context, store, gathered, request, [&] { return fingerprint.value().result(); });
}

std::vector<probe::Disk> named_disks(const Context& context, machine::ImportRequest& request) {
  std::vector<probe::Disk> disks;
  for (std::size_t i = 0; i < context.arguments.positionals().size(); ++i)
    if (const auto& word = context.arguments.positional(i); i == 0 || is_further_disk(context, word))
      disks.push_back(i == 0 ? probe::locate_disk(context.host, word) : machine::locate_extra_disk(context.host, word));
  for (const auto& [source, read_only] : chosen_disks(context.arguments))
    if (read_only)
      request.disks.push_back(machine::kept_path(machine::locate_extra_disk(context.host, source)));
    else
      disks.push_back(machine::locate_extra_disk(context.host, source));
  if (disks.size() > 1 && disks.front().kind == probe::DiskKind::directory)
    throw base::Error(base::ErrorKind::unsupported, "a machine on a folder has no disks of its own beside that")
        .hint("let the guest read one: --disk FILE,ro");
  return disks;
}

Outcome run_import(const Context& context) {
  auto request = request_of(context);
  const auto disks = named_disks(context, request);
  request.iso = chosen_disc(context.arguments);
  if (request.iso) request.iso->path = machine::kept_path(machine::locate_extra_disk(context.host, request.iso->path));
  const auto store = open_store(context, Missing::made);
  machine::check_store_place(store.folder());
  if (disks.front().kind == probe::DiskKind::directory) return import_folder(context, store, disks.front(), request);
  return disks.size() > 1 ? import_set(context, store, disks, request)
                          : import_disk(context, store, disks.front(), request);
}

}  // namespace

const Command import_command = {
    .name = "import",
    .summary = "make a machine of a disk, without writing to the disk",
    .options = with_hardware_options(
        {}, &machine::HardwareOption::at_import,
        {{.name = "--disk",
          .value = "SOURCE[,ro]",
          .help = "another disk of the machine, never written to either; with \",ro\" not by the guest",
          .completes = Completes::source,
          .repeatable = true},
         {.name = "--new-disk", .value = "SIZE", .help = "another disk, empty: 20G", .repeatable = true},
         iso_option(),
         forward_option(),
         {.name = "--description", .value = "TEXT", .help = "what the machine is for"},
         {.name = "--hash", .help = "take the SHA-256 of the whole disk, for verify --full"},
         {.name = "--classic", .help = "layers that every QEMU reads, which take more space"},
         {.name = "--direct", .help = "of a folder: let the guest write to it"},
         {.name = "--allow-in-use", .help = "import a disk that is mounted or held"},
         {.name = "--allow-volatile", .help = "keep the machine in memory, until the next boot of this host"},
         {.name = "--allow-partial", .help = "import what is here of a set of disks"},
         {.name = "--force-architecture", .help = "import what is made for other processors than x86"},
         {.name = "--allow-low-space", .help = "import although there is little space"},
         dry_run_option()}),
    .positionals = {{"SOURCE", "a whole disk, an image of one, or a folder with a root filesystem", Completes::source},
                    {"NAME", "the machine's name, else what its system is called; before it other disks, with a slash",
                     Completes::nothing, Positional::Count::any}},
    .run = run_import,
};

}  // namespace hrvm::cli
