#include "hrvm/launch/qmp.hpp"

#include "hrvm/base/error.hpp"
#include "unit/launch/player.hpp"

using namespace hrvm;
using namespace std::chrono_literals;
using launch::Qmp;
using launch::testing::Player;

namespace {

constexpr auto greeting = R"({"QMP": {"version": {}, "capabilities": []}})";
constexpr auto done = R"({"return": {}})";

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
