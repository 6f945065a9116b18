// A process that was forked from ours, and has not become another program yet.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <string_view>

#include "hrvm/base/error.hpp"
#include "hrvm/sys/runner.hpp"

namespace hrvm::sys {

// The calling process gets the signal when `parent` ends, however that is; also as another program, unless that one is
// setuid. Where it has ended already, the calling process does at once.
void end_with(pid_t parent, int signal);

// Forks. In the child `become` replaces it by another program, and returns by throwing alone: what it throws is thrown
// here. `program` is for messages.
Child fork_into(std::string_view program, const std::function<void()>& become);

// An error on its way through a pipe. What comes out of it may be anything, as a child may have gone wrong.
std::string encode(const base::Error& error);
base::Error decode_error(std::string_view text);

}  // namespace hrvm::sys
