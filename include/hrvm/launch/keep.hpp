// What must stay open in QEMU, and in what runs beside it: the lock of a throw-away folder.
#pragma once

#include <vector>

namespace hrvm::launch {

struct Keep {
  std::vector<int> fds;
};

}  // namespace hrvm::launch
