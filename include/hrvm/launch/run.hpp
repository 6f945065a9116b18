// Running a plan: by exec for a plain foreground boot, supervised where something is left to do, detached, or watched.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "hrvm/launch/boot_judge.hpp"
#include "hrvm/launch/keep.hpp"
#include "hrvm/launch/launch_plan.hpp"
#include "hrvm/sys/lock.hpp"
#include "hrvm/sys/runner.hpp"
#include "hrvm/sys/socket.hpp"

namespace hrvm::launch {

// Replaces this process by QEMU. A process in the background holds the machine's lock until QEMU's own lock on the
// layer is there (or QEMU is gone), so that no other hrvm changes the machine in between. Returns only by throwing.
void run_in_foreground(const sys::Host& host, const LaunchPlan& plan, sys::Lock machine_lock, const Keep& keep);

// The same with this process staying, for what is to be done afterwards. QEMU has our terminal, and its signals come
// from there; a SIGTERM to us goes to it, and it ends when we are killed. Gives QEMU's exit status.
int run_supervised(const sys::Host& host, const LaunchPlan& plan, sys::Lock machine_lock, const Keep& keep);

// Starts QEMU in the background and returns its process id once it runs (QMP answers). Error{external} with what QEMU
// said when it dies early, with known causes explained.
pid_t run_detached(const sys::Host& host, const LaunchPlan& plan, sys::Lock machine_lock, const Keep& keep);

struct WatchRequest {
  // POSIX extended regular expression, held against each line of the serial console; also against one that has not
  // ended, when the guest has been silent for a moment after it (a prompt).
  std::optional<std::string> wait_for;
  std::optional<std::string> fail_on;  // the same: it ends with this as well
  std::optional<std::chrono::seconds> timeout;
  bool keep_running = false;                        // QEMU stays when the text has come
  int input_fd = -1;                                // what comes from here is typed on the serial console
  std::function<void(const std::string&)> on_line;  // each line the guest has printed, printable; may be empty
  // It ends with its verdict; where something is waited for, with a bad one alone. Not owned.
  BootJudge* judge = nullptr;
  std::function<void()> when_up;  // while QEMU runs still, once what was waited for has come or it is judged to be up
};
enum class WatchEnd {
  matched,
  failed,  // with what fail_on says
  judged,
  timed_out,
  ended,
  input_over,  // of a line that was joined: all that was to be typed is
};
struct WatchResult {
  WatchEnd end = WatchEnd::ended;
  int exit_status = 0;                    // QEMU's, when it ended
  std::vector<std::string> console_tail;  // the last lines the guest printed, printable
  std::string matched_line;               // of either expression, printable
  std::string qemu_errors;                // what QEMU itself said
  pid_t pid = 0;                          // when it keeps running
};

// Error{usage} when it is no such expression.
void check_pattern(const std::string& expression);

// Starts QEMU and watches it. Whatever happens it is not left behind, unless keep_running and the text has come, or we
// are killed with SIGKILL. A signal to us ends it: Error{interrupted}. plan.consoles.serial must be `watched`.
WatchResult run_watched(const sys::Host& host, const LaunchPlan& plan, sys::Lock machine_lock, const Keep& keep,
                        const WatchRequest& request);

// The same on the serial line of a machine that runs already and goes on. Without wait_for it ends once the guest has
// taken all that there was to type: Error{busy} when it takes none of it for long. `on_bytes` gets all that is printed.
WatchResult watch_console(sys::UnixSocket& console, const WatchRequest& request,
                          const std::function<void(std::string_view)>& on_bytes);

}  // namespace hrvm::launch
