// The other end of a socket: QEMU, or a guest's agent.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "hrvm/sys/fd.hpp"
#include "support/temporary_directory.hpp"

namespace hrvm::launch::testing {

// Says its lines one after the other, waiting for a line before each but the first. Stays until the test is over.
class Player {
 public:
  explicit Player(std::vector<std::string> lines) : lines_(std::move(lines)) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, path.c_str());
    listener_ = sys::Fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    REQUIRE(bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(listen(listener_.get(), 4) == 0);
    thread_ = std::thread([this] { play(); });
  }
  ~Player() {
    shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
  }

  test::TemporaryDirectory folder;
  std::filesystem::path path = folder / "qmp";
  std::string heard;  // read it when the player is gone, or when its last answer has come

 private:
  void play() {
    peer_ = sys::Fd(accept(listener_.get(), nullptr, nullptr));
    for (std::size_t index = 0; index < lines_.size() && peer_; ++index) {
      if (index > 0 && !wait_for_line()) return;
      if (write(peer_.get(), lines_[index].data(), lines_[index].size()) < 0) return;
      if (write(peer_.get(), "\r\n", 2) < 0) return;
    }
  }
  bool wait_for_line() {
    for (char c = 0; c != '\n'; heard += c)
      if (read(peer_.get(), &c, 1) != 1) return false;
    return true;
  }

  std::vector<std::string> lines_;
  sys::Fd listener_, peer_;
  std::thread thread_;
};

}  // namespace hrvm::launch::testing
