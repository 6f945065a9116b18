#include "launch/run/companion.hpp"

#include <chrono>
#include <csignal>

#include "hrvm/sys/background.hpp"

namespace hrvm::launch {

namespace {

constexpr std::chrono::milliseconds goodbye_limit{500};

// By itself it ends when its QEMU is gone, but not when none has ever connected.
void see_off(const sys::Process& process) {
  for (const int signal : {SIGTERM, SIGKILL}) {
    if (process.wait(goodbye_limit)) return;
    process.signal(signal);
  }
}

}  // namespace

sys::Fd tie_to_lifeline(const sys::Child& child) {
  const auto process = sys::Process::child(child.pid());
  auto lifeline = sys::make_lifeline();
  const auto keeper = [&] {
    sys::wait_for_end(lifeline.watched);
    see_off(process);
  };
  sys::run_in_background(keeper, {lifeline.watched.get(), process.fd()});
  return std::move(lifeline.held);
}

}  // namespace hrvm::launch
