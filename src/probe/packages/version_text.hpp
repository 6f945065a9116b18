// What all rules of comparing versions are made of.
#pragma once

#include <algorithm>
#include <compare>
#include <cstddef>
#include <optional>
#include <string_view>

namespace hrvm::probe {

inline bool is_digit(char c) { return c >= '0' && c <= '9'; }
inline bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// Cuts off the beginning.
template <typename Is>
std::string_view take_while(std::string_view& text, Is is) {
  const auto end = std::size_t(std::ranges::find_if_not(text, is) - text.begin());
  const auto taken = text.substr(0, end);
  text.remove_prefix(end);
  return taken;
}

// Digits, of any length.
std::weak_ordering compare_numbers(std::string_view a, std::string_view b);

// By their bytes.
inline std::weak_ordering compare_bytes(std::string_view a, std::string_view b) { return a.compare(b) <=> 0; }

// EPOCH:VERSION-RELEASE, as dpkg, rpm and pacman write it.
struct VersionParts {
  std::string_view epoch = "0", version;
  std::optional<std::string_view> release;
  explicit VersionParts(std::string_view text);
};

}  // namespace hrvm::probe
