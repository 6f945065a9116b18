// Small things done to text in many places.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hrvm::base {

std::string_view trim(std::string_view text);                                // white space and NUL at both ends
std::vector<std::string_view> split(std::string_view text, char separator);  // "" gives one empty field
std::vector<std::string_view> lines(std::string_view text);  // without "\n" or "\r\n"; no last empty one
std::string join(const std::vector<std::string>& parts, std::string_view separator);
std::string lower(std::string_view ascii);
bool starts_with_ignoring_case(std::string_view text, std::string_view ascii_prefix);

std::optional<std::uint64_t> parse_unsigned(std::string_view text, int base = 10);  // all of it, or nothing
std::string hex(std::uint64_t value, unsigned digits);                              // lower case, zero-padded

// UTF-16LE to UTF-8; unpaired surrogates become U+FFFD. Ends at the first NUL.
std::string from_utf16le(std::string_view bytes);
// The other way, without a NUL at the end; what is no UTF-8 becomes U+FFFD.
std::string to_utf16le(std::string_view text);

// What comes from a disk or a guest and goes to a terminal: control characters and invalid UTF-8 as \xNN.
std::string printable(std::string_view text);

// POSIX shell quoting: bare where nothing needs it, else in single quotes.
std::string shell_quote(std::string_view word);
std::string shell_quote(const std::vector<std::string>& words);

// Least number of insertions, deletions, substitutions and swaps of neighbours from a to b, at most `limit` + 1.
std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit);
// The candidate that `word` was probably meant to be.
std::optional<std::string> did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace hrvm::base
