// What stat(2) gives, in our words.
#pragma once

#include <sys/stat.h>

#include <array>
#include <chrono>

#include "hrvm/sys/files.hpp"

namespace hrvm::sys {

FileStatus to_status(const struct stat& st);

// As utimensat(2) wants it: the time of the last change, and that of the last access left alone.
std::array<timespec, 2> modified_alone(std::chrono::sys_time<std::chrono::nanoseconds> time);

}  // namespace hrvm::sys
