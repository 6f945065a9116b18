// Compares two states of an ext filesystem: the fuzzer's bytes, and the same with some of them changed as the last 64
// say, each four of them a place and a byte. What is told of them goes through a pipe.
#include <cstddef>
#include <cstdint>

#include "fuzz/image_bytes.hpp"
#include "hrvm/fs/tree_diff.hpp"

using namespace hrvm;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t recipe = 64;
  if (size < 2 * recipe) return 0;
  const auto bytes = size - recipe;
  const auto from = fuzz::bytes_of(data, bytes);
  auto to = from;
  for (std::size_t at = bytes; at + 4 <= size; at += 4) {
    const auto place = data[at] | std::size_t(data[at + 1]) << 8 | std::size_t(data[at + 2]) << 16;
    to[place % bytes] = std::byte(data[at + 3]);
  }
  return fuzz::run([&] {
    const auto one = block::memory_device(from, "from"), other = block::memory_device(to, "to");
    const auto a = fs::open_ext(*one), b = fs::open_ext(*other);
    for (const bool is_same : {true, false})
      for (const auto& change : fs::compare_trees(*a, *b, {.is_same_filesystem = is_same}))
        fs::tree_change_from_text(fs::to_text(change));
  });
}
