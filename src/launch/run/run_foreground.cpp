#include <csignal>
#include <optional>
#include <utility>
#include <vector>

#include "hrvm/launch/guard.hpp"
#include "hrvm/sys/background.hpp"
#include "hrvm/sys/terminal.hpp"
#include "launch/run/memory_feed.hpp"
#include "launch/run/starting.hpp"

namespace hrvm::launch {

namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds look_interval{5};
// QEMU that has not taken its layer by then is waiting for something, and nothing holds the machine but that.
constexpr int most_looks = 12'000;

void wait_until_running(const LaunchPlan& plan, const sys::Process& qemu) {
  for (int look = 0; look < most_looks && !qemu.wait(look_interval); ++look) {
    if (has_taken_layer(plan)) return;
  }
}

}  // namespace

void run_in_foreground(const sys::Host& host, const LaunchPlan& plan, sys::Lock machine_lock, const Keep& keep) {
  const auto prepared = prepare_command(host, plan, keep);
  const auto self = sys::Process::self();  // which QEMU will be
  const auto terminal = guards_terminal(host);
  std::vector<int> kept{machine_lock.fd(), self.fd()};
  if (terminal) kept.push_back(terminal.get());
  const auto errors = sys::duplicate_stderr();
  if (plan.memory) kept.push_back(errors.get());
  const auto watch_over = [&] {
    wait_until_running(plan, self);
    if (const auto other = memory_differs(plan))
      sys::write_now(errors.get(), "hrvm: error: " + other->message() + "\n");
    std::move(machine_lock).release().reset();
    guard_run(host, plan, terminal.get());
  };
  sys::run_in_background(watch_over, kept);
  host.runner.exec(prepared.command);
}

int run_supervised(const sys::Host& host, const LaunchPlan& plan, sys::Lock machine_lock, const Keep& keep) {
  auto prepared = prepare_command(host, plan, keep);
  prepared.command.ends_with_us = true;
  auto child = host.runner.spawn(prepared.command, {0, 1, 2}, false);
  prepared.held.clear();
  std::optional<sys::Lock> held = std::move(machine_lock);
  bool told = false;
  while (!child.wait(20ms)) {
    if (held && has_taken_layer(plan)) {
      start_guard(host, plan);
      held.reset();
    }
    if (sys::interrupt_signal() == 0 || told) continue;
    child.signal(SIGTERM);
    told = true;
  }
  if (auto other = memory_differs(plan)) throw *std::move(other);
  return *child.poll();
}

}  // namespace hrvm::launch
