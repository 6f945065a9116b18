// Each manager's own rule of which version is the newer one. Versions come from a disk: any bytes have a place in the
// order.
#include <array>
#include <string>

#include "hrvm/probe/packages.hpp"
#include "probe/packages/compare_versions.hpp"
#include "probe/packages/version_text.hpp"

namespace hrvm::probe {

VersionParts::VersionParts(std::string_view text) : version(text) {
  if (const auto colon = text.find(':');
      colon != std::string_view::npos && std::ranges::all_of(text.substr(0, colon), is_digit)) {
    if (colon > 0) epoch = text.substr(0, colon);
    version.remove_prefix(colon + 1);
  }
  if (const auto dash = version.rfind('-'); dash != std::string_view::npos) {
    release = version.substr(dash + 1);
    version = version.substr(0, dash);
  }
}

namespace {

using Order = std::weak_ordering;
using Compare = Order(std::string_view a, std::string_view b);

// --- dpkg: deb-version(7)
// ---------------------------------------------------------------------------------------------

// "~" is older than the end, letters are older than all else.
int rank_for_dpkg(std::string_view text) {
  if (text.empty() || is_digit(text.front())) return 0;
  const auto c = static_cast<unsigned char>(text.front());
  return c == '~' ? -1 : is_letter(text.front()) ? c : c + 256;
}

// Characters that are no digits, one by one, and numbers by turns; a missing one is 0.
Order compare_dpkg_parts(std::string_view a, std::string_view b) {
  const auto is_text = [](std::string_view text) { return !text.empty() && !is_digit(text.front()); };
  while (!a.empty() || !b.empty()) {
    while (is_text(a) || is_text(b)) {
      if (const Order order = rank_for_dpkg(a) <=> rank_for_dpkg(b); order != 0) return order;
      a.remove_prefix(std::min<std::size_t>(a.size(), 1));
      b.remove_prefix(std::min<std::size_t>(b.size(), 1));
    }
    if (const Order order = compare_numbers(take_while(a, is_digit), take_while(b, is_digit)); order != 0) return order;
  }
  return Order::equivalent;
}

Order compare_dpkg(std::string_view a, std::string_view b) {
  const VersionParts one(a), other(b);
  if (const Order order = compare_numbers(one.epoch, other.epoch); order != 0) return order;
  if (const Order order = compare_dpkg_parts(one.version, other.version); order != 0) return order;
  return compare_dpkg_parts(one.release.value_or(""), other.release.value_or(""));
}

// --- rpm, and pacman, which took it over long ago
// ---------------------------------------------------------------------

Order compare_rpm_like(std::string_view a, std::string_view b, Compare* parts) {
  const VersionParts one(a), other(b);
  if (const Order order = compare_numbers(one.epoch, other.epoch); order != 0) return order;
  if (const Order order = parts(one.version, other.version); order != 0) return order;
  if (!one.release || !other.release) return Order::equivalent;
  return parts(*one.release, *other.release);
}

Order compare_rpm(std::string_view a, std::string_view b) { return compare_rpm_like(a, b, compare_rpm_versions); }

// Parts of letters or digits, with how many other characters stand before each; letters that are left over are older
// than the end ("1.0rc" than "1.0"), unless something parts them from what is before.
Order compare_pacman_parts(std::string_view a, std::string_view b) {
  const auto separates = [](char c) { return !is_digit(c) && !is_letter(c); };
  while (!a.empty() && !b.empty()) {
    const auto before = take_while(a, separates).size(), other_before = take_while(b, separates).size();
    if (a.empty() || b.empty()) break;
    if (before != other_before) return before <=> other_before;
    const bool is_number = is_digit(a.front());
    const auto x = is_number ? take_while(a, is_digit) : take_while(a, is_letter);
    const auto y = is_number ? take_while(b, is_digit) : take_while(b, is_letter);
    if (y.empty()) return is_number ? Order::greater : Order::less;
    if (const Order order = is_number ? compare_numbers(x, y) : compare_bytes(x, y); order != 0) return order;
  }
  if (a.empty() && b.empty()) return Order::equivalent;
  const auto begins_with_letter = [](std::string_view text) { return !text.empty() && is_letter(text.front()); };
  return begins_with_letter(a) || (a.empty() && !begins_with_letter(b)) ? Order::less : Order::greater;
}

Order compare_pacman(std::string_view a, std::string_view b) { return compare_rpm_like(a, b, compare_pacman_parts); }

// --- apk: apk-package(5), "pkgver"
// ------------------------------------------------------------------------------------

// In the order in which a version has them. Of two that are the same up to one's part, the one whose part comes sooner
// here is newer: "1.2.1" than "1.2a" than "1.2_p1" than "1.2".
enum class Part { first_number, number, letter, suffix, suffix_number, hash, revision, other, end };

struct ApkPart {
  Part kind = Part::end;
  std::string_view text;
};

constexpr std::array<std::string_view, 9> suffixes = {"alpha", "beta", "pre", "rc", "cvs", "svn", "git", "hg", "p"};
constexpr std::size_t suffixes_before_release = 4;

std::size_t place_of_suffix(std::string_view text) {
  return std::size_t(std::ranges::find(suffixes, text) - suffixes.begin());
}

// Goes through a version.
class ApkVersion {
 public:
  explicit ApkVersion(std::string_view text) : text_(text) {}

