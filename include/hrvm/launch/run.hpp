// Running a plan: by exec for a plain foreground boot, detached, or watched to an end.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "hrvm/launch/launch_plan.hpp"
#include "hrvm/sys/lock.hpp"
#include "hrvm/sys/runner.hpp"

namespace hrvm::launch {

// What must stay open in QEMU: the lock of a throw-away folder.
struct Keep {
  std::vector<int> fds;
};

// Replaces this process by QEMU. A watcher process holds the machine's lock until QEMU's own lock on the layer is there
// (or QEMU is gone), so that no other hrvm changes the machine in between.
[[noreturn]] void run_in_foreground(const sys::Host& host, const LaunchPlan& plan, sys::Lock machine_lock, const Keep& keep);

// Starts QEMU in the background and returns once it runs (QMP answers). Error{external} with what QEMU said when it dies
// early, with known causes explained.
void run_detached(const sys::Host& host, const LaunchPlan& plan, sys::Lock machine_lock, const Keep& keep);

struct WatchRequest {
  std::optional<std::string> wait_for;            // POSIX extended regular expression, on the serial console, line by line
  std::optional<std::chrono::seconds> timeout;
  bool keep_running = false;                      // with --detach: QEMU stays when the text has come
  bool echo = false;                              // show the console while waiting
};
enum class WatchEnd { matched, timed_out, ended };
struct WatchResult {
  WatchEnd end = WatchEnd::ended;
  int exit_status = 0;         // QEMU's, when it ended
  std::string console_tail;    // the last lines the guest printed, printable
  std::string matched_line;
  std::string qemu_errors;
};

// Starts QEMU as a child and watches it. Whatever happens it is not left behind unless keep_running.
WatchResult run_watched(const sys::Host& host, const LaunchPlan& plan, sys::Lock machine_lock, const Keep& keep,
                        const WatchRequest& request);

// Powers a machine down: ACPI, and QMP quit after the limit. Says which it was. Error{busy} when neither is answered.
enum class StopWay { powered_down, quit };
StopWay stop_machine(const machine::Machine& machine, const machine::Path& run_folder, std::chrono::seconds patience, bool at_once);

// "running" or "paused" and so on, where QMP tells within a short time.
std::optional<std::string> run_detail(const machine::Path& run_folder);

}  // namespace hrvm::launch
