#include "hrvm/machine/retention.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <unordered_set>

#include "hrvm/base/words.hpp"

namespace hrvm::machine {
namespace {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::seconds;

using Quarters = std::chrono::duration<std::int64_t, std::ratio<900>>;
using Hours = std::chrono::duration<std::int64_t, std::ratio<3600>>;

// A time as the rules see it: elapsed, and on the calendar.
struct Moment {
  base::Time utc;
  std::chrono::sys_days date;  // of the clock on the wall
};

std::chrono::year_month_day calendar(const Moment& moment) { return {moment.date}; }

// The day that every week is known by: the year of an ISO week is that of its Thursday.
std::chrono::sys_days thursday_of(const Moment& moment) {
  const std::chrono::weekday weekday(moment.date);
  return moment.date + days(4) - days(weekday.iso_encoding());
}

// What two moments of one period have in common.
std::int64_t period_of(Period kind, const Moment& moment) {
  const auto date = calendar(moment);
  switch (kind) {
    case Period::frequent:
      return floor<Quarters>(moment.utc.time_since_epoch()).count();
    case Period::hourly:
      return floor<Hours>(moment.utc.time_since_epoch()).count();
    case Period::daily:
      return moment.date.time_since_epoch().count();
    case Period::weekly:
      return thursday_of(moment).time_since_epoch().count();
    case Period::monthly:
      return std::int64_t(int(date.year())) * 12 + unsigned(date.month());
    default:
      return int(date.year());
  }
}

std::string week_text(const Moment& moment) {
  const auto thursday = thursday_of(moment);
  const auto year = std::chrono::year_month_day(thursday).year();
  const auto day_of_year = (thursday - std::chrono::sys_days(year / 1 / 1)).count();
  return fmt::format("{:04}-W{:02}", int(year), day_of_year / 7 + 1);
}

std::string period_text(Period kind, const Moment& moment) {
  const auto date = calendar(moment);
  const int year(date.year());
  const unsigned month(date.month()), day(date.day());
  switch (kind) {
    case Period::frequent:
      return base::format_time(floor<Quarters>(moment.utc)).substr(0, 16);
    case Period::hourly:
      return base::format_time(moment.utc).substr(0, 13);
    case Period::daily:
      return fmt::format("{:04}-{:02}-{:02}", year, month, day);
    case Period::weekly:
      return week_text(moment);
    case Period::monthly:
      return fmt::format("{:04}-{:02}", year, month);
    default:
      return fmt::format("{:04}", year);
  }
}

// A verdict, and the moment that it is about where that counts.
struct Place {
  Verdict* verdict;
  Moment moment;
};

void keep(Verdict& verdict, std::string why) {
  verdict.keep = true;
  verdict.because.push_back(std::move(why));
}

void keep_last(std::vector<Place>& newest_first, std::uint64_t count) {
  for (auto& place : newest_first) {
    if (count-- == 0) return;
    keep(*place.verdict, std::string(base::word(Period::last)));
  }
}

void keep_periods(std::vector<Place>& newest_first, Period kind, std::uint64_t count) {
  std::unordered_set<std::int64_t> seen;
  for (auto& place : newest_first) {
    const auto period = period_of(kind, place.moment);
    if (seen.contains(period)) continue;
    if (seen.size() >= count) return;
    seen.insert(period);
    keep(*place.verdict, fmt::format("{} {}", base::word(kind), period_text(kind, place.moment)));
  }
}

void apply_rules(std::vector<Place>& newest_first, const KeepCounts& counts) {
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const auto kind = Period(i);
    kind == Period::last ? keep_last(newest_first, counts[i]) : keep_periods(newest_first, kind, counts[i]);
  }
}

// Those of one time stay as they stood, turned round.
std::vector<std::size_t> newest_first(const std::vector<RetentionCandidate>& candidates) {
  std::vector<std::size_t> order(candidates.size());
  std::iota(order.rbegin(), order.rend(), std::size_t(0));
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return candidates[a].created > candidates[b].created; });
  return order;
}

}  // namespace

std::vector<Verdict> plan_retention(const std::vector<RetentionCandidate>& candidates,
                                    const RetentionRequest& request) {
  std::vector<Verdict> verdicts;
  verdicts.reserve(candidates.size());  // places point into it
  std::vector<Place> counted;
  const auto order = newest_first(candidates);
  for (const auto index : order) {
    const auto& each = candidates[index];
    auto& verdict = verdicts.emplace_back(Verdict{each.name, each.created, each.is_auto});
    const auto offset = request.utc_offset ? request.utc_offset(each.created) : seconds(0);
    if (!each.is_auto && !request.all)
      keep(verdict, std::string(not_automatic));
    else if (each.created > request.now + clock_tolerance)
      keep(verdict, std::string(from_the_future));
    else
      counted.push_back({&verdict, {each.created, floor<days>(each.created + offset)}});
  }
  apply_rules(counted, request.counts);
  for (std::size_t i = 0; i < order.size(); ++i)
    if (const auto& needed = candidates[order[i]].needed; !needed.empty()) keep(verdicts[i], needed);
  return verdicts;
}

}  // namespace hrvm::machine
