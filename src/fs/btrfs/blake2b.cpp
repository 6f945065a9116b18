#include "fs/btrfs/blake2b.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>

#include "hrvm/base/endian.hpp"

namespace hrvm::fs::btrfs {
namespace {

constexpr std::size_t block_bytes = 128;

constexpr std::array<std::uint64_t, 8> start = {
    0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
    0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
};

// The order of the words in each round; rounds 10 and 11 are as 0 and 1.
constexpr std::uint8_t order[10][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4}, {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13}, {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11}, {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5}, {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
};

using State = std::array<std::uint64_t, 8>;
using Work = std::array<std::uint64_t, 16>;

void mix(Work& v, std::size_t a, std::size_t b, std::size_t c, std::size_t d, std::uint64_t x, std::uint64_t y) {
  v[a] += v[b] + x;
  v[d] = std::rotr(v[d] ^ v[a], 32);
  v[c] += v[d];
  v[b] = std::rotr(v[b] ^ v[c], 24);
  v[a] += v[b] + y;
  v[d] = std::rotr(v[d] ^ v[a], 16);
  v[c] += v[d];
  v[b] = std::rotr(v[b] ^ v[c], 63);
}

void compress(State& state, std::span<const std::byte> block, std::uint64_t bytes_so_far, bool is_last) {
  Work words, v;
  for (std::size_t i = 0; i < 16; ++i) words[i] = base::load<base::le64>(block, i * 8);
  std::ranges::copy(state, v.begin());
  std::ranges::copy(start, v.begin() + 8);
  v[12] ^= bytes_so_far;
  if (is_last) v[14] = ~v[14];
  for (std::size_t round = 0; round < 12; ++round) {
    const auto& at = order[round % 10];
    for (std::size_t i = 0; i < 4; ++i) mix(v, i, i + 4, i + 8, i + 12, words[at[2 * i]], words[at[2 * i + 1]]);
    for (std::size_t i = 0; i < 4; ++i)
      mix(v, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4, words[at[8 + 2 * i]], words[at[9 + 2 * i]]);
  }
  for (std::size_t i = 0; i < 8; ++i) state[i] ^= v[i] ^ v[i + 8];
}

}  // namespace

std::array<std::byte, 32> blake2b_256(std::span<const std::byte> data) {
  State state = start;
  state[0] ^= 0x01010020;  // no key, 32 bytes
  std::uint64_t done = 0;
  for (; data.size() > block_bytes; data = data.subspan(block_bytes))
    compress(state, data.first(block_bytes), done += block_bytes, false);
  std::array<std::byte, block_bytes> last{};
  std::ranges::copy(data, last.begin());
  compress(state, last, done + data.size(), true);
  std::array<std::byte, 32> digest;
  for (std::size_t i = 0; i < 4; ++i) base::store(std::span(digest), i * 8, base::le64(state[i]));
  return digest;
}

}  // namespace hrvm::fs::btrfs
