// hrvm verify MACHINE: evidence that the disk is what it was when the machine's layers were made on it.
#include <fmt/core.h>

#include "cli/commands/commands.hpp"
#include "cli/messages.hpp"
#include "cli/steps/changing.hpp"
#include "cli/views/machine_view.hpp"
#include "cli/words/named_machine.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"

namespace hrvm::cli {
namespace {

using base::Json;
using machine::Drift;
using report::Format;

constexpr int problems_found = 3;

struct Verification {
  machine::BaseState base;
  std::vector<std::string> hashes;  // of everything, with --full: one for each disk, none of one that began empty
};

Json or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }

Json comparison_json(const std::string& what, const std::string& then, const std::string& now) {
  const bool is_known = !then.empty() || !now.empty();
  Json json;
  json.set("what", what).set("then", or_null(then)).set("now", or_null(now));
  return json.set("same", is_known ? Json(then == now) : Json());
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

Verification examine(const Context& context, const machine::Machine& machine) {
  const auto& definition = machine.definition;
  Verification found{machine::examine_base(context.host, definition, definition.active), {}};
  if (!context.arguments.has("--full")) return found;
  for (std::size_t i = 0; i < found.base.disks.size(); ++i) {
    const auto& disk = found.base.disks[i];
    const auto& hash = found.hashes.emplace_back(disk.path.empty() ? "" : hash_of(context, disk));
    const auto& then = definition.disks.at(i).sha256;
    if (then.empty() || then == hash) continue;
    found.base.drift = Drift::changed;
    found.base.reasons.push_back(i == 0 ? "its SHA-256 is another one than at import"
                                        : fmt::format("the SHA-256 of {} is another one than at import", disk.path));
  }
  return found;
}

std::string name_of_hash(std::size_t disk) { return disk == 0 ? "sha256" : fmt::format("disk {}, sha256", disk + 1); }

Json evidence_json(const machine::Machine& machine, const Verification& found) {
  Json evidence = Json::array();
  for (const auto& mark : found.base.evidence) evidence.push(comparison_json(mark.what, mark.then, mark.now));
  for (std::size_t i = 0; i < found.hashes.size(); ++i)
    if (!found.hashes[i].empty())
      evidence.push(hash_json(name_of_hash(i), machine.definition.disks.at(i).sha256, found.hashes[i]));
  return evidence;
}

std::vector<report::View> views(bool verbose) {
  report::TableView table{.rows = "evidence", .columns = {{"WHAT", "what"}, {"SAME", "same", Format::yes_no}}};
  if (verbose) table.columns.insert(table.columns.end(), {{"THEN", "then"}, {"NOW", "now"}});
  return {report::FieldsView{.fields = {{"Base", "base.path"},
                                        {"Verdict", "verdict"},
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
  data.set("evidence", evidence_json(machine, found));
  data.set("taken", base::format_time(fingerprint.taken)).set("sha256", first_hash(found));
  return {.schema = "hrvm.verify/1",
          .data = data,
          .human = views(context.verbose),
          .plain = {.rows = "evidence", .columns = {{"", "what"}, {"", "same"}, {"", "then"}, {"", "now"}}}};
}

// All of it was asked for, and there is nothing to hold it against: said, as nobody may take it for a proof.
bool hash_proves_nothing(const Context& context, const machine::Machine& machine, const Verification& found) {
  if (found.hashes.empty() || !machine.definition.disks.front().sha256.empty()) return false;
  const auto error = base::Error(base::ErrorKind::unsupported,
                                 fmt::format("no SHA-256 of {} was taken when {} was imported, so there is none to "
                                             "compare this one with",
                                             found.base.disks.front().path, machine.name))
                         .hint(fmt::format("keep the one that is printed, or import again: hrvm import --hash {}",
                                           base::shell_quote(found.base.disks.front().path)));
  print_error(context.host.streams.err, error, context.rendering == Rendering::json,
              uses_color(context.host, context.arguments, Channel::err));
  return true;
}

Outcome run_verify(const Context& context) {
  const auto machine = open_store(context).load(machine_word(context.arguments.positional(0)));
  const auto found = examine(context, machine);
  const int status = hash_proves_nothing(context, machine, found) ? 1 : 0;
  return {.report = report_of(context, machine, found),
          .status = found.base.drift == Drift::none ? status : problems_found};
}

}  // namespace

const Command verify_command = {
    .name = "verify",
    .summary = "show that the disk is what it was at import",
    .options = {{.name = "--full", .help = "hash all of it, and compare with what import --hash took"}},
    .positionals = {{"MACHINE", "the machine", Completes::machine}},
    .run = run_verify,
};

}  // namespace hrvm::cli
