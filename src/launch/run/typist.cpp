#include "launch/run/typist.hpp"

#include "hrvm/sys/background.hpp"

namespace hrvm::launch {

void Typist::type(sys::UnixSocket& console) {
  if (pending_.empty()) read_more();
  if (!pending_.empty()) pending_.erase(0, console.send_some(pending_));
}

void Typist::read_more() {
  const auto more = fd_ >= 0 ? sys::read_now(fd_) : std::nullopt;
  if (!more) return;
  if (more->empty()) fd_ = -1;
  has_typed_ |= !more->empty();
  pending_ = *more;
}

}  // namespace hrvm::launch
