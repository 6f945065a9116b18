#include "hrvm/sys/io_uring.hpp"

#include <linux/io_uring.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "hrvm/sys/fd.hpp"

namespace hrvm::sys {

bool has_io_uring() {
  io_uring_params parameters = {};
  return bool(Fd(int(syscall(SYS_io_uring_setup, 1, &parameters))));
}

}  // namespace hrvm::sys
