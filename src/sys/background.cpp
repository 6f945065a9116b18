#include "hrvm/sys/background.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include "hrvm/base/error.hpp"
#include "hrvm/sys/runner.hpp"

namespace hrvm::sys {

namespace {

void close_all_but(std::vector<int> kept) {
  std::ranges::sort(kept);
  unsigned next = STDERR_FILENO + 1;
  for (const int fd : kept) {
    if (unsigned(fd) > next) ::close_range(next, unsigned(fd) - 1, 0);
    next = std::max(next, unsigned(fd) + 1);
  }
  ::close_range(next, ~0U, 0);
}

void silence_streams() {
  const int nothing = ::open("/dev/null", O_RDWR);
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(nothing, stream);
  if (nothing > STDERR_FILENO) ::close(nothing);
}

void let_go_of_the_caller(const std::vector<int>& kept) {
  ::setsid();
  // Where we were started may be unmounted while it works.
  if (::chdir("/") != 0) ::_exit(1);
  silence_streams();
  close_all_but(kept);
}

[[noreturn]] void work_and_exit(const std::function<void()>& work) {
  try {
    work();
  } catch (...) {
  }
  ::_exit(0);
}

constexpr std::chrono::milliseconds goodbye_limit{500};

// By itself it ends when the one that it serves is gone, but not when that never came.
void see_off(const Process& process) {
  for (const int signal : {SIGTERM, SIGKILL}) {
    if (process.wait(goodbye_limit)) return;
    process.signal(signal);
  }
}

}  // namespace

Process Process::self() { return child(::getpid()); }

Process Process::child(pid_t pid) {
  Fd fd(int(::syscall(SYS_pidfd_open, pid, 0)));
  if (!fd) throw base::system_error(errno, "watch", "process " + std::to_string(pid));
  return Process(std::move(fd));
}

bool Process::wait(std::chrono::milliseconds limit) const {
  pollfd ended{fd_.get(), POLLIN, 0};
  return ::poll(&ended, 1, int(limit.count())) > 0;
}

void Process::signal(int number) const { ::syscall(SYS_pidfd_send_signal, fd_.get(), number, nullptr, 0); }

void run_in_background(const std::function<void()>& work, std::vector<int> kept_fds) {
  // The child in between ends at once, so that the one that works is nobody's to wait for. It lets go first: once it
  // is waited for, no lock or pipe of the caller's is open in the background unless it is to be.
  const pid_t child = ::fork();
  if (child < 0) throw base::system_error(errno, "start", "a process in the background");
  if (child == 0) {
    let_go_of_the_caller(kept_fds);
    const pid_t worker = ::fork();
    if (worker == 0) work_and_exit(work);
    ::_exit(worker < 0 ? 1 : 0);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (status != 0) throw base::system_error(EAGAIN, "start", "a process in the background");
}

Lifeline make_lifeline() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw base::system_error(errno, "make", "a pipe");
  return {.held = Fd(ends[1]), .watched = Fd(ends[0])};
}

void wait_for_end(const Fd& watched) {
  char unused;
  while (::read(watched.get(), &unused, 1) != 0) {
    if (errno != EINTR) return;
  }
}

Fd tie_to_lifeline(const Child& child) {
  const auto process = Process::child(child.pid());
  auto lifeline = make_lifeline();
  const auto keeper = [&] {
    wait_for_end(lifeline.watched);
    see_off(process);
  };
  run_in_background(keeper, {lifeline.watched.get(), process.fd()});
  return std::move(lifeline.held);
}

std::optional<std::string> read_now(int fd) {
  pollfd waiting{fd, POLLIN, 0};
  if (::poll(&waiting, 1, 0) <= 0) return std::nullopt;
  std::array<char, 4096> bytes;
  const ssize_t got = ::read(fd, bytes.data(), bytes.size());
  if (got < 0 && (errno == EINTR || errno == EAGAIN)) return std::nullopt;
  return std::string(bytes.data(), std::size_t(std::max<ssize_t>(got, 0)));
}

void write_now(int fd, std::string_view bytes) {
  pollfd ready{fd, POLLOUT, 0};
  if (::poll(&ready, 1, 0) <= 0 || (ready.revents & POLLOUT) == 0) return;
  [[maybe_unused]] const ssize_t done = ::write(fd, bytes.data(), bytes.size());
}

Fd duplicate_stderr() { return Fd(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)); }

}  // namespace hrvm::sys
