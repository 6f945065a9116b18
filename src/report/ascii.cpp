// What a terminal shows that has ASCII alone.
#include <fmt/core.h>

#include <algorithm>

#include "hrvm/report/report.hpp"

namespace hrvm::report {
namespace {

struct Spelling {
  std::string_view character, ascii;
};

// What we write ourselves; the lines and marks of a tree stay as wide as they are.
constexpr Spelling spellings[] = {{"…", "..."}, {"●", "*"}, {"○", "o"},  {"→", "->"}, {"←", "<-"},
                                  {"└", "`"},   {"├", "|"}, {"│", "|"},  {"─", "-"},  {"–", "-"},
                                  {"—", "-"},   {"×", "x"}, {"“", "\""}, {"”", "\""}, {"’", "'"}};

const Spelling* spelling_at(std::string_view text) {
  const auto* found = std::find_if(std::begin(spellings), std::end(spellings),
                                   [&](const Spelling& spelling) { return text.starts_with(spelling.character); });
  return found == std::end(spellings) ? nullptr : found;
}

}  // namespace

std::string to_ascii(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto byte = static_cast<unsigned char>(text[0]);
    const auto* spelling = byte < 0x80 ? nullptr : spelling_at(text);
    if (spelling)
      out += spelling->ascii;
    else
      out += byte < 0x80 ? std::string(1, text[0]) : fmt::format("\\x{:02x}", byte);
    text.remove_prefix(spelling ? spelling->character.size() : 1);
  }
  return out;
}

}  // namespace hrvm::report
