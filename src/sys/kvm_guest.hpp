// The test guest by which KVM is proved: 64 KiB of memory, one processor in 64-bit mode, a few instructions.
#pragma once

#include <string>

namespace hrvm::sys {

// Runs the test programs on the descriptor of /dev/kvm. Empty when each reached its hlt in time, else why not. For a
// child process: it takes SIGALRM for itself, and what it makes is given back only when the process ends.
std::string disprove_kvm(int kvm);

}  // namespace hrvm::sys
