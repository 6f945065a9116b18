#include "hrvm/sys/file_size_limit.hpp"

#include <signal.h>
#include <sys/resource.h>

#include <algorithm>

namespace hrvm::sys {

void ignore_file_size_signal() { ::signal(SIGXFSZ, SIG_IGN); }

std::optional<std::uint64_t> file_size_limit(pid_t process) {
  rlimit limit = {};
  if (::prlimit(process, RLIMIT_FSIZE, nullptr, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return std::nullopt;
  return limit.rlim_cur;
}

bool limit_file_size(pid_t process, std::optional<std::uint64_t> bytes) {
  rlimit limit = {};
  if (::prlimit(process, RLIMIT_FSIZE, nullptr, &limit) != 0) return false;
  limit.rlim_cur = bytes ? std::min<rlim_t>(*bytes, limit.rlim_max) : limit.rlim_max;
  return ::prlimit(process, RLIMIT_FSIZE, &limit, nullptr) == 0;
}

}  // namespace hrvm::sys
