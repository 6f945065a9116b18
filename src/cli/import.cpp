// hrvm import SOURCE [NAME]: a whole disk, an image of one, or a folder, as a machine that never writes to it.
#include "hrvm/machine/import.hpp"

#include <fmt/core.h>

#include <functional>

#include "cli/boot_checks.hpp"
#include "cli/commands.hpp"
#include "cli/hardware_options.hpp"
#include "cli/import_folder.hpp"
#include "cli/import_view.hpp"
#include "cli/named_machine.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/machine/fingerprint.hpp"

namespace hrvm::cli {
namespace {

machine::ImportRequest request_of(const Arguments& arguments) {
  machine::ImportRequest request;
  if (arguments.positionals().size() > 1) request.name = arguments.positional(1);
  request.memory_bytes = chosen_memory(arguments);
  request.cpus = chosen_cpus(arguments);
  request.firmware = chosen(arguments, "--firmware", machine::firmware_from);
  request.bus = chosen(arguments, "--bus", machine::bus_from);
  request.machine = chosen(arguments, "--machine", machine::machine_type_from);
  request.network = chosen_network(arguments);
  request.secure_boot = chosen(arguments, "--secure-boot", machine::secure_boot_from);
  request.tpm = arguments.has("--tpm");
  request.description = arguments.value("--description").value_or("");
  request.classic = arguments.has("--classic");
  request.direct = arguments.has("--direct");
  request.allow_in_use = arguments.has("--allow-in-use");
  request.allow_volatile = arguments.has("--allow-volatile");
  request.allow_low_space = arguments.has("--allow-low-space");
  return request;
}

// In QEMU's own range of addresses that nobody else is given.
std::string draw_mac(const sys::Host& host) {
  const auto drawn = host.entropy();
  const auto byte = [&](std::size_t i) { return base::hex(drawn[drawn.size() - i], 2); };
  return fmt::format("52:54:00:{}:{}:{}", byte(3), byte(2), byte(1));
}

// Begun before it is known whether the disk may be imported at all: it is read beside what finds that out.
std::optional<machine::FingerprintRun> begin_fingerprint(const Context& context, const probe::Disk& disk) {
  if (context.dry_run() || disk.kind == probe::DiskKind::directory) return std::nullopt;
  return std::optional<machine::FingerprintRun>(std::in_place, context.host, disk);
}

// What is on the disk is read meanwhile.
machine::ImportCircumstances gather(const Context& context, const machine::Store& store,
                                    const std::function<probe::Survey()>& survey) {
  machine::ImportCircumstances gathered;
  gathered.storage = machine::examine_storage(context.host, store.folder());
  gathered.host = machine::host_resources(context.host);
  gathered.taken_names = store.names();
  gathered.drawn = draw(context.host, store);
  gathered.uuid = context.host.new_guid();
  gathered.mac = draw_mac(context.host);
  gathered.survey = survey();
  return gathered;
}

void hash_base(const Context& context, const probe::Disk& disk, machine::Definition& definition) {
  if (!context.arguments.has("--hash")) return;
  sys::Progress progress(context.host, "Hashing " + disk.path, disk.size_bytes, context.quiet);
  definition.base.sha256 = machine::hash_base(context.host, disk, [&](std::uint64_t done) { progress.at(done); });
}

void tell(const Context& context, const std::vector<base::Finding>& findings) {
  for (const auto& finding : findings) {
    const auto text = finding.subject.empty() ? finding.message : finding.subject + ": " + finding.message;
    finding.severity == base::Severity::note ? context.note(text) : context.warn(text);
    if (!finding.remedy.empty()) context.hint(finding.remedy);
  }
}

machine::Machine apply(const Context& context, const machine::Store& store, machine::ImportPlan& plan,
                       const probe::Disk& disk, const std::function<machine::Fingerprint()>& fingerprint) {
  auto& definition = plan.change.definition;
  definition.fingerprints[definition.active.layer] = fingerprint();
  hash_base(context, disk, definition);
  return apply_import(store, plan);
}

// It decides on the bus alone, and takes longer to read than all the rest: only where nothing cheaper tells.
bool wants_initramfs(const probe::Contents& contents) {
  const auto* system = contents.own_system();
  return system != nullptr && system->family == "linux" && system->virtio == "unknown";
}

// Warnings come when it is done: where it fails, there is one message.
Outcome plan_and_import(const Context& context, const machine::Store& store,
                        const machine::ImportCircumstances& gathered, const machine::ImportRequest& request,
                        const std::function<machine::Fingerprint()>& fingerprint) {
  auto plan = plan_import(gathered, request);
  const auto report =
      context.dry_run()
          ? import_plan_report(store, plan)
          : import_report(context.host, apply(context, store, plan, gathered.survey.disk, fingerprint), plan);
  tell(context, plan.findings);
  return {.report = report};
}

// Nothing of it is read in a child: it is names and times, and a few short texts.
Outcome import_folder(const Context& context, const machine::Store& store, const probe::Disk& folder,
                      const machine::ImportRequest& request) {
  const auto gathered = gather(context, store, [&] { return survey_folder(context, store, folder); });
  return plan_and_import(context, store, gathered, request, [&] {
    return request.direct ? machine::Fingerprint{context.host.now(), {}}
                          : machine::take_fingerprint(context.host, folder);
  });
}

Outcome run_import(const Context& context) {
  auto request = request_of(context.arguments);
  for (const auto& source : chosen_disks(context.arguments))
    request.disks.push_back(kept_path(locate_extra_disk(context, source)));
  const auto store = open_store(context);
  const auto disk = probe::locate_disk(context.host, context.arguments.positional(0));
  if (disk.kind == probe::DiskKind::directory) return import_folder(context, store, disk, request);
  probe::SurveyRun survey(context.host, disk, probe::Thoroughness::quick);
  auto fingerprint = begin_fingerprint(context, disk);
  auto gathered = gather(context, store, [&] { return survey.result(); });
  if (!request.bus && wants_initramfs(gathered.survey.contents))
    gathered.survey = probe::survey_disk(context.host, disk, probe::Thoroughness::full);
  return plan_and_import(context, store, gathered, request, [&] { return fingerprint.value().result(); });
}

}  // namespace

const Command import_command = {
    .name = "import",
    .summary = "make a machine of a disk, without writing to the disk",
    .options = {memory_option(),
                cpus_option(),
                firmware_option(),
                bus_option(),
                net_option(),
                secure_boot_option(),
                tpm_option(),
                disk_option(),
                {.name = "--machine", .value = "TYPE", .help = "QEMU's machine type", .choices = {"auto", "q35", "pc"}},
                {.name = "--description", .value = "TEXT", .help = "what the machine is for"},
                {.name = "--hash", .help = "take the SHA-256 of the whole disk, for verify --full"},
                {.name = "--classic", .help = "layers that every QEMU reads, which take more space"},
                {.name = "--direct", .help = "of a folder: let the guest write to it"},
                {.name = "--allow-in-use", .help = "import a disk that is mounted or held"},
                {.name = "--allow-volatile", .help = "keep the machine in memory, until the next boot of this host"},
                {.name = "--allow-low-space", .help = "import although there is little space"},
                dry_run_option()},
    .positionals = {{"SOURCE", "a whole disk, a raw or qcow2 image, or a folder with a root filesystem", Completes::source},
                    {"NAME", "the machine's name; else what the system on it is called", Completes::nothing,
                     Positional::Count::optional}},
    .run = run_import,
};

}  // namespace hrvm::cli
