#include <signal.h>

#include <atomic>

#include "hrvm/base/error.hpp"
#include "hrvm/sys/terminal.hpp"

namespace hrvm::sys {

namespace {

std::atomic<int> arrived_signal = 0;
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler must not wait for a lock");

void remember(int number) { arrived_signal = number; }

}  // namespace

void check_interrupted() {
  if (interrupt_signal() != 0) throw base::Error(base::ErrorKind::interrupted, "interrupted");
}

void catch_interrupts() {
  struct sigaction action {};
  action.sa_handler = remember;
  // No SA_RESTART, so that a wait for input ends; SA_RESETHAND, so that a second Ctrl-C ends a hrvm that is stuck.
  action.sa_flags = int(SA_RESETHAND);
  for (const int signal : {SIGINT, SIGTERM}) ::sigaction(signal, &action, nullptr);
  struct sigaction hangup {};
  if (::sigaction(SIGHUP, nullptr, &hangup) == 0 && hangup.sa_handler != SIG_IGN) ::sigaction(SIGHUP, &action, nullptr);
}

int interrupt_signal() { return arrived_signal; }

}  // namespace hrvm::sys
