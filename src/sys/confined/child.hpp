// The child that is confined: what it gives up before it calls the function, and how it answers.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <string_view>

#include "hrvm/sys/confined.hpp"
#include "hrvm/sys/fd.hpp"

namespace hrvm::sys {

// The first byte of what comes through the pipe says what follows it: of a part its length and so many bytes (le32),
// after which more comes; of all else what is left.
enum class ConfinedTag : char { text = 'T', error = 'E', death = 'D', part = 'P' };

void write_to_parent(int fd, std::string_view bytes);

struct ConfinedChild {
  pid_t pid = -1;
  Fd pipe;  // from which its answer is read
};
// Forks. In the child the function is called with the descriptor that it may write parts to; what it returns, or
// throws, comes behind them.
ConfinedChild start_confined(const std::function<std::string(int answer_fd)>& function, const Confinement& limits);
// Its wait status.
int wait_for_end(pid_t pid);

}  // namespace hrvm::sys
