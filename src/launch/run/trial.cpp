#include "hrvm/launch/trial.hpp"

#include <fmt/core.h>

#include <csignal>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/block/image_lock.hpp"
#include "hrvm/launch/forwards.hpp"
#include "hrvm/launch/run.hpp"
#include "hrvm/launch/settled.hpp"
#include "hrvm/sys/terminal.hpp"

namespace hrvm::launch {

namespace {

using base::Error;
using base::ErrorKind;
using machine::Bisect;
using machine::BisectState;
using machine::BisectTest;
using machine::BisectVerdict;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds usual_patience{300}, patience_after_term{5};
constexpr std::chrono::milliseconds look_interval{50};
constexpr std::uint16_t first_ssh_port = 20022;
constexpr int cannot_be_judged = 125, cannot_be_run = 126, not_found = 127, by_signal = 128, last_signal = 64;

// ---- the state ----

// What a state is called by now; null for the active one.
std::optional<std::string> snapshot_of(const machine::Machine& machine, const BisectState& state) {
  for (const auto& snapshot : machine.definition.snapshots)
    if (snapshot.layer == state.layer) return snapshot.name;
  if (machine.definition.active.layer == state.layer) return std::nullopt;
  throw Error(ErrorKind::not_found,
              fmt::format("{} of {} is gone: what was current when the bisect began was reset, or "
                          "is kept for undo",
                          state.name, machine.name))
      .hint(fmt::format("bring it back (hrvm undo {0}), or skip it (hrvm bisect skip {0} {1})", machine.name,
                        state.name));
}

// Ports that the machine forwards may be taken by itself, which may run meanwhile.
std::optional<std::uint16_t> forward_ssh(const machine::Machine& machine, BootRequest& boot, bool wants_ssh) {
  auto& hardware = boot.launch.hardware;
  hardware.forwards.emplace();
  const auto network = hardware.network.value_or(machine.definition.active.hardware.network);
  if (!wants_ssh || !network.can_forward() || machine.definition.is_on_folder()) return std::nullopt;
  const auto port = free_port(first_ssh_port);
  if (port) hardware.forwards->push_back({*port, 22});
  return port;
}

// ---- a command ----

// All that it started goes with it.
class Command {
 public:
  Command(const sys::Host& host, sys::Command command) : child_(host.runner.spawn(command, {-1, 2, 2}, true)) {}
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;
  ~Command() {
    if (child_.poll()) return;
    child_.signal_session(SIGTERM);
    if (child_.wait(patience_after_term)) return;
    child_.signal_session(SIGKILL);
    child_.wait(patience_after_term);
  }
  // nullopt where the time was over first.
  std::optional<int> wait(std::optional<std::chrono::seconds> limit) {
    const auto end = limit ? std::optional(Clock::now() + *limit) : std::nullopt;
    while (!end || Clock::now() < *end) {
      if (const auto status = child_.wait(look_interval)) return status;
      sys::check_interrupted();
    }
    return std::nullopt;
  }

