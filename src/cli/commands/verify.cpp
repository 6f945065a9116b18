// hrvm verify MACHINE[@SNAP]: evidence that the disk is what it was when the machine's layers were made on it, and that
// the layers are what they were when they were frozen.
#include <fmt/core.h>

#include <algorithm>

#include "cli/commands/commands.hpp"
#include "cli/messages.hpp"
#include "cli/steps/changing.hpp"
#include "cli/steps/verify_report.hpp"
#include "cli/views/machine_view.hpp"
#include "cli/words/named_machine.hpp"
#include "cli/words/target_file.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/launch/settled.hpp"
#include "hrvm/machine/change.hpp"
#include "hrvm/machine/full_hash.hpp"
#include "hrvm/machine/layers.hpp"
#include "hrvm/machine/objection.hpp"

namespace hrvm::cli {
namespace {

using base::Json;
using machine::Drift;
using report::Format;

constexpr int problems_found = 3;

struct Verification {
  machine::BaseState base;
  std::vector<std::string> hashes{};  // of everything, with --full: one for each disk, none of one that began empty
  bool lacks_hash = false;            // with --full: nothing was taken to hold a disk to
  bool is_recorded = false;
  std::vector<base::Error> faults{};          // of layers
  base::Json layer_evidence = Json::array();  // with --layers, or of a snapshot
};

struct Subject {
  machine::Machine machine;
  machine::State state;
  std::optional<std::string> snapshot;
};

Json or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }

Json comparison_json(const std::string& what, const std::string& then, const std::string& now) {
  const bool is_known = !then.empty() || !now.empty();
  Json json;
  json.set("what", what).set("then", or_null(then)).set("now", or_null(now));
  return json.set("same", is_known ? Json(then == now) : Json());
}

Json trace_json(const machine::MarkComparison& trace) {
  auto json = comparison_json(trace.what, trace.then, trace.now);
  return json.set("same", trace.is_known ? Json(trace.same) : Json());
}

// What was never taken cannot differ.
Json hash_json(const std::string& what, const std::string& then, const std::string& now) {
  auto json = comparison_json(what, then, now);
  return then.empty() ? json.set("same", nullptr) : json;
}

// Where it was cut off, it goes on.
std::string hash_of(const Context& context, const machine::Machine& machine, const machine::BaseState& base,
                    std::size_t number) {
  const auto& disk = base.disks.at(number);
  sys::Progress progress(context.host, "Hashing " + disk.path, disk.size_bytes, context.quiet);
  return machine::hash_base_on(context.host, disk, base.now, machine::hashing_note(machine, number),
                               [&](std::uint64_t done) { progress.at(done); });
}

// All of it was asked for, and there is nothing to hold it against: said before it is read, as that takes a while, and
// as nobody may take it for a proof.
void say_that_nothing_is_proved(const Context& context, const machine::Machine& machine, const std::string& path) {
  const auto error = base::Error(base::ErrorKind::unsupported,
                                 fmt::format("no SHA-256 of {} was taken, so there is none to hold this one to: "
                                             "nothing is proved",
                                             path))
                         .hint(fmt::format("take it for what it is now: hrvm verify --full --record {}", machine.name));
  print_error(context.host.streams.err, error, message_style(context.host, context.arguments));
}

void hash_all(const Context& context, const machine::Machine& machine, Verification& found) {
  const auto& definition = machine.definition;
  for (std::size_t i = 0; i < found.base.disks.size(); ++i) {
    const auto& disk = found.base.disks[i];
    const auto& then = definition.disks.at(i).sha256;
    if (then.empty() && !disk.path.empty() && !definition.is_on_folder() && !found.lacks_hash) {
      found.lacks_hash = true;
      if (found.base.drift == Drift::none && !context.arguments.has("--record"))
        say_that_nothing_is_proved(context, machine, disk.path);
    }
    const auto& hash = found.hashes.emplace_back(disk.path.empty() ? "" : hash_of(context, machine, found.base, i));
    if (then.empty() || then == hash) continue;
    found.base.drift = Drift::changed;
    found.base.reasons.push_back(i == 0 ? "its SHA-256 is another one than the one that was taken"
                                        : fmt::format("the SHA-256 of {} is another one than was taken", disk.path));
  }
}

base::Error is_no_longer_that(const machine::Machine& machine, const std::vector<std::string>& reasons) {
  return base::Error(base::ErrorKind::refused,
                     fmt::format("{} is not what the layers of {} were made on: {}",
                                 machine.definition.disks.front().path, machine.name, base::join(reasons, "; ")))
      .hint(fmt::format("what it is now belongs to no layer; start over from it: hrvm reset {}", machine.name));
}

// What was hashed is what is there under the lock, or it was written meanwhile.
void record(const Context& context, const std::string& name, Verification& found) {
  const auto store = open_store(context);
  const auto lock = store.lock(name);
  const auto machine = launch::load_settled(context.host, store, name);
  const auto now = machine::examine_base(context.host, machine.definition, machine.definition.active);
  if (now.drift != Drift::none) throw is_no_longer_that(machine, now.reasons);
  if (!touches(compare_traces(found.base.now, now.now)).empty())
    throw base::Error(base::ErrorKind::refused,
                      fmt::format("{} was written while it was read", machine.definition.disks.front().path))
        .hint("end what writes to it, and try again");
  const auto change = plan_record(machine, found.hashes, found.base.now, draw(context.host, store));
  for (const auto& warning : change.warnings) context.warn(warning);
  apply(store, machine, change, [](std::uint64_t) {});
  found.is_recorded = true;
}

std::string hash_of(const Context& context, const machine::Path& file) {
  sys::Progress progress(context.host, "Hashing " + file.string(), sys::status(file).size_bytes, context.quiet);
  return machine::hash_file(file, [&](std::uint64_t done) { progress.at(done); });
}

// What one file of a layer was, and is.
void add_layer_evidence(Verification& found, const std::string& name, const machine::FrozenFile& then,
                        const machine::FrozenFile& now) {
  const auto add = [&](const std::string& what, const std::string& was, const std::string& is) {
    auto json = comparison_json(name + ": " + what, was, is);
    found.layer_evidence.push(was.empty() ? json.set("same", nullptr) : json);
  };
  const bool is_known = !then.modified.empty();
  add("size", is_known ? fmt::format("{} bytes", then.size_bytes) : "", fmt::format("{} bytes", now.size_bytes));
  add("mtime", then.modified, now.modified);
  add("header and tables", then.tables, now.tables);
  if (!now.sha256.empty()) add("sha256", then.sha256, now.sha256);
}

base::Error is_another(const machine::Machine& machine, const machine::Path& file) {
  return base::Error(base::ErrorKind::corrupt, fmt::format("{} of {} has another SHA-256 than the one that was taken",
                                                           file.string(), machine.name))
      .on(file)
      .hint("restore the file, or go on from a state that does not lie on it: hrvm snapshot tree " + machine.name);
}

using Frozen = std::map<std::string, std::vector<machine::FrozenFile>>;

// Only frozen layers can be held to anything: what is active is written to. Gives what they are now.
Frozen examine_frozen(const Context& context, const Subject& subject, Verification& found) {
  const auto& [machine, state, snapshot] = subject;
  Frozen now;
  for (const auto& layer : snapshot ? machine.definition.chain(state) : machine::all_layers(machine)) {
    if (std::ranges::find(machine.definition.snapshots, layer, &machine::Snapshot::layer) ==
        machine.definition.snapshots.end())
      continue;
    const auto then = machine.definition.frozen.find(layer);
    auto& files = now[layer] = machine::frozen_files(machine, layer);
    for (std::size_t disk = 0; disk < files.size(); ++disk) {
      const auto path = machine.layer_path(layer, disk);
      const auto was = then == machine.definition.frozen.end() ? machine::FrozenFile{} : then->second.at(disk);
      if (context.arguments.has("--full")) files[disk].sha256 = hash_of(context, path);
      add_layer_evidence(found, path.filename().string(), was, files[disk]);
      if (!was.sha256.empty() && !files[disk].sha256.empty() && was.sha256 != files[disk].sha256)
        found.faults.push_back(is_another(machine, path));
    }
  }
  return now;
}

bool looks_at_layers(const Context& context, const Subject& subject) {
  return (context.arguments.has("--layers") || subject.snapshot) && !subject.machine.definition.is_on_folder();
}

// Headers that are wrong are not to be kept as what they should be; times and hashes are what is taken.
void record_layers(const Context& context, const std::string& name, const Frozen& frozen) {
  const auto store = open_store(context);
  const auto lock = store.lock(name);
  const auto machine = launch::load_settled(context.host, store, name);
  const auto change = plan_record_layers(machine, frozen, draw(context.host, store));
  for (const auto& fault : machine::layer_faults({machine.name, machine.folder, machine.generation, change.definition}))
    throw fault;
  for (const auto& warning : change.warnings) context.warn(warning);
  apply(store, machine, change, [](std::uint64_t) {});
}

// What guests had in memory: its size, and with --full its hash, which was taken when it was saved.
void examine_memory(const Context& context, const Subject& subject, Verification& found) {
  const auto& machine = subject.machine;
  for (const auto& snapshot : machine.definition.snapshots) {
    if (!snapshot.memory || (subject.snapshot && snapshot.name != *subject.snapshot)) continue;
    const auto path = machine.memory_path(snapshot.memory->id);
    const auto add = [&](std::string_view what, const std::string& was, const std::string& is) {
      auto json = comparison_json(fmt::format("memory of {}: {}", snapshot.name, what), was, is);
      found.layer_evidence.push(was.empty() ? json.set("same", nullptr) : json);
    };
    add("size", fmt::format("{} bytes", snapshot.memory->size_bytes),
        fmt::format("{} bytes", sys::status(path).size_bytes));
    if (auto fault = memory_fault(machine, snapshot)) {
      found.faults.push_back(*std::move(fault));
      continue;
    }
    if (!context.arguments.has("--full")) continue;
    const auto hash = hash_of(context, path);
    add("sha256", snapshot.memory->sha256, hash);
    if (!snapshot.memory->sha256.empty() && hash != snapshot.memory->sha256)
      found.faults.push_back(is_another(machine, path));
  }
}

void examine_layers(const Context& context, const Subject& subject, Verification& found) {
  const auto& [machine, state, snapshot] = subject;
  found.faults =
      context.arguments.has("--layers") ? machine::layer_faults(machine) : machine::layer_faults(machine, state);
  if (!looks_at_layers(context, subject)) return;
  const auto before = found.faults.size();
  const auto frozen = examine_frozen(context, subject, found);
  examine_memory(context, subject, found);
  const bool hash_differs = found.faults.size() > before;  // by a hash of all of it, which is not given up
  if (!context.arguments.has("--record") || hash_differs) return;
  record_layers(context, machine.name, frozen);
  found.faults.clear();
  found.is_recorded = true;
}

Verification examine(const Context& context, const Subject& subject) {
  const auto& machine = subject.machine;
  const auto& definition = machine.definition;
  Verification found{machine::examine_base(context.host, definition, subject.state)};
  examine_layers(context, subject, found);
  if (!context.arguments.has("--full") || looks_at_layers(context, subject)) return found;
  const bool records = context.arguments.has("--record");
  if (records && found.base.drift == Drift::changed) throw is_no_longer_that(machine, found.base.reasons);
  hash_all(context, machine, found);
  if (records && found.base.drift == Drift::none) record(context, machine.name, found);
  return found;
}

std::string name_of_hash(std::size_t disk) { return disk == 0 ? "sha256" : fmt::format("disk {}, sha256", disk + 1); }

// A folder's layers are files, whose headers nobody can hold to anything.
Json word_for_layers(const machine::Definition& definition, const Verification& found) {
  if (definition.is_on_folder()) return {};
  return found.faults.empty() ? "sound" : "damaged";
}

Json layers_json(const Verification& found) {
  Json faults = Json::array();
  for (const auto& fault : found.faults) faults.push(fault.message());
  return faults;
}

Json evidence_json(const machine::Machine& machine, const Verification& found) {
  Json evidence = Json::array();
  for (const auto& mark : found.base.evidence) evidence.push(comparison_json(mark.what, mark.then, mark.now));
  for (const auto& trace : found.base.traces) evidence.push(trace_json(trace));
  for (std::size_t i = 0; i < found.hashes.size(); ++i)
    if (!found.hashes[i].empty())
      evidence.push(hash_json(name_of_hash(i), machine.definition.disks.at(i).sha256, found.hashes[i]));
  for (const auto& layer : found.layer_evidence.items()) evidence.push(layer);
  return evidence;
}

// What was looked at, rather than that all is well: a few dozen samples do not see each change.
std::string summary(const Verification& found) {
  const auto& base = found.base;
  const auto looked_at = base::join(base.looked_at, ", ");
  if (base.drift != Drift::none) return std::string(word(base.drift));
  if (found.is_recorded && !found.hashes.empty()) return "no change seen; from now on this SHA-256 tells";
  if (found.lacks_hash) return fmt::format("no change seen, and nothing proved: {}", looked_at);
  if (!found.hashes.empty()) return "unchanged: all of it has the SHA-256 that was taken";
  if (!base.touched.empty())
    return fmt::format("touched since: {}; what was looked at is equal: {}", base::join(base.touched, ", "), looked_at);
  return looked_at.empty() ? "unchanged" : "no change seen: " + looked_at;
}

std::vector<report::View> views(bool verbose) {
  report::TableView table{.rows = "evidence", .columns = {{"WHAT", "what"}, {"SAME", "same", Format::yes_no}}};
  if (verbose) table.columns.insert(table.columns.end(), {{"THEN", "then"}, {"NOW", "now"}});
  return {report::FieldsView{.fields = {{"Base", "base.path"},
                                        {"Verdict", "summary"},
                                        {"Because", "base.reasons", Format::lines},
                                        {"Layers", "layers"},
                                        {"Damaged", "layer_faults", Format::lines},
                                        {"Compared with", "taken", Format::time},
                                        {"SHA-256", "sha256"}}},
          table};
}

Json first_hash(const Verification& found) { return found.hashes.empty() ? Json() : or_null(found.hashes.front()); }

report::Report report_of(const Context& context, const Subject& subject, const Verification& found) {
  const auto& machine = subject.machine;
  const auto& definition = machine.definition;
  const auto& fingerprint = definition.fingerprints.at(definition.chain(subject.state).back());
  Json data;
  data.set("machine", machine.name)
      .set("snapshot", subject.snapshot)
      .set("base", machine_json(context.host, machine, found.base)["base"]);
  data.set("verdict", found.base.drift == Drift::none ? "unchanged" : word(found.base.drift));
  data.set("summary", summary(found)).set("looked_at", found.base.looked_at).set("touched", found.base.touched);
  data.set("layers", word_for_layers(definition, found)).set("layer_faults", layers_json(found));
  data.set("evidence", evidence_json(machine, found));
  data.set("taken", base::format_time(fingerprint.taken)).set("sha256", first_hash(found));
  return {.schema = "hrvm.verify/1",
          .data = data,
          .human = views(context.verbose),
          .plain = {.rows = "evidence", .columns = {{"", "what"}, {"", "same"}, {"", "then"}, {"", "now"}}}};
}

Subject subject_of(const Context& context) {
  const auto named = named_machine(context.arguments.positional(0));
  auto machine = open_store(context).load(named.machine);
  auto state = machine::state_of(machine, named.snapshot);
  return {std::move(machine), std::move(state), named.snapshot};
}

void check_options(const Arguments& arguments) {
  if (arguments.has("--record") && !arguments.has("--full") && !arguments.has("--layers"))
    throw base::Error(base::ErrorKind::usage, "--record keeps what --full or --layers finds: add one of them");
}

void say_what_to_do(const Context& context, const Subject& subject, const Verification& found) {
  if (found.base.drift != Drift::none)
    for (const auto& objection : objections(subject.machine, found.base, machine::Purpose::boot))
      context.hint(objection.error.hint());
  if (found.base.drift == Drift::none && !found.base.touched.empty() && found.hashes.empty())
    for (const auto& objection : objections(subject.machine, found.base, machine::Purpose::checkup))
      context.hint(objection.error.hint());
  if (!found.faults.empty()) context.hint(found.faults.front().hint());
}

// Asked for before hours of reading.
std::optional<TargetFile> report_file(const Context& context) {
  const auto word = context.arguments.value("--report");
  if (!word) return std::nullopt;
  const auto store = open_store(context);
  auto target = target_file(*word, store, std::nullopt);
  check_is_no_base(target.path, store);
  return target;
}

Outcome run_verify(const Context& context) {
  check_options(context.arguments);
  const auto begun = context.host.now();
  const auto file = report_file(context);
  const auto subject = subject_of(context);
  const auto found = examine(context, subject);
  say_what_to_do(context, subject, found);
  const int status = found.lacks_hash && !found.is_recorded ? 1 : 0;
  auto report = report_of(context, subject, found);
  if (file) {
    write_report(context, {subject.machine, found.base.disks, report.data, begun}, file->path);
    report.data.set("report", file->path.string());
    report.human.push_back(report::FieldsView{.fields = {{"Report", "report", Format::path}}});
  }
  return {.report = std::move(report),
          .status = found.base.drift == Drift::none && found.faults.empty() ? status : problems_found};
}

}  // namespace

const Command verify_command = {
    .name = "verify",
    .summary = "show that the disk is what it was at import",
    .options = {{.name = "--full", .help = "hash all of it, and compare with what import --hash or --record took"},
                {.name = "--layers", .help = "the frozen layers too; with --full hash those instead of the disk"},
                {.name = "--report",
                 .value = "FILE",
                 .help = "write what was found to a file, with its own hash at the end",
                 .completes = Completes::file},
                {.name = "--record", .help = "keep what --full or --layers finds, to compare with from now on"}},
    .positionals = {{"MACHINE[@SNAP]", "the machine, or it as it is in a snapshot", Completes::machine_or_snapshot}},
    .run = run_verify,
};

}  // namespace hrvm::cli
