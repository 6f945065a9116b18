#include <fmt/core.h>

#include <algorithm>

#include "hrvm/base/endian.hpp"
#include "hrvm/base/text.hpp"

namespace hrvm::base {

namespace {

constexpr char32_t replacement = 0xfffd;

bool is_high_surrogate(char32_t unit) { return unit >= 0xd800 && unit < 0xdc00; }
bool is_low_surrogate(char32_t unit) { return unit >= 0xdc00 && unit < 0xe000; }

void append_utf8(std::string& out, char32_t c) {
  if (c < 0x80) {
    out += char(c);
  } else if (c < 0x800) {
    out += {char(0xc0 | c >> 6), char(0x80 | (c & 0x3f))};
  } else if (c < 0x10000) {
    out += {char(0xe0 | c >> 12), char(0x80 | (c >> 6 & 0x3f)), char(0x80 | (c & 0x3f))};
  } else {
    out += {char(0xf0 | c >> 18), char(0x80 | (c >> 12 & 0x3f)), char(0x80 | (c >> 6 & 0x3f)), char(0x80 | (c & 0x3f))};
  }
}

struct Utf8Character {
  char32_t code = 0;
  std::size_t length = 0;  // 0: these bytes are no UTF-8
};

// One row for each length of RFC 3629: the fixed bits of the first byte, and the least code that needs the length.
struct Utf8Form {
  unsigned mask, bits;
  std::size_t length;
  char32_t least;
};
constexpr Utf8Form utf8_forms[] = {
    {0x80, 0x00, 1, 0}, {0xe0, 0xc0, 2, 0x80}, {0xf0, 0xe0, 3, 0x800}, {0xf8, 0xf0, 4, 0x10000}};

Utf8Character decode(std::string_view text, const Utf8Form& form) {
  if (text.size() < form.length) return {};
  char32_t code = static_cast<unsigned char>(text[0]) & ~form.mask;
  for (std::size_t i = 1; i < form.length; ++i) {
    const unsigned byte = static_cast<unsigned char>(text[i]);
    if ((byte & 0xc0) != 0x80) return {};
    code = code << 6 | (byte & 0x3f);
  }
  const bool surrogate = is_high_surrogate(code) || is_low_surrogate(code);
  if (code < form.least || code > 0x10ffff || surrogate) return {};
  return {code, form.length};
}

Utf8Character first_character(std::string_view text) {
  const unsigned byte = static_cast<unsigned char>(text[0]);
  for (const Utf8Form& form : utf8_forms)
    if ((byte & form.mask) == form.bits) return decode(text, form);
  return {};
}

// C0, DEL and C1: terminals take U+009B for the start of a control sequence.
bool is_control(char32_t code) { return code < 0x20 || (code >= 0x7f && code < 0xa0); }

}  // namespace

std::string from_utf16le(std::string_view bytes) {
  const auto units = std::as_bytes(std::span(bytes));
  std::string out;
  for (std::size_t i = 0; i + 2 <= units.size(); i += 2) {
    char32_t code = load<le16>(units, i);
    if (code == 0) break;
    const char32_t next = i + 4 <= units.size() ? load<le16>(units, i + 2) : le16{};
    if (is_high_surrogate(code) && is_low_surrogate(next)) {
      code = 0x10000 + ((code - 0xd800) << 10) + (next - 0xdc00);
      i += 2;
    } else if (is_high_surrogate(code) || is_low_surrogate(code)) {
      code = replacement;
    }
    append_utf8(out, code);
  }
  return out;
}

std::string to_utf16le(std::string_view text) {
  std::string out;
  const auto append = [&](char32_t unit) { out += {char(unit & 0xff), char(unit >> 8 & 0xff)}; };
  while (!text.empty()) {
    const Utf8Character character = first_character(text);
    const char32_t code = character.length > 0 ? character.code : replacement;
    if (code < 0x10000) {
      append(code);
    } else {
      append(0xd800 + ((code - 0x10000) >> 10));
      append(0xdc00 + (code & 0x3ff));
    }
    text.remove_prefix(std::max<std::size_t>(character.length, 1));
  }
  return out;
}

std::string printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const Utf8Character character = first_character(text);
    const std::size_t length = std::max<std::size_t>(character.length, 1);
    if (character.length > 0 && !is_control(character.code)) {
      out += text.substr(0, length);
    } else {
      for (const char c : text.substr(0, length)) out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
    text.remove_prefix(length);
  }
  return out;
}

// $'…': what a terminal must not get, or a line would break at, as escapes that the shell takes back.
static std::string quoted_with_escapes(std::string_view word) {
  std::string out = "$'";
  while (!word.empty()) {
    const Utf8Character character = first_character(word);
    const std::size_t length = std::max<std::size_t>(character.length, 1);
    const bool is_shown = character.length > 0 && !is_control(character.code);
    for (const char c : word.substr(0, length)) {
      if (!is_shown)
        out += fmt::format("\\{:03o}", static_cast<unsigned char>(c));
      else
        out += c == '\'' || c == '\\' ? std::string{'\\', c} : std::string(1, c);
    }
    word.remove_prefix(length);
  }
  return out + "'";
}

std::string shell_quote(std::string_view word) {
  constexpr std::string_view bare = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_@%+=:,./-";
  if (!word.empty() && word.find_first_not_of(bare) == std::string_view::npos) return std::string(word);
  if (printable(word) != word) return quoted_with_escapes(word);
  std::string out = "'";
  for (const char c : word) {
    if (c == '\'')
      out += "'\\''";
    else
      out += c;
  }
  return out + "'";
}

std::string shell_quote(const std::vector<std::string>& words) {
  std::vector<std::string> quoted;
  for (const std::string& word : words) quoted.push_back(shell_quote(word));
  return join(quoted, " ");
}

}  // namespace hrvm::base
