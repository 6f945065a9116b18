// How wide text is on a terminal (Unicode 15, East Asian Width W and F, and general categories Mn, Me, Cf of the blocks
// that names on disks are likely to come from).
#include <algorithm>
#include <array>
#include <cstdint>

#include "report/human.hpp"

namespace hrvm::report {
namespace {

struct Range {
  char32_t first, last;
};

constexpr std::array<Range, 13> no_columns = {{
    {0x0300, 0x036f},
    {0x0483, 0x0489},
    {0x0591, 0x05bd},
    {0x064b, 0x065f},
    {0x0e31, 0x0e31},
    {0x0e34, 0x0e3a},
    {0x1ab0, 0x1aff},
    {0x1dc0, 0x1dff},
    {0x200b, 0x200f},
    {0x202a, 0x202e},
    {0x20d0, 0x20ff},
    {0xfe00, 0xfe0f},
    {0xfe20, 0xfe2f},
}};

constexpr std::array<Range, 10> two_columns = {{
    {0x1100, 0x115f},
    {0x2e80, 0x303e},
    {0x3041, 0x33ff},
    {0x3400, 0x4dbf},
    {0x4e00, 0x9fff},
    {0xa000, 0xa4cf},
    {0xac00, 0xd7a3},
    {0xf900, 0xfaff},
    {0xfe30, 0xff60},
    {0x1f300, 0x1faff},
}};

template <std::size_t n>
bool contains(const std::array<Range, n>& ranges, char32_t point) {
  return std::any_of(ranges.begin(), ranges.end(), [&](const Range& r) { return point >= r.first && point <= r.last; });
}

std::size_t columns_of(char32_t point) {
  if (contains(no_columns, point)) return 0;
  return contains(two_columns, point) ? 2 : 1;
}

// The character at the front of `text`. What is no UTF-8 counts byte by byte.
struct Character {
  char32_t point = 0;
  std::size_t bytes = 1;
};

Character first_character(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const std::size_t length = lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (length == 1 || text.size() < length) return {lead, 1};
  char32_t point = lead & (0x7fu >> length);
  for (std::size_t i = 1; i < length; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    if ((next & 0xc0) != 0x80) return {lead, 1};
    point = (point << 6) | (next & 0x3f);
  }
  return {point, length};
}

}  // namespace

std::size_t display_width(std::string_view text) {
  std::size_t columns = 0;
  while (!text.empty()) {
    const auto character = first_character(text);
    columns += columns_of(character.point);
    text.remove_prefix(character.bytes);
  }
  return columns;
}

// Bytes of as many characters from the front as fit into `columns`.
static std::size_t bytes_that_fit(std::string_view text, std::size_t columns) {
  std::size_t used = 0, bytes = 0;
  while (bytes < text.size()) {
    const auto character = first_character(text.substr(bytes));
    used += columns_of(character.point);
    if (used > columns) break;
    bytes += character.bytes;
  }
  return bytes;
}

std::string cut_to_width(std::string_view text, std::size_t columns, std::string_view mark) {
  if (display_width(text) <= columns) return std::string(text);
  const auto room = columns - std::min(columns, display_width(mark));
  return std::string(text.substr(0, bytes_that_fit(text, room))).append(mark.substr(0, bytes_that_fit(mark, columns)));
}

std::string cut_in_middle(std::string_view text, std::size_t columns, std::string_view mark) {
  const auto width = display_width(text);
  if (width <= columns || columns <= display_width(mark)) return cut_to_width(text, columns, mark);
  const auto room = columns - display_width(mark), front = room / 2;
  auto back = text;
  for (auto left = width; left > room - front;) {
    const auto character = first_character(back);
    left -= columns_of(character.point);
    back.remove_prefix(character.bytes);
  }
  return std::string(text.substr(0, bytes_that_fit(text, front))).append(mark).append(back);
}

std::string padded(const std::string& text, std::size_t columns, Align align) {
  const auto width = display_width(text);
  const std::string spaces(columns > width ? columns - width : 0, ' ');
  return align == Align::left ? text + spaces : spaces + text;
}

}  // namespace hrvm::report
