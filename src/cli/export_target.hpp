// Where an export goes: a regular file, new unless it may be replaced, that is no base, in no store, and not on the
// very disk that a machine is made of.
#pragma once

#include "hrvm/cli/command.hpp"
#include "hrvm/machine/store.hpp"
#include "hrvm/probe/disk.hpp"

namespace hrvm::cli {

struct ExportTarget {
  sys::Path path;  // absolute; behind a symbolic link, where there is one
  bool replaces = false;
};

// Error{exists} for what is there, unless `force`. Whatever `force` says: Error{refused} where writing it would change
// a base or the store, Error{unsupported} for what is no regular file, Error{not_found} where there is no folder for
// it.
ExportTarget export_target(const Context& context, const machine::Store& store, const probe::Disk& base, bool force);

}  // namespace hrvm::cli
