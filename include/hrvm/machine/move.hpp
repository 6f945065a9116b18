// Taking a machine to another store: away from memory, to a larger disk.
#pragma once

#include "hrvm/machine/storage.hpp"
#include "hrvm/machine/store.hpp"
#include "hrvm/sys/terminal.hpp"

namespace hrvm::machine {

struct MoveRequest {
  bool allow_volatile = false;
};

// What is seen of the store that it goes to. Error{usage} when it is there already; Error{exists} when its name is
// taken there, but by a whole copy that a move left which was cut off; Error{permission} when nothing can be written
// there; Error{refused} when a base of the machine lies under it, when it would not outlive this boot of the host
// (unless allowed), or has too little room.
void check_move(const sys::Host& host, const Machine& machine, const Store& to, const MoveRequest& request);

// The bytes of its layers and variables that a copy writes.
std::uint64_t bytes_to_move(const Machine& machine);

// The caller holds the machine's lock, and nothing of it is in use. On one filesystem it is one rename. Else all of it
// is copied, holes and times kept, and is a machine there (`current` is the commit point) before it goes from here:
// killed at any moment it is whole in one of the two stores at least. Older generations stay behind; what is held for
// undo comes along. Error{unsupported} for a machine on a folder, whose layers are folders, on another filesystem.
Machine move_machine(const Store& from, const Machine& machine, const Store& to, const sys::ProgressCallback& progress);

}  // namespace hrvm::machine
