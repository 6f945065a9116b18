// A trial: one state of a machine, in a throw-away layer, judged to be good or bad. What a bisect is made of.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "hrvm/launch/boot.hpp"
#include "hrvm/machine/bisect.hpp"

namespace hrvm::launch {

// By booting it: good when the text that is waited for has come (where none is: when it is up), bad when the text has
// that it fails on, when it failed otherwise, or the time is over. One that printed nothing at all, though something
// was waited for, cannot be judged.
// By a command: 0 is good, 125 that it cannot be judged, 1 to 124 bad. Anything else says nothing of the machine, and
// is an error: 126 and 127 (it cannot be run), 128 and more, a signal.
struct TrialRequest {
  std::optional<std::string> wait_for, fail_on;  // POSIX extended regular expressions, as of WatchRequest
  std::optional<std::chrono::seconds> timeout;   // null: 5 minutes for a boot, none for a command
  std::vector<std::string> command;              // empty: none
  bool boots = true;                             // a command alone has no machine that runs
};

struct TrialResult {
  machine::BisectVerdict verdict = machine::BisectVerdict::skip;
  std::optional<int> status;  // of the command
  std::string seen;           // what the verdict is by, printable
};

// `boot` says which machine, and how it boots; the rest of it follows from the state. The command's words go to our
// stderr. It finds in its environment:
//   HRVM_MACHINE, HRVM_SNAPSHOT  what is tried: a snapshot's name, or "current"
//   HRVM_IMAGE                   the throw-away layer of the first disk, a qcow2 image
// and with a boot, whose machine runs until the command has ended:
//   HRVM_CONSOLE, HRVM_QMP       sockets: its serial line, QEMU's monitor
//   HRVM_SSH_PORT                of this host's loopback address, that leads to port 22 of the guest; not where its
//                                network is not QEMU's own
// Error{not_found} for a state that is gone, Error{external} as above, and what boots throw.
TrialResult try_state(const sys::Host& host, const machine::Store& store, BootRequest boot,
                      const machine::BisectState& state, const TrialRequest& request, const Listener& listener,
                      const std::function<void(const std::string&)>& on_line);

// Hears of the trials as they begin and end.
struct BisectListener {
  std::function<void(const machine::BisectState& state, const machine::BisectStanding& standing)> begins;
  std::function<void(const machine::BisectState& state, const machine::BisectTest& test)> ended;
};

// Tries one state after another, until it is known which is the first bad one. What is learned is kept at once: who
// calls this again goes on. Gives how it stands then. Error{not_found} where no bisect was begun.
machine::Bisect run_bisect(const sys::Host& host, const machine::Store& store, const BootRequest& boot,
                           const TrialRequest& request, const Listener& listener, const BisectListener& hears,
                           const std::function<void(const std::string&)>& on_line);

}  // namespace hrvm::launch
