// bisect: what is said at each turn, and what is refused.
#include <catch2/catch.hpp>

#include <fmt/core.h>

#include <filesystem>
#include <fstream>

#include "cli/machine_fixture.hpp"

using namespace hrvm;
using test::MachineStore;

static void make_row(MachineStore& store, int count) {
  store.add("web");
  for (int i = 1; i <= count; ++i) {
    store.guest_writes("web", 4 << 20, char('a' + i));
    store.snapshot("web", fmt::format("s{}", i));
    store.host().now += std::chrono::hours(1);
  }
}

static void run_all(test::Transcript& transcript, const std::vector<std::vector<std::string>>& lines) {
  for (const auto& words : lines) transcript.run(words);
}

TEST_CASE("a search by hand says at each turn what to test, and what was found") {
  MachineStore store;
  make_row(store, 6);
  auto transcript = store.transcript("bisect/by_hand");
  run_all(transcript, {
                          {"bisect", "start", "web"},
                          {"bisect", "good", "web"},
                          {"bisect", "status", "web"},
                          {"bisect", "bad", "web", "web@s5"},
                          {"bisect", "skip", "web"},
                          {"bisect", "status", "web", "--plain"},
                          {"bisect", "bad", "web", "s4"},
                          {"bisect", "status", "web", "--json"},
                          {"bisect", "log", "web"},
                          {"bisect", "good", "web"},
                          {"bisect", "reset", "web"},
                          {"bisect", "reset", "web"},
                      });
  transcript.check();
}

TEST_CASE("what cannot be searched for is refused, with what can") {
  MachineStore store;
  make_row(store, 3);
  store.revert("web", "s1");
  store.snapshot("web", "branch");
  auto transcript = store.transcript("bisect/refused");
  run_all(transcript, {
                          {"bisect", "good", "web"},
                          {"bisect", "run", "web"},
                          {"bisect", "start", "web@s1"},
                          {"bisect", "start", "web", "s1", "s3"},
                          {"bisect", "start", "web", "s2", "s2"},
                          {"bisect", "start", "web", "s22"},
                          {"bisect", "start", "web", "other@s2"},
                          {"bisect", "start", "web", "s3", "s2", "s1"},
                          {"bisect", "start", "web", "s3", "branch"},
                          {"bisect", "start", "web"},
                          {"bisect", "good", "web", "branch"},
                          {"bisect", "run", "web", "--wait-for", "x", "--", "true"},
                          {"bisect", "run", "web", "--boot"},
                          {"bisect", "run", "web", "--fail-on", "*("},
                          {"snapshot", "delete", "web@s2", "--yes"},
                          {"bisect", "bad", "web"},
                          {"bisect", "good", "web"},
                      });
  transcript.check();
}

TEST_CASE("a log is taken up again as it was, and a wrong line of it is named") {
  MachineStore store;
  make_row(store, 6);
  store.run({"bisect", "start", "web", "s6", "s1"});
  store.run({"bisect", "good", "web", "s3"});
  store.run({"bisect", "bad", "web", "s5"});
  store.host().out.str("");
  REQUIRE(store.run({"bisect", "log", "web"}) == 0);
  const auto before = store.json({"bisect", "status", "web"});
  store.host().out.str("");
  store.run({"bisect", "log", "web"});
  const auto log = store.host().out.str();
  const auto file = store.folder() / "log";
  std::ofstream(file) << log;
  store.run({"bisect", "reset", "web"});
  const auto after = store.json({"bisect", "replay", "web", file.string()});
  for (const auto* member : {"good", "bad", "candidates", "next", "tests_left"}) CHECK(after[member] == before[member]);

  auto transcript = store.transcript("bisect/replay");
  for (const auto* text : {"bisect start web s6 s1\nbisect god web s3\n", "good web s3\n", "# nothing\n\n",
                           "start web s6 s1\ngood web s3\nbad web s2\n", "start\n", "start web s9\n"}) {
    std::ofstream(file) << text;
    transcript.run({"bisect", "replay", "web", file.string()});
  }
  CHECK(store.json({"bisect", "status", "web"})["candidates"] == before["candidates"]);
  std::filesystem::resize_file(store.machine("web").folder / "bisect.json", 40);
  transcript.run({"bisect", "status", "web"});
  transcript.run({"bisect", "reset", "web"});
  transcript.check();
}