  ApkPart next() {
    const auto is_small = [](char c) { return c >= 'a' && c <= 'z'; };
    const auto previous = previous_;
    previous_ = Part::other;
    if (text_.empty()) return {};
    if (!previous && is_digit(text_.front())) return part(Part::first_number, 0, is_digit);
    if (previous == Part::suffix && is_digit(text_.front())) return part(Part::suffix_number, 0, is_digit);
    if ((previous == Part::first_number || previous == Part::number) && is_small(text_.front())) {
      const ApkPart letter{Part::letter, text_.substr(0, 1)};
      text_.remove_prefix(1);
      previous_ = Part::letter;
      return letter;
    }
    if (text_.front() == '.') return part(Part::number, 1, is_digit);
    if (text_.front() == '_') return part(Part::suffix, 1, is_small);
    if (text_.front() == '~') return part(Part::hash, 1, [&](char c) { return is_digit(c) || is_small(c); });
    if (text_.starts_with("-r")) return part(Part::revision, 2, is_digit);
    return part(Part::other, 0, [](char) { return true; });
  }

 private:
  template <typename Is>
  ApkPart part(Part kind, std::size_t introduced_by, Is is) {
    text_.remove_prefix(introduced_by);
    previous_ = kind;
    return {kind, take_while(text_, is)};
  }

  std::string_view text_;
  std::optional<Part> previous_;
};

// Numbers behind a dot that begin with 0 are like those behind a decimal point.
Order compare_apk_parts(const ApkPart& a, const ApkPart& b) {
  switch (a.kind) {
    case Part::number:
      if (a.text.starts_with('0') || b.text.starts_with('0')) return compare_bytes(a.text, b.text);
      [[fallthrough]];
    case Part::first_number:
    case Part::suffix_number:
    case Part::revision:
      return compare_numbers(a.text, b.text);
    case Part::suffix:
      return place_of_suffix(a.text) <=> place_of_suffix(b.text);
    default:
      return compare_bytes(a.text, b.text);
  }
}

Order compare_apk(std::string_view a, std::string_view b) {
  const auto is_before_release = [](const ApkPart& part) {
    return part.kind == Part::suffix && place_of_suffix(part.text) < suffixes_before_release;
  };
  for (ApkVersion one(a), other(b);;) {
    const ApkPart x = one.next(), y = other.next();
    if (x.kind != y.kind) {
      if (is_before_release(x)) return Order::less;
      if (is_before_release(y)) return Order::greater;
      return y.kind <=> x.kind;
    }
    if (x.kind == Part::end) return Order::equivalent;
    if (const Order order = compare_apk_parts(x, y); order != 0) return order;
  }
}

constexpr std::array<Compare*, 4> rules = {compare_dpkg, compare_rpm, compare_pacman, compare_apk};
static_assert(rules.size() == words_of(PackageManager{}).size());

}  // namespace

std::weak_ordering compare_versions(PackageManager manager, std::string_view a, std::string_view b) {
  return rules.at(std::size_t(manager))(a, b);
}

}  // namespace hrvm::probe
