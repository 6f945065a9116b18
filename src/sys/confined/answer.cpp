#include "sys/confined/answer.hpp"

#include <signal.h>
#include <sys/wait.h>

#include <cstring>

#include <fmt/core.h>

#include "sys/confined/child.hpp"
#include "sys/forked.hpp"

namespace hrvm::sys {

std::string took_longer_than(std::chrono::milliseconds time) {
  return time.count() % 1000 == 0 ? fmt::format("took longer than {} s", time.count() / 1000)
                                  : fmt::format("took longer than {} ms", time.count());
}

std::string describe_end(int status, const Confinement& limits) {
  if (WIFEXITED(status)) return fmt::format("ended with status {} and no answer", WEXITSTATUS(status));
  const int number = WTERMSIG(status);
  if (number == SIGSYS) return "killed by SIGSYS: it made a system call that is forbidden to it";
  if (number == SIGXCPU) return took_longer_than(limits.time);
  const char* name = ::sigabbrev_np(number);
  return fmt::format("killed by SIG{}", name ? name : std::to_string(number));
}

ConfinedAnswer decode_answer(std::string_view received) {
  const auto body = received.substr(1);
  switch (ConfinedTag(received.front())) {
    case ConfinedTag::text:
      return {std::string(body), {}, {}};
    case ConfinedTag::death:
      return {{}, std::string(body), {}};
    case ConfinedTag::error:
      try {
        return {{}, {}, decode_error(body)};
      } catch (const base::Error& error) {
        return {{}, error.message(), {}};
      }
    case ConfinedTag::part:
      break;
  }
  return {{}, "gave an answer that makes no sense", {}};
}

}  // namespace hrvm::sys
