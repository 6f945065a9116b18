// Orders to a machine that runs, and what it says of itself, over the QMP socket in its run folder. All throw
// Error{busy} when its QEMU does not answer: one that libvirt or a person started has no socket there.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>

#include "hrvm/launch/ways.hpp"
#include "hrvm/machine/store.hpp"

namespace hrvm::launch {

// Powers a run down: ACPI, and QMP quit when `patience` has passed (or at once, also for a guest that is paused). Says
// which it was. Error{busy} also when QEMU does not end.
StopWay stop_run(const machine::Path& layer, const machine::Path& run_folder, std::chrono::seconds patience,
                 bool at_once);

// False if it was paused already.
bool pause_run(const machine::Path& run_folder);
// Whether it goes on, and does not stop again at once for want of room. False where it ran already. Error{external}
// when it does stop again.
bool resume_run(const machine::Path& run_folder);

// The guest powers down by ACPI and starts again in the same QEMU, with all that this boot was given; where it does not
// power down in time, or `at_once`, it is reset as by a machine's button. A guest that is paused is reset, and runs.
RestartWay restart_run(const machine::Path& run_folder, std::chrono::seconds patience, bool at_once);

// What the screen shows, as a PNG. Error{unsupported} where the machine has no screen.
std::string screenshot_run(const machine::Path& run_folder);

// The socket of its serial line, which nobody is connected to. Error{unsupported} when the line leads elsewhere,
// Error{busy} when somebody is there.
machine::Path console_socket(const machine::Path& run_folder);

// "running", "paused", "io-error" and so on, where QMP answers within a short time.
std::optional<std::string> run_detail(const machine::Path& run_folder);
// Of QEMU, as it wrote it down. Only to be believed while the machine's layer is locked.
std::optional<pid_t> run_pid(const machine::Path& run_folder);

}  // namespace hrvm::launch
