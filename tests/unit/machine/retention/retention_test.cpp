// Which snapshots stay.
#include "hrvm/machine/retention.hpp"

#include <catch2/catch.hpp>
#include <random>

#include "hrvm/base/words.hpp"
#include "unit/machine/sample_machine.hpp"

using namespace hrvm;
using namespace hrvm::machine;
using hrvm::machine::testing::at;
using Names = std::vector<std::string>;
using std::chrono::hours;
using std::chrono::seconds;

namespace {

const auto now = at("2026-11-28T16:20:00Z");

RetentionRequest request(std::vector<std::pair<Period, std::uint64_t>> counts) {
  RetentionRequest request{.counts = {}, .now = now};
  for (const auto& [period, count] : counts) request.counts[std::size_t(period)] = count;
  return request;
}

// Named by their times.
std::vector<RetentionCandidate> at_times(const Names& times) {
  std::vector<RetentionCandidate> all;
  for (const auto& time : times) all.push_back({time, at(time), true});
  return all;
}

Names kept(const std::vector<Verdict>& verdicts) {
  Names names;
  for (const auto& verdict : verdicts)
    if (verdict.keep) names.push_back(verdict.name);
  return names;
}

Names because(const std::vector<Verdict>& verdicts, const std::string& name) {
  for (const auto& verdict : verdicts)
    if (verdict.name == name) return verdict.because;
  return {"no such snapshot"};
}

// As in Berlin in 2026.
seconds summer_time(base::Time time) {
  return time >= at("2026-03-29T01:00:00Z") && time < at("2026-10-25T01:00:00Z") ? hours(2) : hours(1);
}

// At such times as a timer that is late, stops for a while, and goes by a clock that is set makes them.
std::vector<RetentionCandidate> random_history(std::mt19937& random, std::size_t count) {
  std::vector<RetentionCandidate> all;
  auto time = at("2025-10-01T00:00:00Z");
  for (std::size_t i = 0; i < count; ++i) {
    const auto kind = random() % 50;
    time += kind == 0 ? hours(random() % 900) : kind == 1 ? -hours(random() % 30) : seconds(random() % 1200);
    all.push_back({"s" + std::to_string(i), time, random() % 10 != 0, random() % 40 == 0 ? "needed for undo" : ""});
  }
  return all;
}

}  // namespace

TEST_CASE("a rule keeps the newest of each period, of the newest periods that hold one") {
  const auto snapshots = at_times({"2026-11-20T10:00:00Z", "2026-11-26T09:00:00Z", "2026-11-26T23:59:59Z",
                                   "2026-11-28T00:00:00Z", "2026-11-28T16:15:00Z"});
  const auto verdicts = plan_retention(snapshots, request({{Period::daily, 3}}));
  CHECK(kept(verdicts) == Names{"2026-11-28T16:15:00Z", "2026-11-26T23:59:59Z", "2026-11-20T10:00:00Z"});
  CHECK(because(verdicts, "2026-11-26T23:59:59Z") == Names{"daily 2026-11-26"});
  CHECK(because(verdicts, "2026-11-26T09:00:00Z").empty());
  CHECK(verdicts.front().name == "2026-11-28T16:15:00Z");
  CHECK(verdicts.back().name == "2026-11-20T10:00:00Z");
}

TEST_CASE("a snapshot stays when any rule keeps it, and all that do are named") {
  const auto snapshots = at_times({"2025-12-31T23:59:00Z", "2026-10-05T12:00:00Z", "2026-11-28T15:50:00Z",
                                   "2026-11-28T16:01:00Z", "2026-11-28T16:14:59Z", "2026-11-28T16:15:00Z"});
  const auto verdicts = plan_retention(snapshots, request({{Period::last, 1},
                                                           {Period::frequent, 2},
                                                           {Period::hourly, 2},
                                                           {Period::daily, 1},
                                                           {Period::weekly, 1},
                                                           {Period::monthly, 2},
                                                           {Period::yearly, 2}}));
  CHECK(because(verdicts, "2026-11-28T16:15:00Z") == Names{"last", "frequent 2026-11-28T16:15", "hourly 2026-11-28T16",
                                                           "daily 2026-11-28", "weekly 2026-W48", "monthly 2026-11",
                                                           "yearly 2026"});
  CHECK(because(verdicts, "2026-11-28T16:14:59Z") == Names{"frequent 2026-11-28T16:00"});
  CHECK(because(verdicts, "2026-11-28T16:01:00Z").empty());
  CHECK(because(verdicts, "2026-11-28T15:50:00Z") == Names{"hourly 2026-11-28T15"});
  CHECK(because(verdicts, "2026-10-05T12:00:00Z") == Names{"monthly 2026-10"});
  CHECK(because(verdicts, "2025-12-31T23:59:00Z") == Names{"yearly 2025"});
}

