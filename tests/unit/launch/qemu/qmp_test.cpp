#include "hrvm/launch/qmp.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <thread>

#include "hrvm/base/error.hpp"
#include "support/temporary_directory.hpp"

using namespace hrvm;
using namespace std::chrono_literals;
using launch::Qmp;

namespace {

constexpr auto greeting = R"({"QMP": {"version": {}, "capabilities": []}})";
constexpr auto done = R"({"return": {}})";

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

}  // namespace

TEST_CASE("QMP: an order is answered, and events on the way are kept") {
  Player qemu({greeting, done,
               R"({"event": "STOP", "data": {}})"
               "\r\n"
               R"({"return": {"status": "paused"}})"});
  auto qmp = Qmp::connect(qemu.path, 1s);
  REQUIRE(qmp);
  CHECK(qmp->execute("query-status", base::Json::object(), 1s)["status"].text() == "paused");
  CHECK(qemu.heard.find(R"("execute":"query-status")") != std::string::npos);
  CHECK((*qmp->next_event(1s))["event"].text() == "STOP");
  CHECK_FALSE(qmp->next_event(10ms));
}

TEST_CASE("QMP: a refusal has QEMU's words") {
  Player qemu({greeting, done, R"({"error": {"class": "GenericError", "desc": "no such thing"}})"});
  auto qmp = Qmp::connect(qemu.path, 1s);
  REQUIRE(qmp);
  CHECK_THROWS_WITH(qmp->execute("frob", base::Json::object(), 1s), "QEMU refused frob: no such thing");
}

TEST_CASE("QMP: nobody is waited for beyond the limit") {
  Player silent({});
  const auto start = std::chrono::steady_clock::now();
  CHECK_FALSE(Qmp::connect(silent.path, 50ms));
  CHECK(std::chrono::steady_clock::now() - start < 10s);

  Player slow({greeting, done});
  auto qmp = Qmp::connect(slow.path, 1s);
  REQUIRE(qmp);
  CHECK_THROWS_AS(qmp->execute("query-status", base::Json::object(), 50ms), base::Error);
}

TEST_CASE("QMP: a server that speaks something else is not QEMU") {
  for (const auto* words : {"SSH-2.0-OpenSSH_9.2", "{\"hello\": 1}", "[1", ""}) {
    CAPTURE(words);
    Player other({words, done});
    CHECK_FALSE(Qmp::connect(other.path, 200ms));
  }
}
