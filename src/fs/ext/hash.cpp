#include "fs/ext/hash.hpp"

#include <algorithm>
#include <bit>

namespace hrvm::fs::ext {
namespace {

using State = std::array<std::uint32_t, 4>;

constexpr State usual_seed = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
constexpr std::uint32_t end_of_folder = 0xfffffffe;  // is the hash of no name

// A character as a number: from 128 on the signed variants take them for negative.
std::uint32_t number_of(char character, bool is_signed) {
  const auto byte = static_cast<unsigned char>(character);
  return is_signed && byte >= 0x80 ? byte | 0xffffff00u : byte;
}

std::uint32_t legacy(std::string_view name, bool is_signed) {
  std::uint32_t last = 0x12a3fe2d, before = 0x37abe8f9;
  for (const char character : name) {
    std::uint32_t next = before + (last ^ (number_of(character, is_signed) * 7152373u));
    if (next & 0x80000000u) next -= 0x7fffffffu;
    before = last;
    last = next;
  }
  return last << 1;
}

// The next piece of a name as words of four characters, the rest filled with the length of what is left of it.
template <std::size_t words>
std::array<std::uint32_t, words> words_of(std::string_view name, bool is_signed) {
  const auto length = std::uint32_t(name.size());
  const std::uint32_t filling = (length | length << 8) * 0x10001u;
  std::array<std::uint32_t, words> told;
  told.fill(filling);
  name = name.substr(0, words * 4);
  for (std::size_t i = 0; i < words && i * 4 < name.size(); ++i)
    for (const char character : name.substr(i * 4, 4)) told[i] = (told[i] << 8) + number_of(character, is_signed);
  return told;
}

// MD4 (RFC 1320) with its three rounds halved.
void mix_half_md4(State& state, const std::array<std::uint32_t, 8>& in) {
  struct Round {
    std::uint32_t (*function)(std::uint32_t, std::uint32_t, std::uint32_t);
    std::uint32_t constant;
    std::array<std::uint8_t, 8> order;
    std::array<std::uint8_t, 4> shifts;
  };
  static constexpr std::array rounds{
      Round{[](std::uint32_t x, std::uint32_t y, std::uint32_t z) { return (x & y) | (~x & z); },
            0,
            {0, 1, 2, 3, 4, 5, 6, 7},
            {3, 7, 11, 19}},
      Round{[](std::uint32_t x, std::uint32_t y, std::uint32_t z) { return (x & y) | (x & z) | (y & z); },
            0x5a827999,
            {1, 3, 5, 7, 0, 2, 4, 6},
            {3, 5, 9, 13}},
      Round{[](std::uint32_t x, std::uint32_t y, std::uint32_t z) { return x ^ y ^ z; },
            0x6ed9eba1,
            {3, 7, 2, 6, 1, 5, 0, 4},
            {3, 9, 11, 15}},
  };
  State here = state;
  for (const Round& round : rounds)
    for (std::size_t step = 0; step < 8; ++step) {  // a, d, c, b by turns, each by those that follow it
      auto word = [&](std::size_t i) -> std::uint32_t& { return here[(i + 4 - step % 4) % 4]; };
      word(0) += round.function(word(1), word(2), word(3)) + in[round.order[step]] + round.constant;
      word(0) = std::rotl(word(0), round.shifts[step % 4]);
    }
  for (std::size_t i = 0; i < 4; ++i) state[i] += here[i];
}

// The Tiny Encryption Algorithm (Wheeler, Needham 1994) in 16 rounds, the name as its key.
void mix_tea(State& state, const std::array<std::uint32_t, 4>& key) {
  std::uint32_t sum = 0, left = state[0], right = state[1];
  for (int round = 0; round < 16; ++round) {
    sum += 0x9e3779b9;
    left += ((right << 4) + key[0]) ^ (right + sum) ^ ((right >> 5) + key[1]);
    right += ((left << 4) + key[2]) ^ (left + sum) ^ ((left >> 5) + key[3]);
  }
  state[0] += left;
  state[1] += right;
}

template <std::size_t words>
State mix_all(State state, std::string_view name, bool is_signed,
              void (*mix)(State&, const std::array<std::uint32_t, words>&)) {
  for (; !name.empty(); name.remove_prefix(std::min(name.size(), words * 4)))
    mix(state, words_of<words>(name, is_signed));
  return state;
}

}  // namespace

std::optional<std::uint32_t> name_hash(std::string_view name, std::uint8_t version, const State& seed) {
  const bool is_signed = version < unsigned_variants;
  const State start = std::ranges::count(seed, 0u) == 4 ? usual_seed : seed;
  std::uint32_t hash = 0;
  switch (is_signed ? version : version - unsigned_variants) {
    case hash_legacy:
      hash = legacy(name, is_signed);
      break;
    case hash_half_md4:
      hash = mix_all(start, name, is_signed, mix_half_md4)[1];
      break;
    case hash_tea:
      hash = mix_all(start, name, is_signed, mix_tea)[0];
      break;
    default:
      return std::nullopt;
  }
  hash &= ~1u;
  return hash == end_of_folder ? hash - 2 : hash;
}

}  // namespace hrvm::fs::ext
