// Retention: which snapshots stay, by how many of which periods.
//
// - Each rule (`last` and six kinds of periods) goes from the newest snapshot that counts on, and keeps the newest of
//   each period, of the N newest periods that hold one. Periods that hold none do not count, so that a
//   machine that was off for a year loses nothing by that. `last` has a period for each snapshot.
// - A snapshot stays when any rule keeps it.
// - Quarters of an hour and hours are of elapsed time, in UTC: the hour that comes twice in autumn is two. Days, ISO
//   weeks (from Monday on), months and years are those of the calendar, by the clock on the wall at the time. A period
//   that the clock comes back to is the same one.
// - What counts are snapshots that were made automatically, or all where that is asked for. Others stay.
// - Nothing goes by its age: a clock that is wrong by a year takes nothing away. A snapshot from more than a minute
//   after now stays, and counts for no rule.
// - Of two of the same time the one that stands later in the list is the newer: a child stands behind its parent.
// - What is needed for something else stays, and counts as others do.
//
// So a run whose result nothing was added to removes nothing: the newest of each kept period is there still.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "hrvm/base/time.hpp"

namespace hrvm::machine {

enum class Period { last, frequent, hourly, daily, weekly, monthly, yearly };
constexpr std::array<std::string_view, 7> words_of(Period) {
  return {"last", "frequent", "hourly", "daily", "weekly", "monthly", "yearly"};
}

// How many of each, by Period.
using KeepCounts = std::array<std::uint64_t, 7>;
inline constexpr KeepCounts usual_keep_counts = {0, 4, 24, 31, 8, 12, 0};

// How far after now a snapshot may be, as two clocks are never quite equal.
inline constexpr std::chrono::seconds clock_tolerance{60};

struct RetentionRequest {
  KeepCounts counts = usual_keep_counts;
  bool all = false;  // also those that were not made automatically
  base::Time now{};
  std::function<std::chrono::seconds(base::Time)> utc_offset = {};  // of the clock on the wall; none: UTC
};

struct RetentionCandidate {
  std::string name;
  base::Time created{};
  bool is_auto = false;
  std::string needed = {};  // for what it stays whatever the rules say: "needed for undo"
};

struct Verdict {
  std::string name;
  base::Time created{};
  bool is_auto = false;
  bool keep = false;
  std::vector<std::string> because = {};  // "hourly 2026-11-28T16", "future"; empty where it goes
};

// Of each candidate, the newest first.
std::vector<Verdict> plan_retention(const std::vector<RetentionCandidate>& candidates, const RetentionRequest& request);

inline constexpr std::string_view from_the_future = "future", not_automatic = "not made by --auto";

}  // namespace hrvm::machine
