// Lock: flock(2) on a folder or file, held for as long as the object lives (or a child holds the same descriptor).
// It orders hrvm's own changes to a machine; whether a machine runs is seen from QEMU's lock (block/image_lock.hpp).
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>

#include "hrvm/sys/fd.hpp"

namespace hrvm::sys {

class Lock {
 public:
  enum class Mode { shared, exclusive };

  // nullopt when somebody else holds it in a way that conflicts, after waiting up to `patience`.
  static std::optional<Lock> try_take(const std::filesystem::path& path, Mode mode,
                                      std::chrono::milliseconds patience = std::chrono::milliseconds{0});

  int fd() const { return fd_.get(); }
  // Gives the descriptor away: a child that inherits it keeps the lock until it ends.
  Fd release() && { return std::move(fd_); }

 private:
  explicit Lock(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

}  // namespace hrvm::sys
