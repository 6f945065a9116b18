// What stat(2) gives, in our words.
#pragma once

#include <sys/stat.h>

#include "hrvm/sys/files.hpp"

namespace hrvm::sys {

FileStatus to_status(const struct stat& st);

}  // namespace hrvm::sys
