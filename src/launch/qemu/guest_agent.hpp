// The guest's agent (qemu-guest-agent), at the other end of a serial port. It is the guest's: what it says may be
// anything, and may never come.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "hrvm/base/json.hpp"
#include "hrvm/sys/socket.hpp"

namespace hrvm::launch {

class GuestAgent {
 public:
  // Where it answers within the limit to a number that was drawn: what it said before, to whoever, is left behind.
  static std::optional<GuestAgent> connect(const std::filesystem::path& socket, std::uint32_t drawn,
                                           std::chrono::milliseconds limit);

  // Error{external} with its words, made fit for a terminal, where it refuses; Error{io} where it does not answer in
  // time, or in no JSON: from then on its answers may be those to what was asked before, so that it has to be left.
  base::Json execute(const std::string& command, std::chrono::milliseconds limit);

 private:
  explicit GuestAgent(sys::UnixSocket socket) : socket_(std::move(socket)) {}
  bool synchronise(std::uint32_t drawn, std::chrono::milliseconds limit);
  std::optional<base::Json> next_answer(std::chrono::milliseconds limit);
  sys::UnixSocket socket_;
};

}  // namespace hrvm::launch
