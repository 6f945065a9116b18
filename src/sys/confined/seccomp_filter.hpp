// The system-call filter of a confined child.
#pragma once

namespace hrvm::sys {

// From here on this process can compute, read what it has open, write (what it can write to is the caller's care), and
// end; and open what it reads, where it `reads_folders`. False where the kernel has no seccomp filters.
bool apply_seccomp_filter(bool reads_folders);

}  // namespace hrvm::sys
