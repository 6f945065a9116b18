// RLIMIT_FSIZE (setrlimit(2)): the offset from which on a process may write to no regular file. The kernel holds every
// write to it, so that no process is too fast for it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

namespace hrvm::sys {

// A write beyond the limit then fails with EFBIG, and ends nobody: in this process, and in those that it starts.
void ignore_file_size_signal();

// Of a process; null where it has none, or cannot be asked.
std::optional<std::uint64_t> file_size_limit(pid_t process);

// Sets it for a process of ours, or lifts it (nullopt). False where that is not allowed, or the process is gone.
bool limit_file_size(pid_t process, std::optional<std::uint64_t> bytes);

}  // namespace hrvm::sys
