#include <algorithm>
#include <cctype>

#include "hrvm/machine/definition.hpp"

namespace hrvm::machine {
namespace {

constexpr std::size_t longest_name = 63;

bool is_lower_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool is_alphanumeric(char c) { return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z'); }
bool is_one_of(char c, std::string_view others) { return others.find(c) != others.npos; }

char name_character(char c) {
  const char low = c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c;
  return is_lower_or_digit(low) || is_one_of(low, "._-") ? low : '-';
}

}  // namespace

bool is_machine_name(std::string_view text) {
  return !text.empty() && text.size() <= longest_name && is_lower_or_digit(text.front()) &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_lower_or_digit(c) || is_one_of(c, "._-"); });
}

bool is_snapshot_name(std::string_view text) {
  return !text.empty() && text.size() <= longest_name && is_alphanumeric(text.front()) &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_alphanumeric(c) || is_one_of(c, "._:-"); });
}

std::string derive_machine_name(std::string_view text) {
  std::string name;
  for (char c : text) {
    const char next = name_character(c);
    const bool repeats_dash = next == '-' && !name.empty() && name.back() == '-';
    if (!repeats_dash && (!name.empty() || is_lower_or_digit(next))) name += next;
  }
  name.resize(std::min(name.size(), longest_name));
  while (!name.empty() && !is_lower_or_digit(name.back())) name.pop_back();
  return name;
}

}  // namespace hrvm::machine
