// What the plans of several changes share.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hrvm/machine/change.hpp"

namespace hrvm::machine {

// A change that is one more step of the log, and drops what was held for too long; else it changes nothing yet.
// `what` is what was done, without the machine's name, and `words` says the same with it.
Change begin_change(const Machine& machine, const std::string& what, const std::string& words, const Drawn& drawn);

// The change's step holds what was active. An empty state that has nothing that the one in its place has not would hide
// an older one that is held: it is not.
void hold_active(Change& change, const State& before, const Drawn& drawn);
void hold_nothing(Change& change);
void let_go(Step& step);

// The name of a snapshot goes, and the change's step holds what it was.
void put_away(Change& change, const std::string& name);

// A snapshot or a node, for all that lies on it as well.
void rename_node(Definition& definition, const std::string& from, const std::string& to);

// New, empty layers of all disks on the layer `below`, which has `bottom` at the bottom of its chain.
void add_layers_on(Change& change, const std::string& id, const std::string& below, const std::string& bottom);

// An active state on a new, empty layer, which lies on the snapshot `head`, or on the base. Its NVRAM is a copy of
// `nvram`.
State state_on_new_layer(Change& change, const std::optional<std::string>& head, const Hardware& hardware,
                         const std::optional<std::string>& nvram, const Drawn& drawn);

// Error{unsupported} for a machine that writes to its folder itself: it has no states to choose from.
void check_has_states(const Machine& machine);

// Drops fingerprints of layers that are no longer named and nodes without a name that nothing lies on, and says which
// files of `before` will be gone.
Change finish_change(Change change, const Definition& before);

// Nothing was written to any of its files, as far as can be seen.
bool is_layer_empty(const Machine& machine, const std::string& layer);

// What a timer does, as its steps in the log begin.
inline constexpr std::string_view create_order = "snapshot create --auto", prune_order = "snapshot prune";
// Of the steps by a timer at the log's end, with none of a person's between, the last of each order is left.
void fold_timed_steps(std::vector<Step>& log);

// Error{usage} for a name that is none, Error{exists} for one that is taken.
void check_free_snapshot_name(const Machine& machine, const std::string& name);

}  // namespace hrvm::machine
