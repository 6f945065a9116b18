#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <thread>

#include "hrvm/sys/runner.hpp"

namespace hrvm::sys {

namespace {

using Clock = std::chrono::steady_clock;

constexpr int status_unknown = 255;

int as_the_shell_counts(int wait_status) {
  return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

}  // namespace

std::optional<int> Child::poll() {
  if (status_) return status_;
  int wait_status = 0;
  const pid_t ended = ::waitpid(pid_, &wait_status, WNOHANG);
  if (ended == pid_) status_ = as_the_shell_counts(wait_status);
  // Somebody else has reaped it: it has ended, and how is lost.
  if (ended < 0 && errno == ECHILD) status_ = status_unknown;
  return status_;
}

std::optional<int> Child::wait(std::chrono::milliseconds limit) {
  constexpr std::chrono::milliseconds longest_nap{20};
  const Clock::time_point deadline = Clock::now() + limit;
  for (std::chrono::milliseconds nap{1}; !poll() && Clock::now() < deadline; nap = std::min(nap * 2, longest_nap))
    std::this_thread::sleep_for(std::min<Clock::duration>(nap, deadline - Clock::now()));
  return poll();
}

void Child::signal(int number) {
  // Not after its end: the number may be somebody else's by then.
  if (!poll()) ::kill(pid_, number);
}

void Child::signal_session(int number) {
  if (!poll()) ::kill(-pid_, number);
}

}  // namespace hrvm::sys
