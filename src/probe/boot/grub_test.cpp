#include "probe/boot/grub_test.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <string_view>

#include "hrvm/base/text.hpp"

namespace hrvm::probe {
namespace {

using Words = std::span<const std::string>;
using IsFile = std::function<bool(const std::string&)>;

std::uint64_t number(const std::string& word) { return base::parse_unsigned(word).value_or(0); }

struct Comparison {
  std::string_view name;
  bool (*holds)(const std::string& a, const std::string& b);
};
constexpr Comparison comparisons[] = {
    {"=", [](const std::string& a, const std::string& b) { return a == b; }},
    {"==", [](const std::string& a, const std::string& b) { return a == b; }},
    {"!=", [](const std::string& a, const std::string& b) { return a != b; }},
    {"-eq", [](const std::string& a, const std::string& b) { return number(a) == number(b); }},
    {"-ne", [](const std::string& a, const std::string& b) { return number(a) != number(b); }},
    {"-lt", [](const std::string& a, const std::string& b) { return number(a) < number(b); }},
    {"-le", [](const std::string& a, const std::string& b) { return number(a) <= number(b); }},
    {"-gt", [](const std::string& a, const std::string& b) { return number(a) > number(b); }},
    {"-ge", [](const std::string& a, const std::string& b) { return number(a) >= number(b); }},
};

bool compare(Words words) {
  const auto* found = std::ranges::find(comparisons, words[1], &Comparison::name);
  return found != std::end(comparisons) && found->holds(words[0], words[2]);
}

bool ask(const std::string& what, const std::string& word, const IsFile& is_file) {
  if (what == "-n") return !word.empty();
  if (what == "-z") return word.empty();
  return (what == "-e" || what == "-f" || what == "-s") && is_file(word);
}

bool primary(Words words, const IsFile& is_file) {
  bool negated = false;
  for (; words.size() > 1 && words.front() == "!"; words = words.subspan(1)) negated = !negated;
  bool holds = false;
  if (words.size() == 1) holds = !words[0].empty();
  if (words.size() == 2) holds = ask(words[0], words[1], is_file);
  if (words.size() == 3) holds = compare(words);
  return holds != negated;
}

// All of the parts between `separator` have to hold, or any.
template <typename Part>
bool fold(Words words, std::string_view separator, bool all, Part part) {
  for (;;) {
    const auto found = std::ranges::find(words, separator);
    const auto length = std::size_t(found - words.begin());
    if (part(words.first(length)) != all) return !all;
    if (found == words.end()) return all;
    words = words.subspan(length + 1);
  }
}

}  // namespace

bool grub_test(Words words, const IsFile& is_file) {
  return fold(words, "-o", false,
              [&](Words all) { return fold(all, "-a", true, [&](Words one) { return primary(one, is_file); }); });
}

}  // namespace hrvm::probe
