// io_uring(7): whether this kernel lets this process use it. Kernels before 5.1 have none, others switch it off
// (kernel.io_uring_disabled), and seccomp filters of containers often deny it.
#pragma once

namespace hrvm::sys {

bool has_io_uring();

}  // namespace hrvm::sys
