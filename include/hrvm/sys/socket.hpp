// A stream socket of the unix domain, with a time limit on everything: who is at the other end is never trusted to
// answer.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "hrvm/sys/fd.hpp"

namespace hrvm::sys {

class UnixSocket {
 public:
  // nullopt when nobody listens there (a missing file and a refused connection alike).
  static std::optional<UnixSocket> connect(const std::filesystem::path& path, std::chrono::milliseconds limit);

  void send(std::string_view bytes, std::chrono::milliseconds limit);  // Error{io} when it cannot be sent in time
  // With a descriptor for the peer, which gets a copy of it (SCM_RIGHTS).
  void send_with(std::string_view bytes, int fd, std::chrono::milliseconds limit);
  // As much as the peer takes now: how many bytes that was. Error{io} when it is gone.
  std::size_t send_some(std::string_view bytes);
  // The peer learns that no more comes, once it has read what came; it may still send.
  void end_sending();
  // The next line without its newline (and without a carriage return before it); nullopt when the limit passes or the
  // peer is gone. Longer than `longest` bytes: Error{corrupt}.
  std::optional<std::string> read_line(std::chrono::milliseconds limit, std::size_t longest = 1 << 20);
  // What is there, at most `longest` bytes; empty at the end; nullopt when the limit passes or a signal comes.
  std::optional<std::string> read_some(std::chrono::milliseconds limit, std::size_t longest = 1 << 16);
  // The peer is gone, and this was learnt by reading.
  bool ended() const { return ended_; }
  // Who listened there when we connected (SO_PEERCRED); nullopt where the kernel does not say.
  std::optional<pid_t> peer() const;
  int fd() const { return fd_.get(); }

 private:
  friend struct SocketPair make_socket_pair();
  explicit UnixSocket(Fd fd) : fd_(std::move(fd)) {}
  std::optional<std::string> receive(std::chrono::milliseconds limit, std::size_t longest);
  std::optional<std::string> take_line(std::size_t longest);
  Fd fd_;
  std::string buffer_;
  bool ended_ = false;
};

// Two ends of one connection: `theirs` is for another process.
struct SocketPair {
  UnixSocket ours;
  Fd theirs;
};
SocketPair make_socket_pair();

// A socket that listens there, for a child that inherits it: who connects need not wait until that has started. What
// was there under this name is replaced.
Fd listen_at(const std::filesystem::path& path);

// What becomes of a program that listens at a TCP port of the loopback address as QEMU does.
enum class PortUse { free, taken, forbidden };
PortUse loopback_port_use(std::uint16_t port);

}  // namespace hrvm::sys
