#include "hrvm/sys/runner.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <iostream>
#include <utility>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/base/trace.hpp"
#include "sys/forked.hpp"

namespace hrvm::sys {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t output_limit = base::MiB;
constexpr std::chrono::milliseconds exit_check_interval{20};
// What we handle or ignore ourselves, and a child should meet as usual.
constexpr std::array usual_signals{SIGINT, SIGTERM, SIGPIPE};

void trace_start(const Command& command) { base::trace("sys", "runs {}", base::join(command.argv, " ")); }

// A vector of C strings as exec(3) wants it. Points into `texts`.
std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> environment_for(const Command& command) {
  std::vector<std::string> entries;
  for (char** entry = environ; entry && *entry; ++entry) {
    const std::string text(*entry);
    if (!command.environment.contains(text.substr(0, text.find('=')))) entries.push_back(text);
  }
  for (const auto& [name, value] : command.environment) entries.push_back(name + "=" + value);
  return entries;
}

bool lies_in_path(const std::string& program) {
  const char* path = ::getenv("PATH");
  const auto folders = base::split(path ? path : "/usr/bin:/bin", ':');
  return std::ranges::any_of(folders, [&](std::string_view folder) {
    return ::access((std::string(folder) + "/" + program).c_str(), F_OK) == 0;
  });
}

// A folder in PATH that may not be looked into, as in a shell that su began for another user, makes exec say EACCES of
// a program that is nowhere.
base::Error cannot_run(int error, const std::string& program) {
  const bool is_nowhere = error == EACCES && program.find('/') == program.npos && !lies_in_path(program);
  return base::system_error(is_nowhere ? ENOENT : error, "run", program);
}

// What hrvm opens is O_CLOEXEC anyway. This is for descriptors that came from our own parent: a child in the background
// that kept the writing end of somebody's pipe would make them wait for it.
void keep_descriptors_from_children() { ::close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC); }

Fd duplicate(int fd) {
  Fd copy(::fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  if (!copy) throw base::system_error(errno, "duplicate", "a file descriptor");
  return copy;
}

Fd stream_source(int fd) { return fd < 0 ? open_file("/dev/null", O_RDWR) : duplicate(fd); }

// posix_spawn's attributes and file actions, which are C objects that want to be destroyed.
class SpawnPlan {
 public:
  SpawnPlan() {
    ::posix_spawnattr_init(&attributes_);
    ::posix_spawn_file_actions_init(&actions_);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;
  ~SpawnPlan() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }

  void reset_signals(bool own_session) {
    sigset_t usual, none;
    ::sigemptyset(&usual);
    ::sigemptyset(&none);
    for (const int signal : usual_signals) ::sigaddset(&usual, signal);
    ::posix_spawnattr_setsigdefault(&attributes_, &usual);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    const int session = own_session ? POSIX_SPAWN_SETSID : 0;
    ::posix_spawnattr_setflags(&attributes_, short(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | session));
  }
  // With from == to this only clears FD_CLOEXEC in the child.
  void give(int from, int to) { ::posix_spawn_file_actions_adddup2(&actions_, from, to); }

  pid_t start(const Command& command) {
    trace_start(command);
    std::vector<std::string> arguments = command.argv, environment = environment_for(command);
    pid_t pid = -1;
    const int error = ::posix_spawnp(&pid, arguments.at(0).c_str(), &actions_, &attributes_,
                                     pointers_to(arguments).data(), pointers_to(environment).data());
    if (error != 0) throw cannot_run(error, command.argv[0]);
    return pid;
  }

 private:
  posix_spawnattr_t attributes_;
  posix_spawn_file_actions_t actions_;
};

Child start(const Command& command, const Redirection& streams, bool detached) {
  keep_descriptors_from_children();
  // Copies, so that one stream's new place cannot overwrite another's source.
  const Fd in = stream_source(streams.in), out = stream_source(streams.out), err = stream_source(streams.err);
  SpawnPlan plan;
  plan.reset_signals(detached);
  plan.give(in.get(), STDIN_FILENO);
  plan.give(out.get(), STDOUT_FILENO);
  plan.give(err.get(), STDERR_FILENO);
  for (const int fd : command.inherited_fds) plan.give(fd, fd);
  return Child(plan.start(command));
}

struct Pipe {
  Fd read_end, write_end;
};

Pipe make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw base::system_error(errno, "make", "a pipe");
  return {Fd(ends[0]), Fd(ends[1])};
}

