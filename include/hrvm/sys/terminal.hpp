// The terminal: colours, progress and signals.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "hrvm/sys/host.hpp"

namespace hrvm::sys {

// Throws Error{interrupted} once SIGINT, SIGTERM or SIGHUP has arrived. Long loops call it between steps, so that what
// they guard (an AtomicFile, a half-made image) goes by its destructor.
void check_interrupted();
// From now on SIGINT, SIGTERM and SIGHUP (unless it is ignored, as under nohup) set a flag instead of ending the
// process. Called once, in main.
void catch_interrupts();
// The signal that came, 0 for none: for the exit status, 128 + signal.
int interrupt_signal();

// A line on stderr for what takes longer than a second: "Hashing /dev/sda  12.5 GiB of 238.5 GiB  5 %  1.2 GiB/s  3 min
// left". On a terminal it is redrawn in place and cleared at the end; elsewhere, and with quiet, nothing is shown.
class Progress {
 public:
  enum class Of {
    bytes,
    things
  };  // of things neither their rate nor a size is said: "Examining machines  120 of 300  40 %"
  Progress(const Host& host, std::string title, std::uint64_t total, bool quiet, Of of = Of::bytes);
  ~Progress();
  // Says how far it is; also the place where an interruption is noticed (check_interrupted).
  void at(std::uint64_t done_bytes);

 private:
  void draw(std::uint64_t done_bytes);
  std::string line(std::uint64_t done_bytes) const;
  const Host& host_;
  std::string title_;
  std::uint64_t total_bytes_;
  bool shown_;
  Of of_;
  std::chrono::steady_clock::time_point start_, last_;
  bool drawn_ = false;
};

// What a copying loop calls: bytes done so far. Never null where a function asks for one; may do nothing.
using ProgressCallback = std::function<void(std::uint64_t done_bytes)>;

}  // namespace hrvm::sys
