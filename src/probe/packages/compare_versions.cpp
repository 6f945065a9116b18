#include "probe/packages/compare_versions.hpp"

#include <algorithm>
#include <cstddef>

#include "probe/packages/version_text.hpp"

namespace hrvm::probe {
namespace {

using Order = std::weak_ordering;

bool starts_with_any(std::string_view text, std::string_view letters) {
  return !text.empty() && letters.find(text.front()) != std::string_view::npos;
}

// Cut from behind: a name may have dashes itself.
std::string_view cut_last(std::string_view& text) {
  const auto dash = text.rfind('-');
  if (dash == std::string_view::npos) return {};
  const auto last = text.substr(dash + 1);
  text = text.substr(0, dash);
  return last;
}

struct Package {
  std::string_view name, version, release;
  explicit Package(std::string_view text) : name(text) {
    release = cut_last(name);
    version = cut_last(name);
  }
};

// `above`: what is newer than the end, and older than any part that goes on.
Order compare_parts(std::string_view a, std::string_view b, std::string_view above) {
  const auto parts = [&](char c) {
    return !is_digit(c) && !is_letter(c) && c != '~' && above.find(c) == std::string_view::npos;
  };
  for (;;) {
    take_while(a, parts);
    take_while(b, parts);
    if (a.starts_with('~') || b.starts_with('~')) {
      if (!a.starts_with('~')) return Order::greater;
      if (!b.starts_with('~')) return Order::less;
    } else if (starts_with_any(a, above) || starts_with_any(b, above)) {
      if (a.empty()) return Order::less;
      if (b.empty()) return Order::greater;
      if (!starts_with_any(a, above)) return Order::greater;
      if (!starts_with_any(b, above)) return Order::less;
    } else if (a.empty() || b.empty()) {
      return int(b.empty()) <=> int(a.empty());
    } else {
      const bool is_number = is_digit(a.front());
      const auto x = is_number ? take_while(a, is_digit) : take_while(a, is_letter);
      const auto y = is_number ? take_while(b, is_digit) : take_while(b, is_letter);
      if (y.empty()) return is_number ? Order::greater : Order::less;
      const Order order = is_number ? compare_numbers(x, y) : compare_bytes(x, y);
      if (order != 0) return order;
      continue;
    }
    a.remove_prefix(1);
    b.remove_prefix(1);
  }
}

}  // namespace

Order compare_numbers(std::string_view a, std::string_view b) {
  const auto significant = [](std::string_view text) {
    return text.substr(std::min(text.find_first_not_of('0'), text.size()));
  };
  a = significant(a), b = significant(b);
  if (a.size() != b.size()) return a.size() <=> b.size();
  return compare_bytes(a, b);
}

Order compare_rpm_versions(std::string_view a, std::string_view b) { return compare_parts(a, b, "^"); }
Order compare_grub_versions(std::string_view a, std::string_view b) { return compare_parts(a, b, "^+"); }

Order compare_grub_packages(std::string_view a, std::string_view b) {
  const Package one(a), other(b);
  if (const auto order = compare_grub_versions(one.name, other.name); order != 0) return order;
  if (const auto order = compare_grub_versions(one.version, other.version); order != 0) return order;
  return compare_grub_versions(one.release, other.release);
}

// The numbers are those of the specification's steps.
Order compare_uapi_versions(std::string_view a, std::string_view b) {
  constexpr std::string_view special = "-.~^";
  const auto is_skipped = [&](char c) {
    return !is_digit(c) && !is_letter(c) && special.find(c) == std::string_view::npos;
  };
  for (;;) {
    take_while(a, is_skipped);  // 1
    take_while(b, is_skipped);
    bool was_mark = false;
    for (const char mark : std::string_view("~\0-^.", 5)) {  // 2 to 6
      if (mark == '\0') {                                    // 3
        if (a.empty() || b.empty()) return int(b.empty()) <=> int(a.empty());
        continue;
      }
      if (!a.starts_with(mark) && !b.starts_with(mark)) continue;
      if (!a.starts_with(mark)) return Order::greater;
      if (!b.starts_with(mark)) return Order::less;
      a.remove_prefix(1);
      b.remove_prefix(1);
      was_mark = true;
      break;
    }
    if (was_mark) continue;
    if (is_digit(a.front()) || is_digit(b.front())) {  // 7
      if (const auto order = compare_numbers(take_while(a, is_digit), take_while(b, is_digit)); order != 0)
        return order;
    } else if (const Order order = take_while(a, is_letter).compare(take_while(b, is_letter)) <=> 0; order != 0) {  // 8
      return order;
    }
  }
}

}  // namespace hrvm::probe
