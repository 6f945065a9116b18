// A boot, from what is asked for to its end. prepare() checks and plans, and leaves no trace: what --print and --xml
// show is what it gives. make() makes what the plan lies on; then one of run.hpp's runs it, or libvirt does.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "hrvm/base/error.hpp"
#include "hrvm/launch/keep.hpp"
#include "hrvm/launch/launch_plan.hpp"
#include "hrvm/launch/listener.hpp"
#include "hrvm/launch/throw_away.hpp"
#include "hrvm/machine/store.hpp"

namespace hrvm::launch {

struct BootRequest {
  std::string machine;
  std::optional<std::string> snapshot;                              // null: the active state
  LaunchRequest launch;                                             // by what, and otherwise than the machine is set
  std::vector<std::string> extra_disks;                             // that the guest can only read
  std::optional<machine::Disc> iso;                                 // null: what the machine has
  bool without_disc = false;                                        // also where the machine has one
  bool ephemeral = false;                                           // in a throw-away layer: asked for, or a snapshot
  bool resume = false;                                              // from what the snapshot holds of its memory
  std::optional<machine::Path> scratch;                             // where that layer lies; null: in the store
  bool keeps_console = true;                                        // unless somebody else runs it
  bool force = false;                                               // an objection that can be overridden is a warning
  enum class RunBy { hrvm, domain, libvirt } run_by = RunBy::hrvm;  // domain: somebody defines it by its XML
};

struct Boot {
  BootRequest request;
  machine::Store store;
  sys::Lock lock;  // of the machine
  machine::Machine machine;
  machine::State state;                    // what boots
  probe::Disk base;                        // of its first disk
  std::string id;                          // of the variables or the throw-away layer, where these are yet to be made
  std::optional<machine::Path> variables;  // that the machine has, and that will do
  LaunchPlan plan;
  std::optional<ThrowAway> throw_away = std::nullopt;    // once it is made
  std::optional<sys::Lock> console_lock = std::nullopt;  // of the file that keeps its serial line
  sys::Fd memory = {};                                   // the file that it goes on from
  Keep keep = {};

  bool lacks_variables() const { return plan.firmware.uefi && !variables; }
};

// All checks passed, the machine's lock held. Error{busy} when the machine runs, also in libvirt (or `state` is used by
// a throw-away boot of it), {not_found} when a base is missing, {refused} when one has moved under the layers or is in
// use for writing, or the store has no room, or the guest's memory does not fit the machine (each a warning with
// `force`), {corrupt} when a file of the state is missing; else as plan_launch.
Boot prepare(const sys::Host& host, const machine::Store& store, const BootRequest& request, const Listener& listener);

// The place of its sockets, which qemu_command and swtpm_command are not run without. It is no part of the store.
void make_run_folder(const LaunchPlan& plan);

// Makes its throw-away layer, or the variables of a first boot by UEFI, and the file of its serial line, as the plan
// names them; opens the memory that it goes on from; and brings to an end what a change that was cut off has left.
void make(Boot& boot, const sys::Host& host, const Listener& listener);

// Removes what make() made for this boot alone.
void clean_up(const Boot& boot);
// The same of one that did not come to be.
void clean_up_failed(const Boot& boot);
bool stays_in_background(const Boot& boot);

// Runs what was made. However that ends, a throw-away layer goes, unless QEMU was to stay in the background, and does:
// then the next command after its end removes it.
template <typename Run>
auto run_made(Boot& boot, const Run& run) {
  try {
    auto result = run();
    if (!stays_in_background(boot)) clean_up(boot);
    return result;
  } catch (const base::Error&) {
    clean_up_failed(boot);
    throw;
  }
}

}  // namespace hrvm::launch
