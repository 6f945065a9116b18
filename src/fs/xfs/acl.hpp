// POSIX ACLs, which XFS keeps as attributes in a form of its own.
#pragma once

#include "hrvm/fs/file_system.hpp"

namespace hrvm::fs::xfs {

// Makes of trusted.SGI_ACL_FILE what getxattr(2) gives as system.posix_acl_access, and the same of its default; leaves
// others, and one that is none, as they are.
void take_as_acl(Attribute& attribute);

}  // namespace hrvm::fs::xfs
