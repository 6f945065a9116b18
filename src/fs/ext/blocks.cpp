#include "fs/ext/blocks.hpp"

#include <algorithm>

namespace hrvm::fs::ext {

namespace {

Run stored_run_at(Volume& volume, const File& file, std::uint64_t block) {
  return file.has(flag_extents) ? run_in_extents(volume, file.inode.block, block)
                                : run_in_pointers(volume, file.inode.block, block);
}

}  // namespace

Run run_at(Volume& volume, const File& file, std::uint64_t block) {
  const Pieces* newer = volume.changes().pieces(file.number);
  if (!newer || block >= file_blocks_end) return stored_run_at(volume, file, block);
  const auto found = newer->look(block);
  if (found.volume_block) return {found.blocks, *found.volume_block};
  Run run = stored_run_at(volume, file, block);
  run.blocks = std::min(run.blocks, found.blocks);
  return run;
}

void visit_leading_blocks(Volume& volume, const File& file, const std::function<void(std::uint64_t)>& visitor) {
  file.has(flag_extents) ? visit_extent_tree(volume, file.inode.block, visitor)
                         : visit_pointer_tree(volume, file.inode.block, visitor);
}

void read_blocks(Volume& volume, const File& file, std::uint64_t offset, std::span<std::byte> out) {
  const std::uint64_t block_bytes = volume.block_bytes();
  while (!out.empty()) {
    const Run run = run_at(volume, file, offset / block_bytes);
    const auto in_block = offset % block_bytes;
    const auto length = std::size_t(std::min<std::uint64_t>(out.size(), run.blocks * block_bytes - in_block));
    if (run.volume_block != 0)
      volume.read(run.volume_block * block_bytes + in_block, out.first(length));
    else
      std::ranges::fill(out.first(length), std::byte(0));
    out = out.subspan(length);
    offset += length;
  }
}

}  // namespace hrvm::fs::ext
