// Objections: what speaks against doing something with a machine and its disks as they are now. Whoever asks gets one
// list, and refuses, or has those overridden that a person insists on.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hrvm/base/error.hpp"
#include "hrvm/machine/fingerprint.hpp"
#include "hrvm/machine/storage.hpp"
#include "hrvm/machine/store.hpp"
#include "hrvm/probe/disk.hpp"

namespace hrvm::machine {

// What is to be done: it decides the words of an objection, and which option overrides it.
enum class Purpose { boot, revert, reset, exporting, import, reading, checkup };

struct Objection {
  base::Error error;
  bool overridable = false;  // with its message as a warning
  bool is_warning = false;   // it stands in the way of nothing
};
using Objections = std::vector<Objection>;

// Throws the first that stands. What is overridden goes to `warn`, in order, as does what is a warning anyway.
void heed(const Objections& objections, bool override, const std::function<void(std::string_view)>& warn);

// The base is missing: Error{not_found}. Or it is not what the layers were made on: Error{refused}, overridable. Or it
// was written to, and all that was looked at is equal: a warning.
Objections objections(const Machine& machine, const BaseState& base, Purpose purpose);
// The first of these, for `reason`. `path`: what is not there.
Objection base_missing(const Machine& machine, const std::string& reason, const std::string& path, Purpose purpose);

// Somebody writes to it: Error{refused}, overridable. A reader does not change the disk under the layers; other
// machines on the same base are such.
Objections objections(const std::string& path, const std::vector<probe::Use>& uses, Purpose purpose);
Objections objections(const probe::Disk& disk, Purpose purpose);
// All of them that write: "mounted at /mnt, held by dm (pve-root)"; empty where nobody does.
std::string writers_text(const std::vector<probe::Use>& uses);
// What ends them, what lies on top first: "umount /mnt, then dmsetup remove pve-root".
std::string way_out(const std::vector<probe::Use>& uses);

// A boot has nowhere to write to, as the store is read-only: Error{permission}. Or there is too little room to boot:
// Error{refused}, overridable. `store` may be the folder that stands in for it.
Objections objections(const StorageState& storage, const Path& store);

// Why an image is no base as it is, whatever is allowed: another hypervisor's or a packed one, or a qcow2 image that is
// marked as corrupt or dirty, or backed by what no header names the format of. nullopt for other disks.
std::optional<base::Error> image_obstacle(const probe::Disk& disk);

// Error{busy} of a machine that runs: "machine web is running already", with how to stop it.
base::Error running(std::string_view machine, std::string_view clause);
// The same of one whose layer is locked. Where it is no QEMU that has it, it does not run: Error{busy} that names who.
base::Error running(const Machine& machine, std::string_view clause);
// Who writes to a layer, where that is no QEMU: qemu-img, qemu-io. nullopt also where nobody is known.
std::optional<base::Error> held_by_tool(std::string_view machine, const Path& layer);
// By the lock that QEMU holds on the layers, so also when virsh or a pasted command runs it. Error{busy} when it does,
// or when somebody reads its layer, which a boot in a throw-away layer does not mind.
void check_not_running(const Machine& machine, const State& state, bool ephemeral);
// Error{busy} when another machine of the same UUID runs, a copy of this one or its original: they would share a run
// folder and a MAC address. For a machine that does not run itself.
void check_no_twin_runs(const sys::Host& host, const Store& store, const Machine& machine);
// Error{busy} when anybody uses a layer in the machine's folder: it runs, a snapshot of it is booted in a throw-away
// layer, or qemu-img reads one. Asks the files alone, so that a damaged definition does not matter.
void check_unused(const Path& folder, std::string_view name);

}  // namespace hrvm::machine
