#include "launch/live/guest_freeze.hpp"

#include <catch2/catch.hpp>

#include "hrvm/base/error.hpp"
#include "unit/launch/player.hpp"

using namespace hrvm;
using namespace std::chrono_literals;
using launch::Freeze, launch::GuestAgent, launch::GuestFreeze;
using launch::testing::Player;
using machine::Consistency;

namespace {

constexpr auto thawed = R"({"return": "thawed"})", frozen = R"({"return": "frozen"})", two = R"({"return": 2})";
constexpr auto refusal = R"({"error": {"desc": "a filesystem is busy"}})";

// A guest whose agent gives these answers.
struct Guest : Player {
  explicit Guest(const std::vector<std::string>& answers) : Player(lines_of(answers)) {
    agent = GuestAgent::connect(path, 7, 1s);
    REQUIRE(agent);
  }
  static std::vector<std::string> lines_of(const std::vector<std::string>& answers) {
    std::vector<std::string> lines = {"", R"({"return": 7})"};
    lines.insert(lines.end(), answers.begin(), answers.end());
    return lines;
  }
  std::size_t times_asked(std::string_view order) const {
    std::size_t times = 0;
    for (auto at = heard.find(order); at != std::string::npos; at = heard.find(order, at + 1)) ++times;
    return times;
  }
  std::optional<GuestAgent> agent;
};

std::vector<std::string> ids_of(const GuestFreeze& freeze) {
  std::vector<std::string> ids;
  for (const auto& finding : freeze.findings()) ids.push_back(finding.id);
  return ids;
}
using Ids = std::vector<std::string>;

}  // namespace

TEST_CASE("a guest without an agent is kept as a power cut would leave it, which is told, or not at all") {
  GuestFreeze wanted(Freeze::automatic, std::nullopt, "web", "/run/web"),
      unwanted(Freeze::never, std::nullopt, "web", "/run/web");
  for (auto* freeze : {&wanted, &unwanted}) {
    freeze->freeze();
    freeze->thaw();
    CHECK(freeze->consistency() == Consistency::crash);
  }
  CHECK(ids_of(wanted) == Ids{"no-guest-agent"});
  CHECK(ids_of(unwanted).empty());
  CHECK_THROWS_WITH(GuestFreeze(Freeze::require, std::nullopt, "web", "/run/web"), Catch::Contains("guest of web"));
}

TEST_CASE("filesystems that the guest held at rest until it was told to let go are at rest") {
  Guest guest({thawed, two, frozen, two});
  GuestFreeze freeze(Freeze::require, std::move(guest.agent), "web", guest.folder.path());
  freeze.freeze();
  freeze.thaw();
  CHECK(freeze.consistency() == Consistency::frozen);
  CHECK(ids_of(freeze).empty());
  CHECK(guest.times_asked("guest-fsfreeze-thaw") == 1);
}

TEST_CASE("a guest that lets its filesystems go by itself had them at rest for nothing") {
  Guest guest({thawed, two, thawed, two});
  GuestFreeze freeze(Freeze::automatic, std::move(guest.agent), "web", guest.folder.path());
  freeze.freeze();
  freeze.thaw();
  CHECK(freeze.consistency() == Consistency::crash);
  CHECK(ids_of(freeze) == Ids{"freeze-ended"});
}

TEST_CASE("what a freeze had begun that failed is let go again") {
  for (const auto wanted : {Freeze::automatic, Freeze::require}) {
    Guest guest({thawed, refusal, two});
    GuestFreeze freeze(wanted, std::move(guest.agent), "web", guest.folder.path());
    if (wanted == Freeze::require)
      CHECK_THROWS_WITH(freeze.freeze(), Catch::Contains("a filesystem is busy"));
    else
      freeze.freeze();
    CHECK(guest.times_asked("guest-fsfreeze-thaw") == 1);
    CHECK(freeze.consistency() == Consistency::crash);
    if (wanted == Freeze::automatic) CHECK(ids_of(freeze) == Ids{"freeze-failed"});
  }
}

TEST_CASE("a guest that holds no filesystem has frozen nothing") {
  Guest guest({thawed, R"({"return": 0})", R"({"return": 0})"});
  GuestFreeze freeze(Freeze::automatic, std::move(guest.agent), "web", guest.folder.path());
  freeze.freeze();
  CHECK(ids_of(freeze) == Ids{"freeze-failed"});
}

TEST_CASE("filesystems are let go whatever ends the snapshot") {
  Guest guest({thawed, two, frozen, two});
  {
    GuestFreeze freeze(Freeze::require, std::move(guest.agent), "web", guest.folder.path());
    freeze.freeze();
  }
  CHECK(guest.times_asked("guest-fsfreeze-thaw") == 1);
}

TEST_CASE("while a guest stands still there is a mark for who lets it go when we cannot") {
  Guest guest({thawed, two, frozen, two});
  const auto mark = guest.folder / "freezing";
  GuestFreeze freeze(Freeze::require, std::move(guest.agent), "web", guest.folder.path());
  CHECK_FALSE(std::filesystem::exists(mark));
  freeze.freeze();
  CHECK(std::filesystem::exists(mark));
  CHECK_FALSE(sys::Lock::try_take(mark, sys::Lock::Mode::exclusive));
  freeze.thaw();
  CHECK_FALSE(std::filesystem::exists(mark));
}

TEST_CASE("a freeze that was left over is ended before ours begins") {
  Guest guest({frozen, two, two, frozen, two});
  GuestFreeze freeze(Freeze::require, std::move(guest.agent), "web", guest.folder.path());
  freeze.freeze();
  CHECK(guest.heard.find("thaw") < guest.heard.find("guest-fsfreeze-freeze"));
  freeze.thaw();
  CHECK(freeze.consistency() == Consistency::frozen);
  CHECK(guest.times_asked("guest-fsfreeze-thaw") == 2);
}
