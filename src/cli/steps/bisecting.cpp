#include "cli/steps/bisecting.hpp"

#include <fmt/core.h>

#include "cli/views/bisect_view.hpp"
#include "cli/words/named_machine.hpp"
#include "hrvm/base/error.hpp"

namespace hrvm::cli {
namespace {

using base::Error;
using base::ErrorKind;
using machine::Bisect;
using machine::BisectVerdict;
using End = machine::BisectStanding::End;

// What a person says nothing more of.
std::string next_to_test(const machine::Machine& machine, const Bisect& bisect) {
  const auto standing = machine::standing(bisect);
  if (standing.next) return bisect.states[*standing.next].layer;
  throw Error(ErrorKind::usage, fmt::format("nothing of {} is left to test", machine.name))
      .hint(fmt::format("hrvm bisect status {} tells what was found; name a state to say something else of it",
                        machine.name));
}

std::vector<std::string> layers_named(const Context& context, const machine::Machine& machine, const Bisect& bisect) {
  const auto& words = context.arguments.positionals();
  if (words.size() == 1) return {next_to_test(machine, bisect)};
  std::vector<std::string> layers;
  for (std::size_t i = 1; i < words.size(); ++i)
    layers.push_back(find_state(bisect, machine, state_word(machine.name, words[i])).layer);
  return layers;
}

}  // namespace

std::string state_word(const std::string& machine, const std::string& word) {
  if (word.find('@') == word.npos) return word;
  const auto [name, snapshot] = snapshot_word(word);
  if (name == machine) return snapshot;
  throw Error(ErrorKind::usage, fmt::format("{} is no snapshot of {}", word, machine));
}

Outcome say_verdict(const Context& context, BisectVerdict verdict) {
  const auto locked = lock_machine(context, machine_word(context.arguments.positional(0)));
  auto bisect = begun_bisect(locked.machine);
  for (const auto& layer : layers_named(context, locked.machine, bisect))
    add_verdict(bisect, {.layer = layer, .verdict = verdict, .when = context.host.now()});
  keep_bisect(locked.machine, bisect);
  return bisect_outcome(fmt::format("bisect-{}", machine::word(verdict)), locked.machine, bisect);
}

std::vector<Positional> verdict_positionals() {
  return {{"MACHINE", "the machine", Completes::machine},
          {"SNAP", "the states; without one, that which is to be tested", Completes::snapshot, Positional::Count::any}};
}

Outcome bisect_outcome(std::string_view command, const machine::Machine& machine, const Bisect& bisect) {
  const auto end = machine::standing(bisect).end;
  const int status = end == End::only_skipped ? 3 : end == End::mended ? 1 : 0;
  return {.report = bisect_report(command, machine, bisect), .status = status};
}

}  // namespace hrvm::cli
