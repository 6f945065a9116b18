#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <filesystem>
#include <vector>

#include "hrvm/base/error.hpp"
#include "hrvm/sys/socket.hpp"

using namespace hrvm;
using namespace std::chrono_literals;

namespace {

// Listens in a folder of its own; what is accepted is written and read by hand.
struct Server {
  explicit Server(int backlog = 4) {
    std::string name = "/tmp/hrvm-socket-XXXXXX";
    folder = mkdtemp(name.data());
    path = folder / "socket";
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, path.c_str());
    listener = sys::Fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    REQUIRE(bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(listen(listener.get(), backlog) == 0);
  }
  ~Server() { std::filesystem::remove_all(folder); }

  sys::UnixSocket meet() {
    auto client = sys::UnixSocket::connect(path, 1s);
    REQUIRE(client);
    peer = sys::Fd(accept(listener.get(), nullptr, nullptr));
    return std::move(*client);
  }
  void say(std::string_view text) { REQUIRE(write(peer.get(), text.data(), text.size()) == ssize_t(text.size())); }

  std::filesystem::path folder, path;
  sys::Fd listener, peer;
};

}  // namespace

TEST_CASE("nobody listens: no socket") {
  CHECK_FALSE(sys::UnixSocket::connect("/tmp/hrvm-no-such-folder/socket", 10ms));
  Server server;
  server.listener.reset();
  CHECK_FALSE(sys::UnixSocket::connect(server.path, 10ms));
}

TEST_CASE("a socket knows who listens at its other end") {
  Server server;
  CHECK(server.meet().peer() == getpid());
}

TEST_CASE("a server that accepts nobody is not waited for beyond the limit") {
  Server server(0);
  std::vector<std::optional<sys::UnixSocket>> accepted_by_the_kernel;
  const auto start = std::chrono::steady_clock::now();
  do accepted_by_the_kernel.push_back(sys::UnixSocket::connect(server.path, 50ms));
  while (accepted_by_the_kernel.back() && accepted_by_the_kernel.size() < 10);
  CHECK_FALSE(accepted_by_the_kernel.back());
  CHECK(std::chrono::steady_clock::now() - start < 10s);
}

TEST_CASE("lines arrive whole, whatever the pieces they come in") {
  Server server;
  auto client = server.meet();
  server.say("one\r\ntw");
  CHECK(client.read_line(1s) == "one");
  CHECK_FALSE(client.read_line(10ms));
  CHECK_FALSE(client.ended());
  server.say("o\n\n");
  CHECK(client.read_line(1s) == "two");
  CHECK(client.read_line(1s) == "");
  server.peer.reset();
  CHECK_FALSE(client.read_line(1s));
  CHECK(client.ended());
}

TEST_CASE("a line without an end is refused once it is too long") {
  Server server;
  auto client = server.meet();
  server.say(std::string(100, 'x'));
  CHECK_THROWS_AS(client.read_line(1s, 64), base::Error);
}

TEST_CASE("bytes behind a line are not lost to reading what is there") {
  Server server;
  auto client = server.meet();
  server.say("line\nrest");
  CHECK(client.read_line(1s) == "line");
  CHECK(client.read_some(1s, 2) == "re");
  CHECK(client.read_some(1s) == "st");
  CHECK_FALSE(client.read_some(10ms));
  server.peer.reset();
  CHECK(client.read_some(1s) == "");
  CHECK(client.ended());
}

TEST_CASE("a peer that does not read is an error after the limit") {
  Server server;
  auto client = server.meet();
  CHECK_THROWS_AS(client.send(std::string(16 << 20, 'x'), 50ms), base::Error);
}

TEST_CASE("a peer that is gone is an error, not a signal") {
  Server server;
  auto client = server.meet();
  server.peer.reset();
  CHECK_THROWS_AS(client.send("x", 50ms), base::Error);
}

TEST_CASE("a path longer than a socket's address is reached") {
  Server server;
  const auto deep = server.folder / std::string(80, 'a') / std::string(80, 'b');
  std::filesystem::create_directories(deep);
  std::filesystem::rename(server.path, deep / "socket");
  CHECK(sys::UnixSocket::connect(deep / "socket", 1s));
}

TEST_CASE("a port that somebody listens at is taken, and free once nobody does") {
  sys::Fd listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  REQUIRE(bind(listener.get(), reinterpret_cast<sockaddr*>(&address), length) == 0);
  REQUIRE(listen(listener.get(), 1) == 0);
  REQUIRE(getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &length) == 0);
  const auto port = ntohs(address.sin_port);
  CHECK(sys::loopback_port_use(port) == sys::PortUse::taken);
  listener.reset();
  CHECK(sys::loopback_port_use(port) == sys::PortUse::free);
}

TEST_CASE("a descriptor goes to the other end, with the bytes beside it") {
  auto [ours, theirs] = sys::make_socket_pair();
  auto [carried, far_end] = sys::make_socket_pair();
  ours.send_with("here", far_end.get(), 1s);
  char bytes[8] = {};
  alignas(cmsghdr) char space[CMSG_SPACE(sizeof(int))] = {};
  iovec part{bytes, sizeof bytes};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = space;
  message.msg_controllen = sizeof space;
  REQUIRE(recvmsg(theirs.get(), &message, MSG_CMSG_CLOEXEC) == 4);
  CHECK(std::string(bytes) == "here");
  REQUIRE(CMSG_FIRSTHDR(&message) != nullptr);
  int number = -1;
  std::memcpy(&number, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof number);
  const sys::Fd received(number);
  far_end.reset();
  REQUIRE(write(received.get(), "through\n", 8) == 8);
  CHECK(carried.read_line(1s) == "through");
}

TEST_CASE("a descriptor for nobody is an error") {
  auto [ours, theirs] = sys::make_socket_pair();
  theirs.reset();
  CHECK_THROWS_AS(ours.send_with("here", 0, 1s), base::Error);
}
