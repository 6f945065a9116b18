#include <fmt/core.h>

#include "fs/ext/blocks.hpp"

namespace hrvm::fs::ext {
namespace {

constexpr std::uint64_t direct = 12;  // pointers in the inode that lead to data; those behind them lead to pointers
constexpr unsigned levels = 3;

std::uint64_t pointer(std::span<const std::byte> pointers, std::uint64_t i) {
  return base::load<base::le32>(pointers, std::size_t(i) * 4);
}

// How far what stands at `i` goes on: pointers to blocks that lie together, or to none.
Run run_of(const Volume& volume, std::span<const std::byte> pointers, std::uint64_t i) {
  const std::uint64_t start = pointer(pointers, i);
  Run run{1, start};
  const auto goes_on = [&](std::uint64_t next) { return next == (start == 0 ? 0 : start + run.blocks); };
  while (i + run.blocks < pointers.size() / 4 && goes_on(pointer(pointers, i + run.blocks))) ++run.blocks;
  if (start >= volume.blocks() || (start != 0 && run.blocks > volume.blocks() - start))
    throw volume.corrupt(fmt::format("a file lies at block {}, which the filesystem has not", start));
  return run;
}

// `top` leads to a block of pointers, each of which leads to so many blocks of the file.
Run run_below(Volume& volume, std::uint64_t top, std::uint64_t each, std::uint64_t index) {
  const std::uint64_t in_block = volume.block_bytes() / 4;
  for (auto next = top;; each /= in_block) {
    if (next == 0) return {each * in_block - index, 0};
    const auto pointers = volume.read_block(next);
    if (each == 1) return run_of(volume, pointers, index);
    next = pointer(pointers, index / each);
    index %= each;
  }
}

// `levels_below`: of pointers, in the block itself and below it.
void visit_below(Volume& volume, std::uint64_t block, unsigned levels_below,
                 const std::function<void(std::uint64_t)>& visitor) {
  if (block == 0) return;
  visitor(block);
  if (levels_below == 1) return;
  const auto pointers = volume.read_block(block);
  for (std::uint64_t i = 0; i < pointers.size() / 4; ++i)
    visit_below(volume, pointer(pointers, i), levels_below - 1, visitor);
}

}  // namespace

void visit_pointer_tree(Volume& volume, std::span<const std::byte, 60> root,
                        const std::function<void(std::uint64_t)>& visitor) {
  for (unsigned level = 0; level < levels; ++level)
    visit_below(volume, pointer(root, direct + level), level + 1, visitor);
}

Run run_in_pointers(Volume& volume, std::span<const std::byte, 60> root, std::uint64_t block) {
  if (block < direct) return run_of(volume, root.first<direct * 4>(), block);
  const std::uint64_t in_block = volume.block_bytes() / 4;
  std::uint64_t index = block - direct, each = 1;
  for (unsigned level = 0; level < levels; ++level, each *= in_block) {
    if (index < each * in_block) return run_below(volume, pointer(root, direct + level), each, index);
    index -= each * in_block;
  }
  return {file_blocks_end, 0};
}

}  // namespace hrvm::fs::ext
