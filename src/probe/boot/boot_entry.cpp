#include "probe/boot/boot_entry.hpp"

#include <algorithm>
#include <cctype>
#include <optional>

namespace hrvm::probe {

std::string kernel_version(std::string_view kernel_path) {
  const std::string_view name = kernel_path.substr(kernel_path.rfind('/') + 1);
  for (std::string_view prefix : {"vmlinuz-", "vmlinux-", "kernel-", "linux-", "bzImage-"})
    if (name.size() > prefix.size() && name.starts_with(prefix) &&
        std::isdigit(static_cast<unsigned char>(name[prefix.size()])))
      return std::string(name.substr(prefix.size()));
  return {};
}

std::pair<std::string, std::string> split_device(std::string_view path) {
  const auto end = path.find(')');
  if (!path.starts_with('(') || end == std::string_view::npos) return {"", std::string(path)};
  return {std::string(path.substr(1, end - 1)), std::string(path.substr(end + 1))};
}

bool is_kernel_version(std::string_view text) {
  const auto is_allowed = [](unsigned char c) {
    return std::isalnum(c) || std::string_view(".-_+~").find(char(c)) != std::string_view::npos;
  };
  return !text.empty() && std::isdigit(static_cast<unsigned char>(text.front())) &&
         text.find('.') != std::string_view::npos && std::ranges::all_of(text, is_allowed);
}

namespace {

unsigned char folded(char c) { return static_cast<unsigned char>(std::tolower(static_cast<unsigned char>(c))); }

// "[…]": whether `c` is in it; `in` goes behind it. nullopt where it does not end. "]" stands for itself when it comes
// first, and "-" when it comes first, last or behind a range.
std::optional<bool> is_in_set(char c, std::string_view pattern, std::size_t& in) {
  bool found = false, can_range = false;
  for (bool first = true;; first = false) {
    if (in == pattern.size()) return std::nullopt;
    if (pattern[in] == ']' && !first) break;
    const bool is_range = pattern[in] == '-' && can_range && in + 1 < pattern.size() && pattern[in + 1] != ']';
    const char low = is_range ? pattern[in - 1] : '\0';
    if (is_range) ++in;
    if (pattern[in] == '\\' && ++in == pattern.size()) return std::nullopt;
    found = found || (is_range ? folded(low) <= folded(c) && folded(c) <= folded(pattern[in])
                               : folded(c) == folded(pattern[in]));
    can_range = !is_range;
    ++in;
  }
  ++in;
  return found;
}

// One character of the text against one piece of the pattern, which is no star; `in` goes behind it where it fits.
bool fits_one(char c, std::string_view pattern, std::size_t& in) {
  if (in == pattern.size()) return false;
  std::size_t at = in;
  bool fits = false;
  if (pattern[at] == '?') {
    ++at;
    fits = true;
  } else if (pattern[at] == '[') {
    fits = is_in_set(c, pattern, ++at).value_or(false);
  } else {
    if (pattern[at] == '\\' && at + 1 < pattern.size()) ++at;
    fits = folded(pattern[at++]) == folded(c);
  }
  if (fits) in = at;
  return fits;
}

}  // namespace

// Goes back to the last "*" where the rest does not fit: linear for each star.
bool matches_pattern(std::string_view text, std::string_view pattern) {
  std::size_t at = 0, in = 0, star = std::string_view::npos, taken = 0;
  while (at < text.size()) {
    if (in < pattern.size() && pattern[in] == '*') {
      star = in++;
      taken = at;
    } else if (fits_one(text[at], pattern, in)) {
      ++at;
    } else if (star != std::string_view::npos) {
      in = star + 1;
      at = ++taken;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', in) == std::string_view::npos;
}

}  // namespace hrvm::probe
