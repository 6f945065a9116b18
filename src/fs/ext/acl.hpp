// POSIX ACLs: ext's own short form, turned into the one that getxattr(2) gives.
#pragma once

#include <string>
#include <string_view>

#include "fs/ext/volume.hpp"

namespace hrvm::fs::ext {

// Error{corrupt} for what is no ACL.
std::string portable_acl(const Volume& volume, std::string_view stored);

}  // namespace hrvm::fs::ext
