#include "launch/qemu/guest_agent.hpp"

#include "hrvm/base/error.hpp"
#include "unit/launch/player.hpp"

using namespace hrvm;
using namespace std::chrono_literals;
using launch::GuestAgent;
using launch::testing::Player;

namespace {

constexpr auto synchronised = "\xff{\"return\": 7}";

base::Error refusal_of(const std::string& answer) {
  Player guest({"", synchronised, answer});
  auto agent = GuestAgent::connect(guest.path, 7, 1s);
  REQUIRE(agent);
  try {
    agent->execute("guest-fsfreeze-freeze", 200ms);
  } catch (const base::Error& error) {
    return error;
  }
  return base::Error(base::ErrorKind::usage, "accepted");
}

}  // namespace

TEST_CASE("a guest's agent is asked for the number that was drawn, and what it said before is left behind") {
  Player guest({R"({"return": "frozen"})", std::string("{\"return\": 3}\n\x01half of {\n") + synchronised,
                R"({"return": "thawed"})"});
  auto agent = GuestAgent::connect(guest.path, 7, 1s);
  REQUIRE(agent);
  CHECK(agent->execute("guest-fsfreeze-status", 1s).text() == "thawed");
  CHECK(guest.heard.find(R"("execute":"guest-sync-delimited","arguments":{"id":7})") != std::string::npos);
}

TEST_CASE("a guest that does not answer, or not to what was asked, has no agent") {
  for (const auto* words : {"", "login: ", "{\"return\": 8}", "{\"return\": \"7\"}", "[7]", "{\"error\": 1}"}) {
    CAPTURE(words);
    Player guest({"", words});
    const auto start = std::chrono::steady_clock::now();
    CHECK_FALSE(GuestAgent::connect(guest.path, 7, 100ms));
    CHECK(std::chrono::steady_clock::now() - start < 10s);
  }
  CHECK_FALSE(GuestAgent::connect("/nowhere", 7, 100ms));
}

TEST_CASE("what a guest's agent says reaches no terminal as it is, and not at any length") {
  const auto refused = refusal_of(R"({"error": {"desc": "\u001b[2Jno"}})");
  CHECK(refused.kind() == base::ErrorKind::external);
  CHECK(refused.message().find('\x1b') == std::string::npos);
  CHECK(refused.message().find("guest-fsfreeze-freeze") != std::string::npos);
  const auto words = std::string(5000, 'x');
  CHECK(refusal_of("{\"error\": {\"desc\": \"" + words + "\"}}").message().size() < 400);
  CHECK(refusal_of("{\"error\": \"no\"}").kind() == base::ErrorKind::external);
}

TEST_CASE("a guest's answer that never comes, or never ends, is not waited for") {
  CHECK(refusal_of("").kind() == base::ErrorKind::io);
  CHECK(refusal_of("not json").kind() == base::ErrorKind::io);
  CHECK(refusal_of(std::string(200'000, 'x')).kind() == base::ErrorKind::corrupt);
}
