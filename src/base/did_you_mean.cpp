#include <algorithm>
#include <numeric>
#include <utility>

#include "hrvm/base/text.hpp"

namespace hrvm::base {

namespace {

using Row = std::vector<std::size_t>;

// One more row of the distance matrix: from a[0..i] to every prefix of b.
Row next_row(std::string_view a, std::string_view b, std::size_t i, const Row& above, const Row& above_that) {
  Row row(b.size() + 1);
  row[0] = i + 1;
  for (std::size_t j = 0; j < b.size(); ++j) {
    row[j + 1] = std::min({above[j + 1] + 1, row[j] + 1, above[j] + (a[i] == b[j] ? 0 : 1)});
    const bool swapped = i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j];
    if (swapped) row[j + 1] = std::min(row[j + 1], above_that[j - 1] + 1);
  }
  return row;
}

// How far a slip of the finger may go before two words just are different ones.
std::size_t tolerance(std::string_view word) { return std::clamp<std::size_t>(word.size() / 3, 1, 3); }

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit) {
  const std::size_t longer = std::max(a.size(), b.size()), shorter = std::min(a.size(), b.size());
  if (longer - shorter > limit) return limit + 1;
  Row above_that, above(b.size() + 1);
  std::iota(above.begin(), above.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    Row row = next_row(a, b, i, above, above_that);
    if (*std::min_element(row.begin(), row.end()) > limit) return limit + 1;
    above_that = std::exchange(above, std::move(row));
  }
  return std::min(above.back(), limit + 1);
}

std::optional<std::string> did_you_mean(std::string_view word, const std::vector<std::string>& candidates) {
  std::optional<std::string> best;
  std::size_t best_distance = tolerance(word) + 1;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate, tolerance(word));
    if (distance >= best_distance) continue;
    best = candidate;
    best_distance = distance;
  }
  if (best || word.size() < 2) return best;
  const auto begins = [&](const std::string& candidate) { return candidate.starts_with(word); };
  const auto found = std::find_if(candidates.begin(), candidates.end(), begins);
  return found != candidates.end() ? std::optional(*found) : std::nullopt;
}

}  // namespace hrvm::base
