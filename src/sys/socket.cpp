#include "hrvm/sys/socket.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "hrvm/base/error.hpp"

namespace hrvm::sys {

namespace {

using Clock = std::chrono::steady_clock;
using base::Error;
using base::ErrorKind;
using std::chrono::milliseconds;

milliseconds left_until(Clock::time_point deadline) {
  return std::max(milliseconds{0}, std::chrono::ceil<milliseconds>(deadline - Clock::now()));
}

// A signal counts as not ready: the caller looks at its deadline, and at whether it was interrupted.
bool is_ready(int fd, short events, milliseconds limit) {
  pollfd waiting{fd, events, 0};
  return poll(&waiting, 1, int(limit.count())) > 0;
}

// A path longer than sun_path is reached through its folder's descriptor.
sockaddr_un address_of(const std::filesystem::path& path, Fd& folder) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::string name = path;
  if (name.size() >= sizeof address.sun_path) {
    folder = open_file(path.parent_path(), O_PATH | O_DIRECTORY);
    name = "/proc/self/fd/" + std::to_string(folder.get()) + "/" + path.filename().string();
  }
  if (name.size() >= sizeof address.sun_path) {
    throw Error(ErrorKind::unsupported, "the socket's name is too long").on(path);
  }
  std::memcpy(address.sun_path, name.c_str(), name.size() + 1);
  return address;
}

bool try_connect(int fd, const sockaddr_un& address) {
  return ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

Error lost(const char* what) { return Error(ErrorKind::io, what); }

}  // namespace

std::optional<UnixSocket> UnixSocket::connect(const std::filesystem::path& path, milliseconds limit) {
  const auto deadline = Clock::now() + limit;
  Fd folder;
  const auto address = address_of(path, folder);
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) throw base::system_error(errno, "make", "a socket");
  while (!try_connect(fd.get(), address)) {
    // A full backlog says EAGAIN, and poll(2) cannot tell when it has room again.
    if (errno != EAGAIN || left_until(deadline) == milliseconds{0}) return std::nullopt;
    poll(nullptr, 0, 5);
  }
  return UnixSocket(std::move(fd));
}

std::size_t UnixSocket::send_some(std::string_view bytes) {
  const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent >= 0) return std::size_t(sent);
  if (errno == EAGAIN || errno == EINTR) return 0;
  throw lost("the other end of a socket is gone");
}

std::optional<pid_t> UnixSocket::peer() const {
  ucred peer = {};
  socklen_t size = sizeof peer;
  if (::getsockopt(fd_.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || peer.pid <= 0) return std::nullopt;
  return peer.pid;
}

void UnixSocket::send(std::string_view bytes, milliseconds limit) {
  const auto deadline = Clock::now() + limit;
  while (!bytes.empty()) {
    bytes.remove_prefix(send_some(bytes));
    if (bytes.empty() || is_ready(fd_.get(), POLLOUT, left_until(deadline))) continue;
    if (left_until(deadline) == milliseconds{0}) throw lost("the other end of a socket does not read");
  }
}

void UnixSocket::send_with(std::string_view bytes, int fd, milliseconds limit) {
  iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof fd)> space{};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = space.data();
  message.msg_controllen = space.size();
  cmsghdr* const rights = CMSG_FIRSTHDR(&message);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(sizeof fd);
  std::memcpy(CMSG_DATA(rights), &fd, sizeof fd);
  if (!is_ready(fd_.get(), POLLOUT, limit)) throw lost("the other end of a socket does not read");
  const ssize_t sent = ::sendmsg(fd_.get(), &message, MSG_NOSIGNAL);
  if (sent <= 0) throw lost("the other end of a socket is gone");
  send(bytes.substr(std::size_t(sent)), limit);
}

void UnixSocket::end_sending() { ::shutdown(fd_.get(), SHUT_WR); }

std::optional<std::string> UnixSocket::read_some(milliseconds limit, std::size_t longest) {
  if (!buffer_.empty()) {
    const auto length = std::min(longest, buffer_.size());
    std::string bytes = buffer_.substr(0, length);
    buffer_.erase(0, length);
    return bytes;
  }
  return receive(limit, longest);
}

std::optional<std::string> UnixSocket::receive(milliseconds limit, std::size_t longest) {
  if (!is_ready(fd_.get(), POLLIN, limit)) return std::nullopt;
  std::string bytes(longest, '\0');
  const ssize_t got = ::recv(fd_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return std::nullopt;
  bytes.resize(std::size_t(std::max<ssize_t>(got, 0)));
  ended_ = bytes.empty();
  return bytes;
}

std::optional<std::string> UnixSocket::take_line(std::size_t longest) {
  const auto end = buffer_.find('\n');
  if (std::min(end, buffer_.size()) > longest) throw Error(ErrorKind::corrupt, "a line from a socket is too long");
  if (end == std::string::npos) return std::nullopt;
  std::string line = buffer_.substr(0, end);
  buffer_.erase(0, end + 1);
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

std::optional<std::string> UnixSocket::read_line(milliseconds limit, std::size_t longest) {
  const auto deadline = Clock::now() + limit;
  while (true) {
    if (auto line = take_line(longest)) return line;
    if (ended_) return std::nullopt;
    if (const auto more = receive(left_until(deadline), 1 << 16)) {
      buffer_ += *more;
    } else if (left_until(deadline) == milliseconds{0}) {
      return std::nullopt;
    }
  }
}

SocketPair make_socket_pair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    throw base::system_error(errno, "make", "a socket");
  return {UnixSocket(Fd(ends[0])), Fd(ends[1])};
}

Fd listen_at(const std::filesystem::path& path) {
  Fd folder;
  ::unlink(path.c_str());
  const auto address = address_of(path, folder);
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd || ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(fd.get(), 1) != 0)
    throw base::system_error(errno, "listen at", path);
  return fd;
}

// A port that is only bound, or whose last connection still lingers, can be listened at by who says so (SO_REUSEADDR);
// one that somebody listens at can not.
PortUse loopback_port_use(std::uint16_t port) {
  const Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int yes = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool is_bound = ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  if (is_bound && ::listen(fd.get(), 1) == 0) return PortUse::free;
  if (errno == EADDRINUSE) return PortUse::taken;
  return errno == EACCES ? PortUse::forbidden : PortUse::free;
}

}  // namespace hrvm::sys
