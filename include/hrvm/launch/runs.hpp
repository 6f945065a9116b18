// The runs of a machine, however they were started: whether there are any, and the orders that they take.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hrvm/launch/domain.hpp"
#include "hrvm/launch/ways.hpp"
#include "hrvm/machine/store.hpp"

namespace hrvm::launch {

// QEMU as hrvm started it, or a domain that libvirt runs. The orders are those of control.hpp.
struct Run {
  machine::Path layer, run_folder;
  bool throw_away = false;
  std::optional<Domain> domain = std::nullopt;

  StopWay stop(std::chrono::seconds patience, bool at_once) const;
  bool pause() const;
  bool resume() const;
  RestartWay restart(std::chrono::seconds patience, bool at_once) const;
  std::string screenshot() const;
};

// The machine's own run, else those of it in throw-away layers. Error{not_found} when there is none.
std::vector<Run> runs_of(const sys::Host& host, const machine::Machine& machine);

// Those of it in throw-away layers; none is no error.
std::vector<Run> throw_away_runs(const sys::Host& host, const machine::Machine& machine);

// Of one that has ended: its layer and its run folder go, as nobody else may be there to remove them.
void remove_throw_away(const Run& run);

// Where the layer of a run lies, where that is not the store: for runs_of to find it.
void note_scratch(const machine::Path& run_folder, const machine::Path& folder);
// All that are noted in the run folders below this one, also of runs that have ended.
std::vector<machine::Path> scratch_folders(const machine::Path& run_folder);

// The domain of a machine that libvirt runs now: null when it does not run, or runs otherwise. libvirt is only asked
// about a machine that was given to it, and of those at home only about one whose layer is locked.
std::optional<Domain> active_domain(const sys::Host& host, const machine::Machine& machine);

// Error{busy} when it runs, also in libvirt: "machine web is running, and a running machine is not <verb>".
void check_stopped(const sys::Host& host, const machine::Machine& machine, std::string_view verb);

}  // namespace hrvm::launch
