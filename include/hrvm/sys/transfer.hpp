// Files on their way to another place, which may be another filesystem.
#pragma once

#include "hrvm/sys/fd.hpp"
#include "hrvm/sys/files.hpp"

namespace hrvm::sys {

// rename(2) to a name that is free, durable in both folders. False where the two do not lie on one filesystem, or on
// one mount of it: nothing was done. Error{exists} when the name is taken.
bool try_rename_to_free_name(const Path& from, const Path& to);

// The mode and the time of last change of another, for a copy that is written and is made durable by this.
void finish_like(const Fd& copy, const FileStatus& original, const Path& path);

}  // namespace hrvm::sys