// One stream of a child, caught up to a limit. What comes after that is read, so that the child does not block, and
// dropped.
class Catcher {
 public:
  Catcher(Fd fd, std::string& text) : fd_(std::move(fd)), text_(text) { ::fcntl(fd_.get(), F_SETFL, O_NONBLOCK); }

  pollfd wanted() const { return {fd_.get(), POLLIN, 0}; }
  bool open() const { return bool(fd_); }
  // Takes what is there now; closes at the end of the stream.
  void drain() {
    std::array<char, 16 * base::KiB> buffer;
    while (fd_) {
      const ssize_t got = ::read(fd_.get(), buffer.data(), buffer.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0 && errno == EAGAIN) return;
      if (got <= 0) return fd_.reset();
      text_.append(buffer.data(), std::min(std::size_t(got), output_limit - text_.size()));
    }
  }

 private:
  Fd fd_;
  std::string& text_;
};

// True when the child has ended. A grandchild may hold the pipes open for longer: that is not waited for.
bool catch_until_end(Child& child, Catcher& out, Catcher& err, Clock::time_point deadline) {
  while (out.open() || err.open()) {
    if (Clock::now() >= deadline) return false;
    std::array wanted{out.wanted(), err.wanted()};
    ::poll(wanted.data(), wanted.size(), int(exit_check_interval.count()));
    const bool ended = child.poll().has_value();
    out.drain();
    err.drain();
    if (ended) return true;
  }
  return child.wait(std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now())).has_value();
}

class ProcessRunner : public Runner {
 public:
  Result run(const Command& command, std::chrono::milliseconds limit) override {
    const Clock::time_point deadline = Clock::now() + limit;
    Result result;
    Pipe out = make_pipe(), err = make_pipe();
    Child child = start(command, {.out = out.write_end.get(), .err = err.write_end.get()}, false);
    out.write_end.reset();
    err.write_end.reset();
    Catcher out_catcher(std::move(out.read_end), result.out), err_catcher(std::move(err.read_end), result.err);
    result.timed_out = !catch_until_end(child, out_catcher, err_catcher, deadline);
    if (result.timed_out) child.signal(SIGKILL);
    while (!child.poll()) child.wait(exit_check_interval);
    result.exit_status = *child.poll();
    return result;
  }

  Child spawn(const Command& command, const Redirection& streams, bool detached) override {
    return command.ends_with_us ? start_tied(command, streams, detached) : start(command, streams, detached);
  }

  void exec(const Command& command) override {
    // What was printed must not vanish with this program's buffers.
    std::cout.flush();
    std::cerr.flush();
    keep_descriptors_from_children();
    for (const int fd : command.inherited_fds) ::fcntl(fd, F_SETFD, 0);
    for (const int signal : usual_signals) ::signal(signal, SIG_DFL);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    std::vector<std::string> arguments = command.argv, environment = environment_for(command);
    ::execvpe(arguments.at(0).c_str(), pointers_to(arguments).data(), pointers_to(environment).data());
    throw cannot_run(errno, command.argv[0]);
  }

 private:
  // posix_spawn cannot ask for the signal.
  Child start_tied(const Command& command, const Redirection& streams, bool detached) {
    const Fd in = stream_source(streams.in), out = stream_source(streams.out), err = stream_source(streams.err);
    const pid_t parent = ::getpid();
    trace_start(command);
    return fork_into(command.argv.at(0), [&] {
      end_with(parent, SIGTERM);
      if (detached) ::setsid();
      ::dup2(in.get(), STDIN_FILENO);
      ::dup2(out.get(), STDOUT_FILENO);
      ::dup2(err.get(), STDERR_FILENO);
      exec(command);
    });
  }
};

}  // namespace

std::unique_ptr<Runner> make_process_runner() { return std::make_unique<ProcessRunner>(); }

}  // namespace hrvm::sys
