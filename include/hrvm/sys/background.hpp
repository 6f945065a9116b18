// Processes that outlive this one, and the end of those that are not our children.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hrvm/sys/fd.hpp"

namespace hrvm::sys {

class Child;

// A process, held by a descriptor (pidfd_open(2)), so that its number cannot come to mean another one.
class Process {
 public:
  static Process self();
  // A child of ours that nobody has waited for yet.
  static Process child(pid_t pid);
  bool wait(std::chrono::milliseconds limit) const;  // true once it has ended
  void signal(int number) const;                     // one that has ended gets none
  int fd() const { return fd_.get(); }

 private:
  explicit Process(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

// Runs `work` in a process of its own that nobody has to wait for: in a new session, in the root folder, with
// /dev/null as standard streams and none of our descriptors but `kept_fds`. What it throws is lost.
void run_in_background(const std::function<void()>& work, std::vector<int> kept_fds);

// Tells when others have ended, whoever they are by then: a pipe that nothing is ever written to.
struct Lifeline {
  Fd held;     // to be inherited by them
  Fd watched;  // comes to its end when the last of them has gone, and all copies of `held` with it
};
Lifeline make_lifeline();
void wait_for_end(const Fd& watched);

// The child ends soon after the last process that has the returned descriptor open: by itself, else by SIGTERM, else by
// SIGKILL. For a process that runs beside another one, for it alone.
Fd tie_to_lifeline(const Child& child);

// What can be read from `fd` without waiting, at most 4 KiB: nullopt when there is nothing now, empty at its end.
std::optional<std::string> read_now(int fd);

// As much of it as can be written without waiting; what fails or does not fit is lost.
void write_now(int fd, std::string_view bytes);

// Our stderr under another number, for a process in the background.
Fd duplicate_stderr();

}  // namespace hrvm::sys
