// QMP: QEMU's control socket (docs/interop/qmp-spec). It gives details and takes orders; it is never believed about
// whether a machine runs, and never waited for without a limit: a second client hangs until the first one leaves.
#pragma once

#include <chrono>
#include <deque>
#include <filesystem>
#include <optional>
#include <string>

#include "hrvm/base/json.hpp"
#include "hrvm/sys/socket.hpp"

namespace hrvm::launch {

class Qmp {
 public:
  // Connects and leaves the greeting behind; nullopt when nobody answers within the limit, or not in QMP.
  static std::optional<Qmp> connect(const std::filesystem::path& socket, std::chrono::milliseconds limit);

  // "return" of the answer. Error{external} with QEMU's words when it says no, Error{io} when it does not answer in
  // time. Events that arrive meanwhile are kept for next_event.
  base::Json execute(const std::string& command, base::Json arguments, std::chrono::milliseconds limit);
  // QEMU gets a copy of the descriptor, which its commands know by this name. Errors as above.
  void hand_over(const std::string& name, int fd, std::chrono::milliseconds limit);
  // The next event, or nullopt when the limit passes; `closed` says whether QEMU is gone.
  std::optional<base::Json> next_event(std::chrono::milliseconds limit);
  bool closed() const { return socket_.ended(); }
  // QEMU's process.
  std::optional<pid_t> process() const { return socket_.peer(); }

 private:
  explicit Qmp(sys::UnixSocket socket) : socket_(std::move(socket)) {}
  std::optional<base::Json> next_message(std::chrono::milliseconds limit);
  base::Json answer_to(const std::string& command, std::chrono::steady_clock::time_point deadline);
  sys::UnixSocket socket_;
  std::deque<base::Json> events_;
};

}  // namespace hrvm::launch
