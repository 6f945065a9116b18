// hrvm verify MACHINE: evidence that the disk is what it was when the machine's layers were made on it.
#include <fmt/core.h>

#include "cli/commands/commands.hpp"
#include "cli/messages.hpp"
#include "cli/steps/changing.hpp"
#include "cli/views/machine_view.hpp"
#include "cli/words/named_machine.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/machine/change.hpp"
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

std::string hash_of(const Context& context, const probe::Disk& disk) {
  sys::Progress progress(context.host, "Hashing " + disk.path, disk.size_bytes, context.quiet);
  return machine::hash_base(context.host, disk, [&](std::uint64_t done) { progress.at(done); });
}

// All of it was asked for, and there is nothing to hold it against: said before it is read, as that takes a while, and
// as nobody may take it for a proof.
void say_that_nothing_is_proved(const Context& context, const machine::Machine& machine, const std::string& path) {
  const auto error = base::Error(base::ErrorKind::unsupported,
                                 fmt::format("no SHA-256 of {} was taken, so there is none to hold this one to: "
                                             "nothing is proved",
                                             path))
                         .hint(fmt::format("take it for what it is now: hrvm verify --full --record {}", machine.name));
  print_error(context.host.streams.err, error, context.rendering == Rendering::json,
              uses_color(context.host, context.arguments, Channel::err));
}

void hash_all(const Context& context, const machine::Machine& machine, Verification& found) {
  const auto& definition = machine.definition;
  for (std::size_t i = 0; i < found.base.disks.size(); ++i) {
    const auto& disk = found.base.disks[i];
    const auto& then = definition.disks.at(i).sha256;
    if (then.empty() && !disk.path.empty() && !found.lacks_hash) {
      found.lacks_hash = true;
      if (found.base.drift == Drift::none && !context.arguments.has("--record"))
        say_that_nothing_is_proved(context, machine, disk.path);
    }
    const auto& hash = found.hashes.emplace_back(disk.path.empty() ? "" : hash_of(context, disk));
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
  const auto machine = store.load(name);
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

Verification examine(const Context& context, const machine::Machine& machine) {
  const auto& definition = machine.definition;
  Verification found{machine::examine_base(context.host, definition, definition.active)};
  if (!context.arguments.has("--full")) return found;
  const bool records = context.arguments.has("--record");
  if (records && found.base.drift == Drift::changed) throw is_no_longer_that(machine, found.base.reasons);
  hash_all(context, machine, found);
  if (records && found.base.drift == Drift::none) record(context, machine.name, found);
  return found;
}

std::string name_of_hash(std::size_t disk) { return disk == 0 ? "sha256" : fmt::format("disk {}, sha256", disk + 1); }

Json evidence_json(const machine::Machine& machine, const Verification& found) {
  Json evidence = Json::array();
  for (const auto& mark : found.base.evidence) evidence.push(comparison_json(mark.what, mark.then, mark.now));
  for (const auto& trace : found.base.traces) evidence.push(trace_json(trace));
  for (std::size_t i = 0; i < found.hashes.size(); ++i)
    if (!found.hashes[i].empty())
      evidence.push(hash_json(name_of_hash(i), machine.definition.disks.at(i).sha256, found.hashes[i]));
  return evidence;
}

// What was looked at, rather than that all is well: a few dozen samples do not see each change.
std::string summary(const Verification& found) {
  const auto& base = found.base;
  const auto looked_at = base::join(base.looked_at, ", ");
  if (base.drift != Drift::none) return std::string(word(base.drift));
  if (found.is_recorded) return "no change seen; from now on this SHA-256 tells";
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
                                        {"Compared with", "taken", Format::time},
                                        {"SHA-256", "sha256"}}},
          table};
}

Json first_hash(const Verification& found) { return found.hashes.empty() ? Json() : or_null(found.hashes.front()); }

report::Report report_of(const Context& context, const machine::Machine& machine, const Verification& found) {
  const auto& definition = machine.definition;
  const auto& fingerprint = definition.fingerprints.at(definition.chain(definition.active).back());
  Json data;
  data.set("machine", machine.name).set("base", machine_json(context.host, machine, found.base)["base"]);
  data.set("verdict", found.base.drift == Drift::none ? "unchanged" : word(found.base.drift));
  data.set("summary", summary(found)).set("looked_at", found.base.looked_at).set("touched", found.base.touched);
  data.set("evidence", evidence_json(machine, found));
  data.set("taken", base::format_time(fingerprint.taken)).set("sha256", first_hash(found));
  return {.schema = "hrvm.verify/1",
          .data = data,
          .human = views(context.verbose),
          .plain = {.rows = "evidence", .columns = {{"", "what"}, {"", "same"}, {"", "then"}, {"", "now"}}}};
}

Outcome run_verify(const Context& context) {
  if (context.arguments.has("--record") && !context.arguments.has("--full"))
    throw base::Error(base::ErrorKind::usage, "--record keeps what --full finds: add --full");
  const auto machine = open_store(context).load(machine_word(context.arguments.positional(0)));
  const auto found = examine(context, machine);
  if (found.base.drift == Drift::none && !found.base.touched.empty() && found.hashes.empty())
    for (const auto& objection : objections(machine, found.base, machine::Purpose::checkup))
      context.hint(objection.error.hint());
  const int status = found.lacks_hash && !found.is_recorded ? 1 : 0;
  return {.report = report_of(context, machine, found),
          .status = found.base.drift == Drift::none ? status : problems_found};
}

}  // namespace

const Command verify_command = {
    .name = "verify",
    .summary = "show that the disk is what it was at import",
    .options = {{.name = "--full", .help = "hash all of it, and compare with what import --hash or --record took"},
                {.name = "--record", .help = "with --full: keep the hash, to compare with from now on"}},
    .positionals = {{"MACHINE", "the machine", Completes::machine}},
    .run = run_verify,
};

}  // namespace hrvm::cli
