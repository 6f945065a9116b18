// A machine as commands show it: the object that list, show and import print in machines[], and what of it a person
// sees. A member that is not known is null.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "hrvm/base/json.hpp"
#include "hrvm/launch/domain.hpp"
#include "hrvm/machine/fingerprint.hpp"
#include "hrvm/machine/store.hpp"
#include "hrvm/report/report.hpp"
#include "hrvm/sys/host.hpp"

namespace hrvm::cli {

// `state` is the active one or a snapshot's: disk, hardware and head are its own. `base` is what a look at the base
// found; without one, drift is null. Nothing of the base is read here, and QMP is asked only of a machine that runs.
// `domains` is the same for all that are looked at.
base::Json machine_json(const sys::Host& host, launch::ActiveDomains& domains, const machine::Machine& machine,
                        const machine::State& state, const std::optional<machine::BaseState>& base = std::nullopt);
// The active state.
base::Json machine_json(const sys::Host& host, const machine::Machine& machine,
                        const std::optional<machine::BaseState>& base = std::nullopt);
// One whose definition could not be read: its name, and "damaged" where that is why.
base::Json unread_machine_json(const std::string& name, bool damaged);

// What a guest types to have the folder: "mount -t virtiofs data /mnt".
std::string mount_line(const machine::Share& share);
// The members that show the hardware. A machine on a folder starts the kernel in it: there is no firmware to choose,
// and no bus that its disk would be on.
void set_hardware(base::Json& json, const machine::Hardware& hardware, bool is_on_folder);

// name, parent, created, description, auto, consistency, allocated_bytes.
base::Json snapshot_json(const machine::Machine& machine, const machine::Snapshot& snapshot);
// The names of the snapshots that lie on this one.
base::Json children_json(const machine::Definition& definition, const std::string& snapshot);
// Each with its children. Layers that have no name any more are none of them.
base::Json snapshots_json(const machine::Machine& machine);
// What those take; null where there are none, or a file of one is missing.
base::Json nameless_bytes(const machine::Machine& machine);

// All about each of machines[], for a person.
std::vector<report::View> machine_views();
// snapshots[] for a person: of a machine, or of the list alone.
report::TableView snapshot_table();
// A line for each of machines[], for a script.
report::TableView machine_lines();
// The same for each of snapshots[].
report::TableView snapshot_lines();

}  // namespace hrvm::cli
