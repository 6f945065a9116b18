// Copying the bytes of a BlockDevice into a file, with holes kept: what hrvm writes is always a file of its own.
#pragma once

#include "hrvm/block/block_device.hpp"
#include "hrvm/block/chunks.hpp"
#include "hrvm/block/output_file.hpp"
#include "hrvm/block/worker_pool.hpp"
#include "hrvm/sys/terminal.hpp"

namespace hrvm::block {

// Where chunks go: into the format of what is written.
class ChunkSink {
 public:
  virtual ~ChunkSink() = default;
  // Called by several threads at once. `buffer` has chunk_bytes.
  virtual void copy(SharedSource& source, const Chunk& chunk, std::span<std::byte> buffer, Turn& turn) = 0;
  // Whether clone() is worth a try.
  virtual bool can_clone() const { return true; }
  // Called in the order of the chunks, when all before it have passed on their turn. False when it has to be copied.
  virtual bool clone(const Chunk& chunk) = 0;
};

// Brings all data of `source` to the sink, which writes to `out`. Several threads read and write; what the filesystem
// can share is cloned. Memory: a few buffers of 2 MiB.
void copy_chunks(BlockDevice& source, std::uint64_t unit_bytes, OutputFile& out, ChunkSink& sink,
                 const sys::ProgressCallback& progress);

// Writes all of `source` into `fd` (a new, empty file) so that it reads the same; zeros, known or found, become holes.
// Sets the file's size. `path` is for messages.
void copy_to_file(BlockDevice& source, int fd, const std::string& path, const sys::ProgressCallback& progress);

bool is_zero(std::span<const std::byte> bytes);

// True when O_DIRECT works for files in `folder` (tried on a file that is never linked into it).
bool supports_direct_io(const std::string& folder);

}  // namespace hrvm::block
