#include "fs/ext/blocks.hpp"

#include <algorithm>

namespace hrvm::fs::ext {

Run run_at(Volume& volume, const File& file, std::uint64_t block) {
  return file.has(flag_extents) ? run_in_extents(volume, file.inode.block, block)
                                : run_in_pointers(volume, file.inode.block, block);
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