 private:
  sys::Child child_;
};

TrialResult judged_by(int status, const std::string& program) {
  const auto seen = fmt::format("exit status {}", status);
  if (status == 0) return {BisectVerdict::good, status, seen};
  if (status == cannot_be_judged) return {BisectVerdict::skip, status, seen};
  if (status < cannot_be_judged) return {BisectVerdict::bad, status, seen};
  const auto why = status == cannot_be_run ? "it, or what it starts, cannot be run (126)"
                   : status == not_found   ? "it, or what it starts, was not found (127)"
                   : status > by_signal && status <= by_signal + last_signal
                       ? fmt::format("signal {} ended it", status - by_signal)
                       : seen;
  throw Error(ErrorKind::external, fmt::format("{} says nothing of the machine: {}", base::printable(program), why))
      .hint("0 is good, 1 to 124 bad, 125 skips; what was learned before is kept: hrvm bisect run goes on");
}

// What boots is stored in a layer of its own; of a folder there is no image.
std::map<std::string, std::string> environment_of(const Boot& boot, const BisectState& state) {
  std::map<std::string, std::string> environment{{"HRVM_MACHINE", boot.machine.name},
                                                 {"HRVM_SNAPSHOT", name_of(state, boot.machine.definition)}};
  if (!boot.machine.definition.is_on_folder()) environment["HRVM_IMAGE"] = boot.throw_away->layer().string();
  return environment;
}

TrialResult run_command(const sys::Host& host, const TrialRequest& request,
                        std::map<std::string, std::string> environment) {
  Command command(host, {.argv = request.command, .environment = std::move(environment), .ends_with_us = true});
  if (const auto status = command.wait(request.timeout)) return judged_by(*status, request.command.front());
  return {BisectVerdict::bad, std::nullopt, fmt::format("it had not ended after {} s", request.timeout->count())};
}

// ---- a boot ----

std::string last_line(const WatchResult& result) {
  return result.console_tail.empty() ? "nothing" : fmt::format("\"{}\"", result.console_tail.back());
}

TrialResult judged_by(const WatchResult& result, BootJudge& judge, const TrialRequest& request) {
  if (result.end == WatchEnd::matched)
    return {BisectVerdict::good, std::nullopt, fmt::format("it printed \"{}\"", result.matched_line)};
  if (result.end == WatchEnd::failed)
    return {BisectVerdict::bad, std::nullopt, fmt::format("it printed \"{}\"", result.matched_line)};
  const auto verdict = judge.verdict(Clock::now());
  if (result.end == WatchEnd::judged && verdict->up) return {BisectVerdict::good, std::nullopt, verdict->what};
  if (request.wait_for && result.console_tail.empty())
    return {BisectVerdict::skip, std::nullopt, "it printed nothing on its serial line"};
  if (result.end == WatchEnd::ended)
    return {BisectVerdict::bad, std::nullopt, "it switched itself off, and printed last " + last_line(result)};
  if (verdict && !verdict->up) return {BisectVerdict::bad, std::nullopt, verdict->what};
  return {BisectVerdict::bad, std::nullopt, "the time was over, and it printed last " + last_line(result)};
}

TrialResult try_boot(const sys::Host& host, Boot& boot, const BisectState& state, const TrialRequest& request,
                     std::optional<std::uint16_t> ssh_port, const std::function<void(const std::string&)>& on_line) {
  // Where something is waited for, the judge is there to see it fail, and has no limit of its own.
  const auto patience = request.timeout.value_or(usual_patience);
  BootJudge judge(Clock::now(), request.wait_for ? patience + 1h : patience);
  WatchRequest watch{
      .wait_for = request.wait_for, .fail_on = request.fail_on, .timeout = request.wait_for ? patience : patience + 1s};
  watch.on_line = on_line;
  watch.judge = &judge;
  std::optional<TrialResult> by_command;
  if (!request.command.empty())
    watch.when_up = [&] {
      auto environment = environment_of(boot, state);
      environment["HRVM_CONSOLE"] = boot.plan.consoles.serial_socket;
      environment["HRVM_QMP"] = boot.plan.control.qmp_socket;
      if (ssh_port) environment["HRVM_SSH_PORT"] = std::to_string(*ssh_port);
      by_command = run_command(host, request, std::move(environment));
    };
  const auto result = run_watched(host, boot.plan, std::move(boot.lock), boot.keep, watch);
  return by_command.value_or(judged_by(result, judge, request));
}

// As QEMU has them that boots the state: nobody removes them, or writes to them, meanwhile.
std::vector<sys::Fd> in_use(const machine::Machine& machine, const machine::State& state) {
  std::vector<sys::Fd> held;
  for (const auto& id : machine.definition.chain(state))
    for (std::size_t disk = 0; disk < machine.definition.disks.size(); ++disk)
      held.push_back(block::open_locked_for_reading(machine.layer_path(id, disk)));
  return held;
}

// The machine's lock is not held while the command runs: it may be a command of ours.
TrialResult try_command(const sys::Host& host, Boot& boot, const BisectState& state, const TrialRequest& request) {
  const auto held = in_use(boot.machine, boot.state);
  { const auto machine_lock = std::move(boot.lock); }
  return run_command(host, request, environment_of(boot, state));
}

}  // namespace

TrialResult try_state(const sys::Host& host, const machine::Store& store, BootRequest boot_request,
                      const BisectState& state, const TrialRequest& request, const Listener& listener,
                      const std::function<void(const std::string&)>& on_line) {
  const auto machine = store.load(boot_request.machine);
  boot_request.snapshot = snapshot_of(machine, state);
  boot_request.ephemeral = true;
  boot_request.launch.supervised = true;
  const auto ssh_port = forward_ssh(machine, boot_request, request.boots && !request.command.empty());
  if (!request.boots && machine.definition.is_on_folder())
    throw Error(ErrorKind::unsupported, fmt::format("{} lies on a folder, and there is no image of it", machine.name))
        .hint("let it boot for the command: --boot");
  auto boot = prepare(host, store, boot_request, listener);
  make(boot, host, listener);
  return run_made(boot, [&] {
    return request.boots ? try_boot(host, boot, state, request, ssh_port, on_line)
                         : try_command(host, boot, state, request);
  });
}

namespace {

// Another command may have added verdicts meanwhile.
void keep_test(const machine::Store& store, const std::string& name, const BisectTest& test) {
  const auto lock = store.lock(name);
  const auto machine = store.load(name);
  auto bisect = begun_bisect(machine);
  add_verdict(bisect, test);
  keep_bisect(machine, bisect);
}

}  // namespace

Bisect run_bisect(const sys::Host& host, const machine::Store& store, const BootRequest& boot,
                  const TrialRequest& request, const Listener& listener, const BisectListener& hears,
                  const std::function<void(const std::string&)>& on_line) {
  for (;;) {
    sys::check_interrupted();
    const auto bisect = begun_bisect(store.load(boot.machine));
    const auto now = standing(bisect);
    if (!now.next) return bisect;
    const auto& state = bisect.states[*now.next];
    hears.begins(state, now);
    const auto start = Clock::now();
    const auto result = try_state(host, store, boot, state, request, listener, on_line);
    const BisectTest test{.layer = state.layer,
                          .verdict = result.verdict,
                          .when = host.now(),
                          .status = result.status,
                          .took = std::chrono::round<std::chrono::seconds>(Clock::now() - start),
                          .seen = result.seen};
    keep_test(store, boot.machine, test);
    hears.ended(state, test);
  }
}

}  // namespace hrvm::launch
