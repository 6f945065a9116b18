#include "cli/words/retention_words.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "hrvm/base/error.hpp"
#include "hrvm/base/words.hpp"

namespace hrvm::cli {
namespace {

using machine::Period;

std::string option_of(Period period) { return fmt::format("--keep-{}", base::word(period)); }

constexpr std::array<std::string_view, 7> what_is_kept = {"the last N",
                                                          "the newest of N quarters of an hour",
                                                          "the newest of N hours",
                                                          "the newest of N days",
                                                          "the newest of N weeks",
                                                          "the newest of N months",
                                                          "the newest of N years"};

}  // namespace

std::vector<Option> retention_options() {
  std::vector<Option> options;
  for (std::size_t i = 0; i < what_is_kept.size(); ++i)
    options.push_back({.name = option_of(Period(i)),
                       .value = "N",
                       .help = fmt::format("keep {} ({})", what_is_kept[i], machine::usual_keep_counts[i])});
  options.push_back({.name = "--timezone", .value = "ZONE", .help = "whose days, weeks and months: Europe/Berlin"});
  return options;
}

machine::KeepCounts keep_counts(const Arguments& arguments) {
  machine::KeepCounts counts{};
  bool is_given = false;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const auto count = arguments.number(option_of(Period(i)));
    counts[i] = count.value_or(0);
    is_given = is_given || count;
  }
  if (!is_given) return machine::usual_keep_counts;
  if (std::ranges::count(counts, 0u) == std::ptrdiff_t(counts.size()))
    throw base::Error(base::ErrorKind::usage, "by these rules no snapshot stays")
        .hint("keep one at least: --keep-last 1");
  return counts;
}

sys::TimeZone time_zone(const Context& context) {
  const auto asked = context.arguments.value("--timezone");
  if (asked) return sys::TimeZone(context.host, *asked);
  return sys::TimeZone(context.host);
}

}  // namespace hrvm::cli