TEST_CASE("the hour that comes twice is two hours, and the day that has it is one") {
  auto asked = request({{Period::hourly, 10}});
  asked.utc_offset = summer_time;
  const auto twice = at_times({"2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"});  // 02:30 and 02:30
  CHECK(kept(plan_retention(twice, asked)).size() == 2);
  asked.counts = {};
  asked.counts[std::size_t(Period::daily)] = 10;
  CHECK(kept(plan_retention(twice, asked)) == Names{"2026-10-25T01:30:00Z"});
}

TEST_CASE("days, months and years are those of the clock on the wall") {
  auto asked = request({{Period::daily, 10}, {Period::monthly, 10}, {Period::yearly, 10}});
  asked.now = at("2027-01-02T00:00:00Z");
  asked.utc_offset = summer_time;
  const auto verdicts = plan_retention(at_times({"2026-12-31T22:59:59Z", "2026-12-31T23:00:00Z"}), asked);
  CHECK(because(verdicts, "2026-12-31T23:00:00Z") == Names{"daily 2027-01-01", "monthly 2027-01", "yearly 2027"});
  CHECK(because(verdicts, "2026-12-31T22:59:59Z") == Names{"daily 2026-12-31", "monthly 2026-12", "yearly 2026"});
}

TEST_CASE("a week goes from Monday on, and belongs to the year of its Thursday") {
  const std::vector<std::pair<std::string, std::string>> weeks = {
      {"2024-12-29T23:59:59Z", "2024-W52"}, {"2024-12-30T00:00:00Z", "2025-W01"}, {"2025-12-28T12:00:00Z", "2025-W52"},
      {"2025-12-29T00:00:00Z", "2026-W01"}, {"2026-01-04T23:59:59Z", "2026-W01"}, {"2026-01-05T00:00:00Z", "2026-W02"},
      {"2020-12-31T12:00:00Z", "2020-W53"}, {"2021-01-03T12:00:00Z", "2020-W53"}, {"2021-01-04T12:00:00Z", "2021-W01"},
      {"1969-12-31T12:00:00Z", "1970-W01"}, {"1969-12-28T12:00:00Z", "1969-W52"}};
  for (const auto& [time, week] : weeks) {
    INFO(time);
    CHECK(because(plan_retention(at_times({time}), request({{Period::weekly, 1}})), time) == Names{"weekly " + week});
  }
}

TEST_CASE("before the epoch, too, an hour begins where it begins") {
  const auto snapshots = at_times({"1969-12-31T22:59:59Z", "1969-12-31T23:00:00Z", "1969-12-31T23:59:59Z"});
  const auto verdicts = plan_retention(snapshots, request({{Period::hourly, 9}}));
  CHECK(because(verdicts, "1969-12-31T23:59:59Z") == Names{"hourly 1969-12-31T23"});
  CHECK(because(verdicts, "1969-12-31T23:00:00Z").empty());
  CHECK(because(verdicts, "1969-12-31T22:59:59Z") == Names{"hourly 1969-12-31T22"});
  const auto about_the_epoch = at_times({"1969-12-31T23:50:00Z", "1970-01-01T00:10:00Z"});
  CHECK(kept(plan_retention(about_the_epoch, request({{Period::frequent, 9}}))).size() == 2);
}

