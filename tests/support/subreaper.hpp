// While there is one, processes whose parent has died become children of this process, so that they can be waited for.
#pragma once

#include <sys/prctl.h>
#include <sys/wait.h>

#include <catch2/catch.hpp>

namespace hrvm::test {

class Subreaper {
 public:
  Subreaper() { REQUIRE(::prctl(PR_SET_CHILD_SUBREAPER, 1) == 0); }
  ~Subreaper() { ::prctl(PR_SET_CHILD_SUBREAPER, 0); }
  Subreaper(const Subreaper&) = delete;
  Subreaper& operator=(const Subreaper&) = delete;

  // Waits for `child`, and for all that it has left behind: the status of `child`.
  int wait_for_all(pid_t child) const {
    int status = 0, one = 0;
    for (pid_t ended; (ended = ::waitpid(-1, &one, 0)) > 0;)
      if (ended == child) status = one;
    return status;
  }
};

}  // namespace hrvm::test
