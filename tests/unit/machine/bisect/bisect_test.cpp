#include "hrvm/machine/bisect.hpp"

#include <catch2/catch.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "hrvm/base/error.hpp"
#include "hrvm/base/json.hpp"

namespace hrvm::machine {
namespace {

std::string id_of(std::string_view name) { return fmt::format("{:016x}", std::hash<std::string_view>{}(name)); }

Snapshot snapshot(const std::string& name, std::optional<std::string> parent, int hour) {
  Snapshot made;
  made.name = name;
  made.parent = std::move(parent);
  made.layer = id_of(name);
  made.created = base::Time(std::chrono::hours(hour));
  return made;
}

// s1 lies on the base, s2 on s1, …; the current state on the last.
Machine row(std::size_t count) {
  Machine machine{"web", "/store/web", 1, {}};
  std::optional<std::string> last;
  for (std::size_t i = 1; i <= count; ++i) {
    machine.definition.snapshots.push_back(snapshot(fmt::format("s{}", i), last, int(i)));
    last = machine.definition.snapshots.back().name;
  }
  machine.definition.active.layer = id_of("active");
  machine.definition.active.head = last;
  return machine;
}

// s1 – s2 – s3 – s4 is the current state's way; a1 – a2 lie on s2, made after s4.
Machine branches() {
  auto machine = row(4);
  machine.definition.snapshots.push_back(snapshot("a1", "s2", 10));
  machine.definition.snapshots.push_back(snapshot("a2", "a1", 11));
  return machine;
}

Bisect begin(const Machine& machine, std::optional<std::string> bad = {}, std::optional<std::string> good = {},
             bool by_time = false) {
  return begin_bisect(machine, {std::move(bad), std::move(good), by_time}, {});
}

std::vector<std::string> names(const Bisect& bisect) {
  std::vector<std::string> all;
  for (const auto& state : bisect.states) all.push_back(state.name);
  return all;
}
using Names = std::vector<std::string>;

void say(Bisect& bisect, std::size_t index, BisectVerdict verdict) {
  add_verdict(bisect, {bisect.states[index].layer, verdict});
}

std::string usage(const std::function<void()>& does) try {
  does();
  return "nothing was thrown";
} catch (const base::Error& error) {
  return error.kind() == base::ErrorKind::usage ? error.message() : "another kind of error";
}

// What the search comes to, where the state `broken` and all after it are bad, and some cannot be tested.
struct Searched {
  BisectStanding standing;
  unsigned tests = 0;
};
Searched search(Bisect bisect, std::size_t broken, const std::set<std::size_t>& untestable = {}) {
  for (unsigned tests = 0;; ++tests) {
    const auto now = standing(bisect);
    if (!now.next) return {now, tests};
    REQUIRE(tests < bisect.states.size());
    say(bisect, *now.next,
        untestable.contains(*now.next) ? BisectVerdict::skip
        : *now.next >= broken          ? BisectVerdict::bad
                                       : BisectVerdict::good);
  }
}

}  // namespace

TEST_CASE("the states are those from the good one to the bad one, both named or not") {
  CHECK(names(begin(row(3))) == Names{"base", "s1", "s2", "s3", "current"});
  CHECK(names(begin(row(3), "s3")) == Names{"base", "s1", "s2", "s3"});
  CHECK(names(begin(row(3), "s3", "s1")) == Names{"s1", "s2", "s3"});
  CHECK(names(begin(row(0))) == Names{"base", "current"});
  CHECK(names(begin(branches(), "a2", "s1")) == Names{"s1", "s2", "a1", "a2"});
  CHECK_FALSE(begin(row(3)).begins_at_fork());
}

TEST_CASE("a snapshot that is called base or current is meant before the word") {
  auto machine = row(2);
  machine.definition.snapshots.push_back(snapshot("base", "s2", 3));
  machine.definition.active.head = "base";
  CHECK(names(begin(machine, std::nullopt, "base")) == Names{"base", "current"});
  CHECK(begin(machine, std::nullopt, "base").good.layer == id_of("base"));
  CHECK(begin(machine).good.layer.empty());
}

TEST_CASE("a good state elsewhere in the tree has what both lie on tested first") {
  auto bisect = begin(branches(), std::nullopt, "a2");
  REQUIRE(bisect.begins_at_fork());
  CHECK(names(bisect) == Names{"s2", "s3", "s4", "current"});
  CHECK(standing(bisect).next == std::size_t(0));

  auto good = bisect;
  say(good, 0, BisectVerdict::good);
  CHECK(standing(good).next == std::size_t(1));
  auto unknown = bisect;
  say(unknown, 0, BisectVerdict::skip);
  CHECK(standing(unknown).next == std::size_t(1));
  say(bisect, 0, BisectVerdict::bad);
  CHECK(standing(bisect).end == BisectStanding::End::mended);
}

TEST_CASE("by time all snapshots in between take part, whatever they lie on") {
  CHECK(names(begin(branches(), "a1", "s3", true)) == Names{"s3", "s4", "a1"});
  CHECK(names(begin(branches(), std::nullopt, "s4", true)) == Names{"s4", "a1", "a2", "current"});
  CHECK(usage([] { begin(branches(), "s3", "a1", true); }) == "s3 is older than a1: what is good has to come first");
}

TEST_CASE("a layer without a name takes no part: nobody knows it") {
  auto machine = row(3);
  machine.definition.snapshots[1].name = machine.definition.snapshots[2].parent.emplace("~00000000000000c1");
  CHECK(names(begin(machine)) == Names{"base", "s1", "s3", "current"});
  CHECK(names(begin(machine, "s3", "s1", true)) == Names{"s1", "s3"});
}

TEST_CASE("there is nothing to look for between a state and itself, upside down, or without anything in common") {
  CHECK(usage([] { begin(row(3), "s2", "s2"); }) == "s2 cannot be both good and bad");
  CHECK(usage([] { begin(row(3), "s1", "s3"); }) == "s3 lies on s1: what is good has to come first");
  CHECK(usage([] { begin(row(3), "base", "s3"); }) == "s3 lies on base: what is good has to come first");
  auto machine = row(2);
  machine.definition.snapshots.push_back(snapshot("other", std::nullopt, 5));
  CHECK(usage([&] { begin(machine, "s2", "other"); }) == "other and s2 have nothing but the base in common");
  CHECK_THROWS_AS(begin(row(2), "s9"), base::Error);
}

TEST_CASE("the first bad one is found, in as many tests as halving takes") {
  for (std::size_t count : {0u, 1u, 2u, 3u, 7u, 16u, 100u}) {
    const auto bisect = begin(row(count));
    const auto most = tests_left(standing(bisect));
    CHECK(most == unsigned(std::bit_width(count)));
    for (std::size_t broken = 1; broken <= count + 1; ++broken) {
      const auto [end, tests] = search(bisect, broken);
      INFO(count << " snapshots, " << broken << " breaks");
      REQUIRE(end.end == BisectStanding::End::found);
      REQUIRE(end.bad == broken);
      REQUIRE(end.candidates == std::vector<std::size_t>{broken});
      REQUIRE(tests <= most);
    }
  }
}

TEST_CASE("of sixteen snapshots the eleventh is found in four tests, and with five that cannot be tested in seven") {
  const auto bisect = begin(row(16));
  CHECK(search(bisect, 11).tests == 4);
  // Each five of those that are not needed to tell.
  std::vector<std::size_t> others{1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 14, 15, 16};
  std::string chosen(9, '0');
  chosen += "11111";
  unsigned most = 0;
  do {
    std::set<std::size_t> untestable;
    for (std::size_t i = 0; i < others.size(); ++i)
      if (chosen[i] == '1') untestable.insert(others[i]);
    const auto found = search(bisect, 11, untestable);
    REQUIRE(found.standing.end == BisectStanding::End::found);
    most = std::max(most, found.tests);
  } while (std::next_permutation(chosen.begin(), chosen.end()));
  CHECK(most <= 7);
}

TEST_CASE("a long row of states that cannot be tested costs a few tests, and not one for each") {
  std::set<std::size_t> untestable;
  for (std::size_t at = 400; at < 600; ++at) untestable.insert(at);
  unsigned most = 0;
  for (std::size_t broken : {1u, 200u, 399u, 601u, 800u, 1000u, 1001u})
    most = std::max(most, search(begin(row(1000)), broken, untestable).tests);
  CHECK(most <= 21);
}

TEST_CASE("where only some are left that cannot be tested, each of them may be the first bad one") {
  const auto found = search(begin(row(8)), 5, {4, 5, 6});
  CHECK(found.standing.end == BisectStanding::End::only_skipped);
  CHECK(found.standing.candidates == std::vector<std::size_t>{4, 5, 6, 7});
  // Whatever cannot be tested, the search ends, and does not miss it.
  for (unsigned mask = 0; mask < 256; ++mask)
    for (std::size_t broken = 1; broken <= 9; ++broken) {
      std::set<std::size_t> untestable;
      for (std::size_t i = 0; i < 8; ++i)
        if (mask >> i & 1) untestable.insert(i + 1);
      const auto [end, tests] = search(begin(row(8)), broken, untestable);
      REQUIRE(std::ranges::count(end.candidates, broken) == 1);
      REQUIRE((end.end == BisectStanding::End::found) == (end.candidates.size() == 1));
    }
}

TEST_CASE(
    "a verdict that contradicts another is refused, and changes nothing; a second one of a state replaces the first") {
  auto bisect = begin(row(8));
  say(bisect, 4, BisectVerdict::bad);
  CHECK(usage([&] { say(bisect, 6, BisectVerdict::good); }) == "s6 cannot be good, as s4 is bad, which is older");
  CHECK(usage([&] { say(bisect, 9, BisectVerdict::good); }) == "current is what the search began with as bad");
  CHECK(usage([&] { say(bisect, 0, BisectVerdict::bad); }) == "base is what the search began with as good");
  CHECK(bisect.tests.size() == 1);
  say(bisect, 4, BisectVerdict::good);
  CHECK(standing(bisect).good == 4);
}

TEST_CASE("a state goes by the name that its snapshot has by now") {
  auto machine = row(3);
  const auto bisect = begin(machine);
  machine.definition.snapshots[1].name = "before-upgrade";
  machine.definition.snapshots[2].parent = "before-upgrade";
  CHECK(find_state(bisect, machine, "before-upgrade").layer == id_of("s2"));
  CHECK(find_state(bisect, machine, "s2").layer == id_of("s2"));
  CHECK(name_of(bisect.states[2], machine.definition) == "before-upgrade");
  CHECK_THROWS_AS(find_state(bisect, machine, "s7"), base::Error);
}

TEST_CASE("what is written is what is read") {
  auto bisect = begin(branches(), std::nullopt, "a2");
  bisect.began = base::Time(std::chrono::seconds(1'700'000'000));
  add_verdict(bisect,
              {bisect.states[0].layer, BisectVerdict::good, bisect.began, 0, std::chrono::seconds(12), "it is up"});
  say(bisect, 1, BisectVerdict::skip);
  const auto text = base::to_text(to_json(bisect));
  const auto read = bisect_from_json(base::parse_json(text, "bisect.json"), "bisect.json");
  CHECK(base::to_text(to_json(read)) == text);
  CHECK(read.states == bisect.states);
  CHECK(read.begins_at_fork());
}

TEST_CASE("a file that makes no sense is refused by the member that is wrong") {
  const auto bisect = begin(row(3));
  const auto broken = [&](std::string_view from, std::string_view to) -> std::string {
    auto text = base::to_text(to_json(bisect), -1);
    text.replace(text.find(from), from.size(), to);
    try {
      bisect_from_json(base::parse_json(text, "bisect.json"), "bisect.json");
      return "";
    } catch (const base::Error& error) {
      return error.message();
    }
  };
  CHECK(broken("\"s2\"", "\"../s2\"").find("states[2].name") != std::string::npos);
  CHECK(broken(id_of("s1"), "../../etc").find("states[1].layer") != std::string::npos);
  CHECK(broken("hrvm.bisect/1", "hrvm.bisect/2") != "");
  CHECK(broken("\"tests\":[]", "\"tests\":[{\"layer\":\"" + id_of("active") +
                                   "\",\"verdict\":\"good\",\"when\":\"2026-01-01T00:00:00Z\",\"status\":null,"
                                   "\"seconds\":null,\"seen\":\"\"}]")
            .find("began with as bad") != std::string::npos);
}

}  // namespace hrvm::machine
