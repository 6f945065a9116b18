// Change: a mutation of a machine as data. plan_* decide, without side effects; apply() carries out, in an order that
// survives a crash at any instruction: new files written and synced, generation committed (one rename), then what
// nothing names any more is removed.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hrvm/image/create.hpp"
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
  Definition definition;              // as it will be
  std::vector<std::string> discards;  // files that will be gone afterwards: "layers/….qcow2"
  std::vector<std::string> warnings;
};

// What planning needs from outside, drawn beforehand so that plans are pure.
struct Drawn {
  base::Time now{};
  std::string layer_id, nvram_id;
};
Drawn draw(const sys::Host& host, const Store& store);

// A new empty layer on the base, with a fingerprint of the base as it is now. Snapshots stay; what was active is kept
// for undo unless `discard`. NVRAM goes too unless `keep_nvram`.
struct ResetRequest {
  bool keep_nvram = false, discard = false;
  Fingerprint fingerprint;
};
Change plan_reset(const Machine& machine, const ResetRequest& request, const Drawn& drawn);

// Active goes frozen as the snapshot's layer; a new empty layer on it becomes active.
Change plan_snapshot_create(const Machine& machine, const std::string& name, const std::string& description,
                            const Drawn& drawn);

// A new empty layer on the snapshot; its NVRAM and hardware come back. What was active is kept for undo unless
// `discard`.
Change plan_snapshot_revert(const Machine& machine, const std::string& name, bool discard, const Drawn& drawn);

// Without children its layer goes; with one child (snapshot or active state) the two are merged; with several
// Error{busy} with the reason. What was kept for undo goes when it lies on the snapshot.
Change plan_snapshot_delete(const Machine& machine, const std::string& name, const Drawn& drawn = {});

// Another hardware or description for the active state: "memory=4G", "bus=sata", "clock=localtime", … Error{usage} for
// a key that is none, or a value that its key cannot have, with those it can.
struct Setting {
  std::string key, value;
};
Change plan_set(const Machine& machine, const std::vector<Setting>& settings);
// What can be set, and to what: each setting of the hardware (settings.hpp) and the description.
struct SettingKind {
  std::string_view key;
  std::string values;                // for people: "from 1 to 1024"
  std::vector<std::string> choices;  // where it is one of these; "bridge=INTERFACE" stands for any that goes on so
};
std::vector<SettingKind> setting_kinds();

Change plan_snapshot_rename(const Machine& machine, const std::string& name, const std::string& new_name);

// Active and previous change places. Error{not_found} when there is nothing to undo.
Change plan_undo(const Machine& machine);

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
