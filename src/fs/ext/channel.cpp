#include "fs/ext/channel.hpp"

#include <fmt/core.h>

#include <limits>

namespace hrvm::fs {
namespace {

// io_manager::open is given a name only; the source comes beside it.
thread_local ExtSource* opening = nullptr;

extern const struct_io_manager device_manager;

errcode_t open_channel(const char*, int, io_channel* channel) {
  auto* opened = new struct_io_channel{};
  opened->magic = EXT2_ET_MAGIC_IO_CHANNEL;
  opened->manager = const_cast<io_manager>(&device_manager);  // libext2fs has no const
  opened->block_size = 1024;
  opened->refcount = 1;
  opened->private_data = opening;
  *channel = opened;
  return 0;
}

errcode_t close_channel(io_channel channel) {
  if (--channel->refcount == 0) delete channel;
  return 0;
}

errcode_t set_block_size(io_channel channel, int bytes) {
  if (bytes <= 0) return EXT2_ET_INVALID_ARGUMENT;
  channel->block_size = bytes;
  return 0;
}

// A negative count is one of bytes.
errcode_t read_blocks(io_channel channel, unsigned long long block, int count, void* data) {
  auto size = std::uint64_t(channel->block_size);
  auto length = count < 0 ? std::uint64_t(-std::int64_t(count)) : std::uint64_t(count) * size;
  if (block > std::numeric_limits<std::uint64_t>::max() / size) return EXT2_ET_SHORT_READ;
  return static_cast<ExtSource*>(channel->private_data)->read(block * size, {static_cast<std::byte*>(data), length});
}

errcode_t read_blocks_32(io_channel channel, unsigned long block, int count, void* data) {
  return read_blocks(channel, block, count, data);
}

errcode_t refuse_write(io_channel, unsigned long, int, const void*) { return EXT2_ET_RO_FILSYS; }
errcode_t refuse_write_64(io_channel, unsigned long long, int, const void*) { return EXT2_ET_RO_FILSYS; }
errcode_t flush_nothing(io_channel) { return 0; }

const struct_io_manager device_manager = [] {
  struct_io_manager manager{};
  manager.magic = EXT2_ET_MAGIC_IO_MANAGER;
  manager.name = "hrvm";
  manager.open = open_channel;
  manager.close = close_channel;
  manager.set_blksize = set_block_size;
  manager.read_blk = read_blocks_32;
  manager.read_blk64 = read_blocks;
  manager.write_blk = refuse_write;
  manager.write_blk64 = refuse_write_64;
  manager.flush = flush_nothing;
  return manager;
}();

}  // namespace

errcode_t ExtSource::read(std::uint64_t offset, std::span<std::byte> out) {
  if (out.size() > allowance_) {
    error_ = base::Error(base::ErrorKind::corrupt, fmt::format("the filesystem on {} leads in circles", device_.name()))
                 .on(device_.name())
                 .at(offset);
    return EXT2_ET_SHORT_READ;
  }
  allowance_ -= out.size();
  try {
    device_.read(offset, out);
    return 0;
  } catch (const base::Error& error) {  // must not fly through C
    error_ = error;
    return EXT2_ET_SHORT_READ;
  }
}

errcode_t open_ext2fs(ExtSource& source, int flags, ext2_filsys* filesystem) {
  opening = &source;
  auto error = ext2fs_open2("hrvm", nullptr, flags, 0, 0, const_cast<io_manager>(&device_manager), filesystem);
  opening = nullptr;
  return error;
}

}  // namespace hrvm::fs
