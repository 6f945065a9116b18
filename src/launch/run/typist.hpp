// Typist: bytes from a descriptor to a serial line, as fast as the guest takes them.
#pragma once

#include <string>

#include "hrvm/sys/socket.hpp"

namespace hrvm::launch {

class Typist {
 public:
  explicit Typist(int fd) : fd_(fd) {}  // -1: nothing is typed

  void type(sys::UnixSocket& console);
  // All is sent that there was, and no more will come.
  bool is_done() const { return fd_ < 0 && pending_.empty(); }
  bool has_typed() const { return has_typed_; }

 private:
  void read_more();
  int fd_;
  std::string pending_;
  bool has_typed_ = false;
};

}  // namespace hrvm::launch
