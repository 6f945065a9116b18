// What the commands that change a machine share: take its lock, refuse while it runs, show or carry out the plan,
// report.
#pragma once

#include <optional>
#include <string>

#include "hrvm/cli/command.hpp"
#include "hrvm/machine/change.hpp"
#include "hrvm/machine/store.hpp"

namespace hrvm::cli {

// A word that names a machine and no snapshot: Error{usage} otherwise.
std::string machine_word(const std::string& word);
struct SnapshotWord {
  std::string machine, snapshot;
};
SnapshotWord snapshot_word(const std::string& word);

struct LockedMachine {
  machine::Store store;
  sys::Lock lock;
  machine::Machine machine;
};

// Whether it runs or not; what was cut off in it has been brought to an end.
LockedMachine lock_machine(const Context& context, const std::string& name);
// Error{busy} while it runs, with what to do.
LockedMachine lock_stopped_machine(const Context& context, const std::string& name);
// Error{busy} where it runs in a way in which its layers cannot be merged.
LockedMachine lock_machine_to_merge(const Context& context, const std::string& name);

// The same of a command that has --stop, which its message names; it is stopped first where it is to be.
LockedMachine lock_machine_to_stop(const Context& context, const std::string& name, bool stops);

struct ChangeWords {
  std::string command;                    // "snapshot-create": the schema's name
  std::string done;                       // "web was reset", for people
  std::vector<std::string> next;          // lines to type next, for people
  std::vector<std::string> details = {};  // of the change, for people: "memory: 4 GiB -> 512 MiB"
  std::optional<std::string> made = {};   // the name of what it makes, alone with --quiet
};

// How what a change put away comes back; nothing where it holds nothing.
std::vector<std::string> undo_lines(const machine::Machine& machine, const machine::Change& change);

// The same of snapshots that the change put away, and how their room is freed.
std::vector<std::string> lines_of_held(const machine::Machine& machine, const machine::Change& change);
// What a step holds for undo takes, of one machine: its layers and its guests' memory.
std::uint64_t bytes_held(const machine::Machine& machine, const machine::Step& step);

// Carries it out, with its warnings. Nothing is reported.
machine::Machine make(const Context& context, const LockedMachine& locked, const machine::Change& change,
                      const sys::ProgressCallback& progress);

// What is damaged would be taken into what lies on it, and be sound from then on: Error{corrupt}.
void check_merged(const LockedMachine& locked, const machine::Change& change);
// Layers that had to stay without a name until now are merged into what lies on them.
void merge_nameless(const Context& context, LockedMachine& locked);

// Of a change that was carried out: the machine as it is, and what of it is gone.
report::Report report_of_change(const Context& context, const machine::Machine& machine, const machine::Change& change,
                                const ChangeWords& words, std::uint64_t bytes_freed = 0);
report::Report report_of_plan(const machine::Machine& machine, const machine::Change& change, const ChangeWords& words);

// With --dry-run only shows the change, else carries it out with progress.
Outcome carry_out(const Context& context, const LockedMachine& locked, const machine::Change& change,
                  const ChangeWords& words);

// The base under the state that a change makes active must be what its layers were made on: Error{refused} that says
// what moved, unless `force`, which warns.
void check_drift(const Context& context, const machine::Machine& machine, const machine::Change& change, bool force);

}  // namespace hrvm::cli
