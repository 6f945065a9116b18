// Runner: the seam behind which other programs are started. Argument vectors only, never a shell.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hrvm/sys/fd.hpp"

namespace hrvm::sys {

struct Command {
  std::vector<std::string> argv;                   // argv[0] is a path, or a name looked up on PATH
  std::map<std::string, std::string> environment;  // set on top of ours
  std::vector<int> inherited_fds;                  // these stay open in the child, under the same number
  bool ends_with_us = false;                       // spawned, it gets SIGTERM when this process ends, killed or not
};

struct Result {
  int exit_status = 0;   // as the shell counts: 128 + signal when killed by one
  std::string out, err;  // at most 1 MiB each, then cut
  bool timed_out = false;
};

// Where a started child's standard streams go.
struct Redirection {
  int in = -1, out = -1, err = -1;  // -1: /dev/null
};

// A child that runs on its own. The destructor leaves it alone.
class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid) {}
  pid_t pid() const { return pid_; }
  // Exit status once it has ended, as the shell counts; nullopt while it runs.
  std::optional<int> poll();
  std::optional<int> wait(std::chrono::milliseconds limit);
  void signal(int number);
  void signal_session(int number);  // to all in the session of one that was started detached

 private:
  pid_t pid_;
  std::optional<int> status_;
};

class Runner {
 public:
  virtual ~Runner() = default;
  // Runs to its end with /dev/null as input and its output caught. Killed (SIGKILL) when `limit` passes.
  virtual Result run(const Command& command, std::chrono::milliseconds limit) = 0;
  // Starts in the background, in a session of its own when `detached`.
  virtual Child spawn(const Command& command, const Redirection& streams, bool detached) = 0;
  // Replaces this process. Returns only by throwing.
  [[noreturn]] virtual void exec(const Command& command) = 0;
};

std::unique_ptr<Runner> make_process_runner();

}  // namespace hrvm::sys
