#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/machine/fingerprint.hpp"

namespace hrvm::machine {
namespace {

constexpr std::string_view absent = "";
constexpr std::string_view separator = ": ";
constexpr std::string_view sample = "sample";
constexpr std::string_view hash_word = "xxh3 ";

std::string value_of(const Fingerprint& fingerprint, const std::string& what) {
  const auto found = std::find_if(fingerprint.marks.begin(), fingerprint.marks.end(),
                                  [&](const auto& mark) { return mark.what == what; });
  return found == fingerprint.marks.end() ? std::string(absent) : found->value;
}

// What was a hash alone may have a text before it by now, of what was not looked at then.
bool is_told_further(const std::string& then, const std::string& now) {
  return then.starts_with(hash_word) && now.ends_with("; " + then);
}

std::uint64_t leading_number(const std::string& text) {
  return base::parse_unsigned(std::string_view(text).substr(0, text.find(' '))).value_or(0);
}

// "disk 2, " of the marks of all disks but the first.
std::string prefix_of(const MarkComparison& mark) {
  constexpr std::string_view disk = "disk ";
  const auto comma = mark.what.find(", ");
  if (!mark.what.starts_with(disk) || comma == mark.what.npos) return {};
  const auto number = std::string_view(mark.what).substr(disk.size(), comma - disk.size());
  return base::parse_unsigned(number) ? mark.what.substr(0, comma + 2) : "";
}

std::string without_prefix(const MarkComparison& mark) { return mark.what.substr(prefix_of(mark).size()); }

std::string size_reason(const MarkComparison& size) {
  const auto then = leading_number(size.then), now = leading_number(size.now);
  const auto prefix = prefix_of(size);
  return fmt::format(
      "{} is {} {} than it was ({} bytes, were {})", prefix.empty() ? "it" : prefix.substr(0, prefix.size() - 2),
      base::format_bytes(then > now ? then - now : now - then), then > now ? "smaller" : "larger", now, then);
}

std::string reason(const MarkComparison& mark) {
  if (without_prefix(mark) == "size") return size_reason(mark);
  const auto colon = mark.what.find(separator);
  if (colon == mark.what.npos) return fmt::format("{}the {} was changed", prefix_of(mark), without_prefix(mark));
  const auto area = mark.what.substr(0, colon);
  if (mark.now.empty()) return area + " is no longer there";
  if (mark.then.empty()) return area + " is new";
  const bool is_filesystem = area.ends_with(')');
  const bool only_sampled = mark.what.ends_with(sample);
  return area + (is_filesystem && !only_sampled ? " was mounted or written since" : " was written since");
}

bool is_sample(const MarkComparison& mark) { return mark.what.ends_with(sample); }

// "p2 (vfat)" → "p2": the place without what lies in it.
std::string place_of(const MarkComparison& mark) {
  return mark.what.substr(0, mark.what.find_first_of(" :", prefix_of(mark).size()));
}

bool is_area(const MarkComparison& mark) { return mark.what.find(separator) != mark.what.npos; }

// The same place has another name: what lies in it is another filesystem, or none.
bool holds_another(const std::vector<MarkComparison>& all, const MarkComparison& gone) {
  return std::any_of(all.begin(), all.end(), [&](const auto& each) {
    return is_area(each) && each.then.empty() && !is_sample(each) && place_of(each) == place_of(gone);
  });
}

// What is said of an area once is not said again by its sample.
bool area_is_told(const std::vector<std::string>& told, const MarkComparison& mark) {
  const auto area = mark.what.substr(0, mark.what.find(separator));
  return std::any_of(told.begin(), told.end(), [&](const auto& each) { return each.starts_with(area + " "); });
}

}  // namespace

std::vector<MarkComparison> compare(const Fingerprint& then, const Fingerprint& now) {
  std::vector<MarkComparison> all;
  for (const auto& mark : then.marks) all.push_back({mark.what, mark.value, value_of(now, mark.what), false});
  for (const auto& mark : now.marks)
    if (value_of(then, mark.what).empty()) all.push_back({mark.what, std::string(absent), mark.value, false});
  for (auto& each : all) each.same = each.then == each.now || is_told_further(each.then, each.now);
  return all;
}

std::vector<std::string> reasons(const std::vector<MarkComparison>& comparison) {
  std::vector<std::string> told;
  std::set<std::string> replaced, of_another_size;
  for (const auto& mark : comparison) {
    if (mark.same) continue;
    if (without_prefix(mark) == "size") of_another_size.insert(prefix_of(mark));
    const bool size_moved = of_another_size.contains(prefix_of(mark));
    // Where samples are taken follows from the size: of another size they say nothing.
    if (is_sample(mark) && (size_moved || mark.then.empty() || mark.now.empty() || area_is_told(told, mark))) continue;
    const bool gone = mark.now.empty() && is_area(mark) && holds_another(comparison, mark);
    if (gone) replaced.insert(place_of(mark));
    if (mark.then.empty() && replaced.contains(place_of(mark))) continue;
    told.push_back(gone ? place_of(mark) + " holds something else now" : reason(mark));
  }
  return told;
}

std::string_view word(Drift drift) {
  constexpr std::string_view words[] = {"none", "changed", "missing"};
  return words[std::size_t(drift)];
}

}  // namespace hrvm::machine
