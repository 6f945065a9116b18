#include "sys/confined/landlock.hpp"

#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace hrvm::sys {

namespace {

constexpr std::uint64_t reading = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr std::uint64_t first_version = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;  // all that the first one handles

}  // namespace

void read_below_only(const std::vector<Fd>& folders) {
  const landlock_ruleset_attr handled{.handled_access_fs = first_version};
  const Fd rules(int(::syscall(SYS_landlock_create_ruleset, &handled, sizeof handled, 0)));
  if (!rules) return;
  for (const Fd& folder : folders) {
    const landlock_path_beneath_attr below{.allowed_access = reading, .parent_fd = folder.get()};
    ::syscall(SYS_landlock_add_rule, rules.get(), LANDLOCK_RULE_PATH_BENEATH, &below, 0);
  }
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0) ::syscall(SYS_landlock_restrict_self, rules.get(), 0);
}

}  // namespace hrvm::sys
