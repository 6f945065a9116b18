#include "hrvm/sys/attach.hpp"

#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>

#include "hrvm/base/error.hpp"
#include "hrvm/sys/background.hpp"
#include "hrvm/sys/terminal.hpp"

namespace hrvm::sys {

namespace {

using namespace std::chrono_literals;

class RawTerminal {
 public:
  explicit RawTerminal(int fd) : fd_(fd) {
    termios before{};
    if (::tcgetattr(fd_, &before) != 0) return;
    before_ = before;
    ::cfmakeraw(&before);
    ::tcsetattr(fd_, TCSADRAIN, &before);
  }
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;
  ~RawTerminal() {
    if (before_) ::tcsetattr(fd_, TCSADRAIN, &*before_);
  }
  bool is_terminal() const { return before_.has_value(); }

 private:
  int fd_;
  std::optional<termios> before_;
};

void write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t done = ::write(fd, bytes.data(), bytes.size());
    if (done < 0 && errno == EINTR) {
      check_interrupted();
      continue;
    }
    if (done < 0) throw base::system_error(errno, "write", "the standard output");
    bytes.remove_prefix(std::size_t(done));
  }
}

}  // namespace

AttachEnd attach(UnixSocket& socket, char escape) {
  const RawTerminal terminal(STDIN_FILENO);
  bool input_open = true;
  std::string typed;  // and not sent yet: a guest that does not read holds nobody up
  while (true) {
    check_interrupted();
    std::array<pollfd, 2> waiting{{{socket.fd(), short(POLLIN | (typed.empty() ? 0 : POLLOUT)), 0},
                                   {input_open && typed.empty() ? STDIN_FILENO : -1, POLLIN, 0}}};
    if (::poll(waiting.data(), waiting.size(), 1000) < 0 && errno != EINTR)
      throw base::system_error(errno, "wait for", "the terminal");
    if (waiting[0].revents & (POLLIN | POLLHUP | POLLERR)) {
      const auto bytes = socket.read_some(0ms);
      if (bytes) write_all(STDOUT_FILENO, *bytes);
      if (socket.ended()) return AttachEnd::peer_gone;
    }
    if (waiting[1].revents != 0) {
      const auto more = read_now(STDIN_FILENO);
      if (more && more->empty()) input_open = false;
      typed = more.value_or("");
      if (const auto at = typed.find(escape); terminal.is_terminal() && at != typed.npos) {
        socket.send(typed.substr(0, at), 1s);
        write_all(STDOUT_FILENO, "\r\n");
        return AttachEnd::escaped;
      }
    }
    if (!typed.empty()) typed.erase(0, socket.send_some(typed));
  }
}

}  // namespace hrvm::sys
