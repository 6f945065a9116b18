#include <fmt/core.h>

#include <algorithm>
#include <bit>

#include "hrvm/base/error.hpp"
#include "hrvm/machine/bisect.hpp"

namespace hrvm::machine {
namespace {

using base::Error;
using base::ErrorKind;
using Verdicts = std::vector<std::optional<BisectVerdict>>;  // of each state

Verdicts verdicts_of(const Bisect& bisect) {
  Verdicts verdicts(bisect.states.size());
  for (const auto& test : bisect.tests) {
    const auto state = std::ranges::find(bisect.states, test.layer, &BisectState::layer);
    if (state != bisect.states.end()) verdicts[std::size_t(state - bisect.states.begin())] = test.verdict;
  }
  if (!verdicts.back()) verdicts.back() = BisectVerdict::bad;
  if (!verdicts.front() && !bisect.begins_at_fork()) verdicts.front() = BisectVerdict::good;
  return verdicts;
}

struct Bounds {
  std::size_t good = 0, bad = 0;
};

Bounds bounds_of(const Verdicts& verdicts) {
  const auto bad = std::ranges::find(verdicts, BisectVerdict::bad);
  const auto good = std::find(verdicts.rbegin(), verdicts.rend(), BisectVerdict::good);
  return {good == verdicts.rend() ? 0 : std::size_t(verdicts.rend() - good) - 1, std::size_t(bad - verdicts.begin())};
}

std::size_t distance(std::size_t a, std::size_t b) { return a < b ? b - a : a - b; }

std::size_t nearest(const std::vector<std::size_t>& left, std::size_t place) {
  return *std::ranges::min_element(left, {}, [&](std::size_t at) { return distance(at, place); });
}

// The middle. Neighbours of what could not be tested will hardly be better: the next is an eighth of all away from
// such, and still near the middle. Where that did not help either, it is near what could be tested, by turns on both
// sides and by half as far each time.
std::size_t choose(const Verdicts& verdicts, const Bounds& bounds, const std::vector<std::size_t>& left) {
  const auto length = bounds.bad - bounds.good;
  std::vector<std::size_t> skipped;
  for (auto at = bounds.good + 1; at < bounds.bad; ++at)
    if (verdicts[at] == BisectVerdict::skip) skipped.push_back(at);
  constexpr std::size_t many = 4, most_halvings = 32;
  const auto step = length >> std::min(skipped.size() / 2 + 1, most_halvings);
  if (skipped.size() >= many && step > 0)
    return nearest(left, skipped.size() % 2 ? bounds.good + step : bounds.bad - step);
  const auto worth = [&](std::size_t at) {
    const auto rules_out = std::min(at - bounds.good, bounds.bad - at);
    auto apart = std::max<std::size_t>(2, length / 8);
    for (const auto other : skipped) apart = std::min(apart, distance(at, other));
    return rules_out * apart;
  };
  return *std::ranges::max_element(left, {}, worth);
}

}  // namespace

BisectStanding standing(const Bisect& bisect) {
  using End = BisectStanding::End;
  const auto verdicts = verdicts_of(bisect);
  const auto bounds = bounds_of(verdicts);
  BisectStanding standing{.good = bounds.good, .bad = bounds.bad};
  if (bounds.bad == 0) {
    standing.end = End::mended;
    return standing;
  }
  std::vector<std::size_t> left;
  for (auto at = bounds.good + 1; at <= bounds.bad; ++at) {
    standing.candidates.push_back(at);
    if (!verdicts[at]) left.push_back(at);
  }
  standing.left = left.size();
  if (bounds.good == 0 && !verdicts.front())
    standing.next = 0;
  else if (!left.empty())
    standing.next = choose(verdicts, bounds, left);
  else
    standing.end = standing.candidates.size() == 1 ? End::found : End::only_skipped;
  return standing;
}

// Of n that are left and the one that is bad already.
unsigned tests_left(const BisectStanding& standing) {
  return unsigned(std::bit_width(standing.left)) + (standing.next == std::size_t(0) ? 1 : 0);
}

std::optional<Error> contradiction(const Bisect& bisect) {
  const auto verdicts = verdicts_of(bisect);
  const auto wrong = [](std::string message) {
    return Error(ErrorKind::usage, std::move(message))
        .hint(
            "hrvm bisect log MACHINE shows the verdicts, and hrvm bisect skip takes one back; to look for what mended "
            "a "
            "machine, call good what is broken");
  };
  if (verdicts.back() != BisectVerdict::bad)
    return wrong(fmt::format("{} is what the search began with as bad", bisect.bad().name));
  if (!bisect.begins_at_fork() && verdicts.front() != BisectVerdict::good)
    return wrong(fmt::format("{} is what the search began with as good", bisect.good.name));
  const auto bad = std::ranges::find(verdicts, BisectVerdict::bad);
  const auto late = std::find(bad, verdicts.end(), BisectVerdict::good);
  if (late == verdicts.end()) return std::nullopt;
  const auto name_at = [&](auto verdict) { return bisect.states[std::size_t(verdict - verdicts.begin())].name; };
  return wrong(fmt::format("{} cannot be good, as {} is bad, which is older", name_at(late), name_at(bad)));
}

void add_verdict(Bisect& bisect, BisectTest test) {
  bisect.tests.push_back(std::move(test));
  auto wrong = contradiction(bisect);
  if (!wrong) return;
  bisect.tests.pop_back();
  throw *std::move(wrong);
}

}  // namespace hrvm::machine
