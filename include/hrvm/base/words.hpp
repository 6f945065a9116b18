// The words of a closed set: what its values are called on the command line and in documents. An enumeration that
// counts from 0 has them, in its own order, by a function beside it:
//   enum class Firmware { bios, uefi };
//   constexpr std::array<std::string_view, 2> words_of(Firmware) { return {"bios", "uefi"}; }
// word() and from_word() lead there and back; a namespace has them by `using base::word;`.
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace hrvm::base {

template <typename T>
concept HasWords = std::is_enum_v<T> && requires(T value) {
  words_of(value).size();
};

template <HasWords T>
constexpr std::string_view word(T value) {
  return words_of(value).at(std::size_t(value));
}

template <HasWords T>
constexpr std::optional<T> from_word(std::string_view word) {
  const auto words = words_of(T{});
  const auto found = std::ranges::find(words, word);
  return found == words.end() ? std::nullopt : std::optional(T(found - words.begin()));
}

template <HasWords T>
std::vector<std::string> all_words() {
  const auto words = words_of(T{});
  return {words.begin(), words.end()};
}

// "virtio, sata or ide".
std::string one_of(const std::vector<std::string>& words);

}  // namespace hrvm::base
