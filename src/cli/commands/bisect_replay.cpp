// hrvm bisect replay MACHINE FILE: a search as it stands in a file that hrvm bisect log wrote, and a person may have
// edited.
#include <fmt/core.h>

#include <iostream>
#include <iterator>
#include <optional>

#include "cli/commands/commands.hpp"
#include "cli/steps/bisecting.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/sys/files.hpp"

namespace hrvm::cli {
namespace {

using base::Error;
using base::ErrorKind;
using machine::Bisect;
using machine::BisectVerdict;

constexpr std::size_t largest_script = 16 << 20;
constexpr std::string_view by_time = "--by-time";

// Without "hrvm bisect" before them and a comment behind them.
std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> words;
  for (const auto word : base::split(line.substr(0, line.find('#')), ' '))
    if (const auto trimmed = base::trim(word); !trimmed.empty()) words.emplace_back(trimmed);
  for (const auto* before : {"hrvm", "bisect"})
    if (!words.empty() && words.front() == before) words.erase(words.begin());
  return words;
}

class Replay {
 public:
  Replay(const machine::Machine& machine, base::Time now) : machine_(machine), now_(now) {}

  void take(std::vector<std::string> words) {
    if (words.size() < 2) throw Error(ErrorKind::usage, "it has no command and machine");
    // The machine may have another name by now.
    const auto command = words[0];
    words.erase(words.begin(), words.begin() + 2);
    if (command == "start") return start(std::move(words));
    const auto verdict = machine::from_word<BisectVerdict>(command);
    if (!verdict) throw Error(ErrorKind::usage, fmt::format("\"{}\" is no command of it", base::printable(command)));
    if (!bisect_) throw Error(ErrorKind::usage, "nothing was begun before it");
    for (const auto& word : words) add_verdict(*bisect_, {find_state(*bisect_, machine_, word).layer, *verdict, now_});
  }
  Bisect result() && {
    if (bisect_) return *std::move(bisect_);
    throw Error(ErrorKind::usage, "nothing is begun in it").hint("its first line is: hrvm bisect start MACHINE …");
  }

 private:
  void start(std::vector<std::string> words) {
    machine::BisectRequest request{.by_time = std::erase(words, by_time) > 0};
    if (!words.empty()) request.bad = words[0];
    if (words.size() > 1) request.good = words[1];
    bisect_ = begin_bisect(machine_, request, now_);
  }

  const machine::Machine& machine_;
  base::Time now_;
  std::optional<Bisect> bisect_;
};

Bisect replayed(const machine::Machine& machine, const std::string& file, base::Time now) {
  const auto text = sys::read_file(file, largest_script);
  Replay replay(machine, now);
  std::size_t number = 0;
  for (const auto line : base::lines(text)) {
    ++number;
    auto words = words_of(line);
    if (words.empty()) continue;
    try {
      replay.take(std::move(words));
    } catch (Error& error) {
      throw error.while_doing(fmt::format("{}: line {}", base::printable(file), number));
    }
  }
  return std::move(replay).result();
}

Outcome run_bisect_replay(const Context& context) {
  const auto locked = lock_machine(context, machine_word(context.arguments.positional(0)));
  const auto bisect = replayed(locked.machine, context.arguments.positional(1), context.host.now());
  keep_bisect(locked.machine, bisect);
  return bisect_outcome("bisect-replay", locked.machine, bisect);
}

}  // namespace

const Command bisect_replay_command = {
    .name = "bisect replay",
    .summary = "take up a search as hrvm bisect log wrote it",
    .positionals = {{"MACHINE", "the machine", Completes::machine},
                    {"FILE", "what hrvm bisect log printed", Completes::file}},
    .run = run_bisect_replay,
};

}  // namespace hrvm::cli