TEST_CASE("what is from the future stays, and takes nobody's place") {
  const auto snapshots =
      at_times({"2026-11-28T16:20:00Z", "2026-11-28T16:21:00Z", "2026-11-28T16:21:01Z", "2027-11-28T16:20:00Z"});
  const auto verdicts = plan_retention(snapshots, request({{Period::last, 1}}));
  CHECK(because(verdicts, "2027-11-28T16:20:00Z") == Names{"future"});
  CHECK(because(verdicts, "2026-11-28T16:21:01Z") == Names{"future"});
  CHECK(because(verdicts, "2026-11-28T16:21:00Z") == Names{"last"});
  CHECK(because(verdicts, "2026-11-28T16:20:00Z").empty());
}

TEST_CASE("of two of the same time the later in the list is the newer") {
  const auto time = at("2026-11-28T16:00:00Z");
  const auto verdicts = plan_retention({{"parent", time, true}, {"child", time, true}}, request({{Period::last, 1}}));
  CHECK(verdicts.front().name == "child");
  CHECK(kept(verdicts) == Names{"child"});
}

TEST_CASE("a person's snapshots stay and do not count, unless all are meant") {
  std::vector<RetentionCandidate> snapshots = {{"auto", at("2026-11-28T10:00:00Z"), true},
                                               {"mine", at("2026-11-28T11:00:00Z"), false}};
  auto asked = request({{Period::daily, 5}});
  auto verdicts = plan_retention(snapshots, asked);
  CHECK(because(verdicts, "mine") == Names{"not made by --auto"});
  CHECK(because(verdicts, "auto") == Names{"daily 2026-11-28"});
  asked.all = true;
  verdicts = plan_retention(snapshots, asked);
  CHECK(kept(verdicts) == Names{"mine"});
}

TEST_CASE("what is needed stays, and counts") {
  const std::vector<RetentionCandidate> snapshots = {{"old", at("2026-11-28T10:00:00Z"), true},
                                                     {"held", at("2026-11-28T11:00:00Z"), true, "needed for undo"}};
  const auto verdicts = plan_retention(snapshots, request({{Period::daily, 5}}));
  CHECK(because(verdicts, "held") == Names{"daily 2026-11-28", "needed for undo"});
  CHECK(because(verdicts, "old").empty());
}

TEST_CASE("a day that the clock comes back to is the same day") {
  // Four minutes after midnight the clock was set back into the evening, as it was in St. John's.
  auto asked = request({{Period::daily, 9}});
  asked.now = at("2026-11-02T00:00:00Z");
  asked.utc_offset = [](base::Time time) { return time < at("2026-11-01T00:04:00Z") ? hours(0) : -hours(1); };
  const auto snapshots =
      at_times({"2026-10-31T23:30:00Z", "2026-11-01T00:03:00Z", "2026-11-01T00:30:00Z", "2026-11-01T02:00:00Z"});
  const auto verdicts = plan_retention(snapshots, asked);
  CHECK(kept(verdicts) == Names{"2026-11-01T02:00:00Z", "2026-11-01T00:30:00Z"});
}

TEST_CASE("a run whose result nothing was added to removes nothing, and a rule more keeps no less") {
  std::mt19937 random(20261128);
  for (int run = 0; run < 60; ++run) {
    auto history = random_history(random, 400);
    RetentionRequest asked{.counts = {}, .now = history.back().created, .utc_offset = summer_time};
    for (auto& count : asked.counts) count = random() % 8;
    const auto first = plan_retention(history, asked);
    const auto stays = kept(first);
    std::erase_if(history,
                  [&](const auto& each) { return std::find(stays.begin(), stays.end(), each.name) == stays.end(); });
    const auto second = plan_retention(history, asked);
    CHECK(kept(second) == stays);
    for (const auto& verdict : second) CHECK(verdict.because == because(first, verdict.name));
    for (auto& count : asked.counts) ++count;
    CHECK(kept(plan_retention(history, asked)) == stays);
  }
}

TEST_CASE("no snapshots, no verdicts") { CHECK(plan_retention({}, {}).empty()); }
