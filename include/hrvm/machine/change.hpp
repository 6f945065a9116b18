// Change: a mutation of a machine as data. plan_* decide, without side effects; apply() carries out, in an order that
// survives a crash at any instruction: new files written and synced, generation committed (one rename), then what
// nothing names any more is removed.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hrvm/image/create.hpp"
#include "hrvm/machine/fingerprint.hpp"
#include "hrvm/machine/store.hpp"
#include "hrvm/sys/terminal.hpp"

namespace hrvm::machine {

struct NewLayer {
  std::string id;
  image::NewImage image;
  std::size_t disk = 0;  // of the machine's
};
struct NvramCopy {
  std::string from, to;  // ids
};
// The layer `parent` (of a snapshot that goes) is merged into its one child before the commit. Of a folder's layers a
// third one is made, `merged`, that takes the child's place.
struct LayerMerge {
  std::string parent, child;
  std::string merged = {};
};

struct Change {
  std::string what;  // "reset web", for messages and --dry-run
  std::vector<NewLayer> new_layers;
  std::vector<NvramCopy> nvram_copies;
  std::optional<LayerMerge> merge;
  std::optional<std::string> nameless;  // the layer of a snapshot that goes, which stays for those that lie on it
  Definition definition;                // as it will be
  std::vector<std::string> discards;    // files that will be gone afterwards: "layers/….qcow2"
  std::vector<std::string> warnings;
};

// What planning needs from outside, drawn beforehand so that plans are pure.
struct Drawn {
  base::Time now{};
  std::string layer_id, nvram_id;
  bool is_active_empty = false;  // nothing was written to the active state's layer
  bool is_running = false;       // a guest writes to it
};
Drawn draw(const sys::Host& host, const Store& store);
// With a look at the machine's active state.
Drawn draw(const sys::Host& host, const Store& store, const Machine& machine);

// Each change is a step in the machine's log. Those that put another state in place of the active one hold it there for
// undo; one to which nothing was written not in front of one that is held already. Those that delete snapshots hold
// these. What has been held for as long as this goes with the next change, which says so.
inline constexpr std::chrono::days longest_held{90};
// So many steps that hold nothing stay.
inline constexpr std::size_t most_steps = 200;

// A new empty layer on the base, with a fingerprint of the base as it is now. Snapshots stay. NVRAM starts anew unless
// `keep_nvram`. A disk that grew or shrank gets a layer of its size, and a warning. With `discard` neither what was
// active nor what older steps hold is kept.
struct ResetRequest {
  bool keep_nvram = false, discard = false;
  Fingerprint fingerprint;
  std::vector<std::uint64_t> disk_bytes = {};  // of each disk now; none: as it was
};
Change plan_reset(const Machine& machine, const ResetRequest& request, const Drawn& drawn);

// Active goes frozen as the snapshot's layer; a new empty layer on it becomes active.
Change plan_snapshot_create(const Machine& machine, const std::string& name, const std::string& description,
                            const Drawn& drawn);

// "auto-20261128T161500Z", with "-2" behind it where that is taken.
std::string automatic_name(const Definition& definition, base::Time now);
// The last automatic snapshot, where the machine is what it was then: nothing was written, no variable and no hardware
// is another. nullptr where it is not, or there is none.
const Snapshot* unchanged_since(const Machine& machine);
// The snapshot that the change makes counts as an automatic one. In the log the step stands in place of those that were
// done by a timer just before it, as there would be a hundred a day.
void mark_automatic(Change& change);

// A new empty layer on the snapshot; its NVRAM and hardware come back. `discard` as in a reset.
Change plan_snapshot_revert(const Machine& machine, const std::string& name, bool discard, const Drawn& drawn);

// Without children its layer goes; with one (a snapshot or the active state) the two are merged; with several the name
// goes, and the layer stays without one until a single child is left. It is merged into what is held for undo as well,
// unless nothing was written to that, which goes; but on a folder it can be merged into one alone, and so while a guest
// runs. Nothing is merged into the layer that a guest writes to: there it stays without a name until that is frozen, or
// the guest has ended.
Change plan_snapshot_delete(const Machine& machine, const std::string& name, const Drawn& drawn);
// The names go, and all that the snapshots were is held for undo by the change's step: their layers stay as they are,
// without a name, until that step lets go of them. Nothing is merged, so that a guest may run. `what` begins the step's
// words: "snapshot delete".
Change plan_snapshot_put_away(const Machine& machine, const std::vector<std::string>& names, const std::string& what,
                              const Drawn& drawn);
// A layer that stayed without a name, and no longer has to, is merged into what lies on it. It is no step of the log.
// What a step holds stays.
// nullopt where there is none.
std::optional<Change> plan_nameless_merge(const Machine& machine, const Drawn& drawn);

// Another hardware or description for the active state: "memory=4G", "bus=sata", "clock=localtime", … Error{usage} for
// a key that is none, or a value that its key cannot have, with those it can.
struct Setting {
  std::string key, value;
};
// Not one of the hardware: plan_move_base() is for it.
inline constexpr std::string_view base_key = "base";
// Those of the machine and of no state of it: they can be set while it runs.
bool is_of_machine(std::string_view key);
// Whoever changes this one has the host know.
inline constexpr std::string_view autostart_key = "autostart";
inline constexpr std::string_view auto_snapshot_key = "auto-snapshot";
Change plan_set(const Machine& machine, const std::vector<Setting>& settings, const Drawn& drawn);
// What can be set, and to what: each setting of the hardware (settings.hpp) and the description.
struct SettingKind {
  std::string_view key;
  std::string values;                // for people: "from 1 to 1024"
  std::vector<std::string> choices;  // where it is one of these; "bridge=INTERFACE" stands for any that goes on so
};
std::vector<SettingKind> setting_kinds();

// The first disk lies elsewhere now, or is known by another name; the others stay. Error{refused} where it is not what
// the active state's layers were made on. `now`: a fingerprint of it as it is there.
Change plan_move_base(const Machine& machine, const BaseIdentity& there, const Fingerprint& now, const Drawn& drawn);

// One that was made automatically is a person's from then on.
Change plan_snapshot_rename(const Machine& machine, const std::string& name, const std::string& new_name,
                            const Drawn& drawn);

Change plan_snapshot_describe(const Machine& machine, const std::string& name, const std::string& description,
                              const Drawn& drawn);

// The step that undo takes back: the newest that can be undone and is no undo itself, else the newest undo. nullptr
// where none can.
const Step* step_to_undo(const Definition& definition);
// The step of this number, or the one above. Error{not_found} where it cannot be undone, or none can.
const Step& held_step(const Machine& machine, std::optional<std::uint64_t> number);
// What the step holds is active again, and the new step holds what was active. Snapshots that it deleted have their
// names again, those that it gave them back to are without; both for a machine that may run. Error{exists} where there
// is another of that name by now.
Change plan_undo(const Machine& machine, const Step& step, const Drawn& drawn);
// What the step holds goes, or what all of them do. Error{not_found} as above.
Change plan_forget(const Machine& machine, std::optional<std::uint64_t> number, const Drawn& drawn);

// Another UUID and MAC address, in all of its states, and the folder that it lies in by now: what a copy of a machine
// is without.
Change plan_identity(const Machine& machine, const base::Guid& uuid, const std::string& mac, const Drawn& drawn);

// What all of each disk was found to be, as SHA-256; empty of one that has none. Of the fingerprints that the disks
// still fit, `now` has the traces from then on.
Change plan_record(const Machine& machine, const std::vector<std::string>& hashes, const Fingerprint& now,
                   const Drawn& drawn);

// What layers of snapshots were found to be: they are held to it from then on.
Change plan_record_layers(const Machine& machine, const std::map<std::string, std::vector<FrozenFile>>& frozen,
                          const Drawn& drawn);

// The image a new layer on one of the machine's bases has; one that lies on nothing of a disk that began empty.
image::NewImage layer_on_base(const BaseIdentity& base, const image::Geometry& geometry);
// A layer on the base, of all its disks.
std::vector<NewLayer> layers_on_base(const Definition& definition, const std::string& id);

// Error{not_found} with what was probably meant.
const Snapshot& snapshot_of(const Machine& machine, const std::string& name);
// What boots, is shown or exported: the active state, or the snapshot's.
State state_of(const Machine& machine, const std::optional<std::string>& snapshot);

base::Json to_json(const Change& change);

// Gives the space back that a merge which was killed had taken in advance. The caller holds the machine's lock and has
// made sure that it does not run. Cheap where there was none.
void give_back_reserved(const Machine& machine);

// Carries it out. The caller holds the machine's lock and has made sure that it does not run.
Machine apply(const Store& store, const Machine& machine, const Change& change, const sys::ProgressCallback& progress);

}  // namespace hrvm::machine
