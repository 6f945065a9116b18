#include "hrvm/launch/guard.hpp"
#include "hrvm/launch/qmp.hpp"
#include "hrvm/sys/terminal.hpp"
#include "launch/run/starting.hpp"

namespace hrvm::launch {

namespace {

using namespace std::chrono_literals;

constexpr std::chrono::seconds start_limit{30};

// QEMU answers while it still reads what the guest had in memory, and has the layers once it has read all.
bool has_its_memory(const LaunchPlan& plan) { return !plan.memory || has_taken_layer(plan); }

void wait_until_running(sys::Child& qemu, const LaunchPlan& plan) {
  const auto deadline = std::chrono::steady_clock::now() + start_limit;
  while (!Qmp::connect(plan.control.qmp_socket, 1s) || !has_its_memory(plan)) {
    if (const auto status = qemu.wait(10ms)) throw early_end(*status, plan);
    sys::check_interrupted();
    if (std::chrono::steady_clock::now() > deadline) {
      throw base::Error(base::ErrorKind::external, "QEMU started, but does not answer").on(plan.control.qmp_socket);
    }
  }
}

}  // namespace

pid_t run_detached(const sys::Host& host, const LaunchPlan& plan, sys::Lock machine_lock, const Keep& keep) {
  const sys::Lock held = std::move(machine_lock);
  auto qemu = spawn_apart(host, plan, keep, false);
  try {
    wait_until_running(qemu, plan);
    start_guard(host, plan);
  } catch (const base::Error&) {
    end_qemu(qemu, plan);
    throw;
  }
  return qemu.pid();
}

}  // namespace hrvm::launch
