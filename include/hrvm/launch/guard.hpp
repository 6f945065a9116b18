// The guard of a run: a process in the background that watches the room in the store while QEMU runs, and pauses the
// machine when less is left than is kept. The kernel holds QEMU to the size that the layer may have with that room
// (RLIMIT_FSIZE), so that no guest is too fast: the write that goes beyond it stops the machine, and is done again when
// it goes on. QEMU's nvme stops at no error, so there QEMU announces such a write beforehand (QMP,
// BLOCK_WRITE_THRESHOLD). What others write to the store, and what fills more holes of the layer than half of the room,
// the guard sees once a second. It has a QMP socket of its own, so that it keeps nobody from giving orders, and ends
// with QEMU. It bounds the file of the serial line as well (console_log.hpp), and says again what the guest wiped off
// the terminal.
#pragma once

#include <cstdint>
#include <optional>

#include "hrvm/launch/launch_plan.hpp"
#include "hrvm/sys/fd.hpp"

namespace hrvm::launch {

// What it has written down last.
struct GuardReport {
  bool paused = false;                 // for want of room, which there may be by now, and not resumed since
  std::uint64_t room_bytes = 0;        // what may still be written before it pauses
  std::uint64_t bytes_per_second = 0;  // by which the layer grew in the last minute
  std::optional<std::uint64_t> seconds_to_full() const;
  friend bool operator==(const GuardReport&, const GuardReport&) = default;
};

// Where the plan's QEMU runs and its guard does. Only to be believed while the machine's layer is locked.
std::optional<GuardReport> guard_report(const machine::Path& run_folder);

// Where it says what must not wait: our stderr where that is a terminal, else nothing.
sys::Fd guards_terminal(const sys::Host& host);
// Guards until QEMU is gone. To be called once QEMU has taken the layer. `terminal_fd` may be -1.
void guard_run(const sys::Host& host, const LaunchPlan& plan, int terminal_fd);
// The same in a process of its own.
void start_guard(const sys::Host& host, const LaunchPlan& plan);

}  // namespace hrvm::launch
