#include "hrvm/block/copy.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/sys/fd.hpp"

namespace hrvm::block {

namespace {

// Holes fit the blocks of the file.
constexpr std::uint64_t block_bytes = 4 * base::KiB;

class RawSink : public ChunkSink {
 public:
  explicit RawSink(OutputFile& out) : out_(out) {}

  void copy(SharedSource& source, const Chunk& chunk, std::span<std::byte> buffer, Turn&) override {
    for (const auto& run : read_chunk(source, chunk, block_bytes, buffer)) {
      const auto end = std::min(run.end(), chunk.length);
      const auto bytes = buffer.subspan(std::size_t(run.offset), std::size_t(end - run.offset));
      write_without_zeros(chunk.offset + run.offset, bytes);
    }
  }

  bool clone(const Chunk& chunk) override { return out_.clone(*chunk.pieces[0].raw, chunk.length, chunk.offset); }

 private:
  // How many bytes from `start` on are blocks that are all alike in being zero (or not).
  static std::size_t run_length(std::span<const std::byte> bytes, std::size_t start, bool zero) {
    auto end = start;
    while (end < bytes.size()) {
      const auto next = std::min<std::size_t>(end + block_bytes, bytes.size());
      if (is_zero(bytes.subspan(end, next - end)) != zero) break;
      end = next;
    }
    return end - start;
  }

  void write_without_zeros(std::uint64_t offset, std::span<const std::byte> bytes) {
    for (std::size_t at = 0; at < bytes.size();) {
      at += run_length(bytes, at, true);
      const auto length = run_length(bytes, at, false);
      if (length != 0) out_.write(offset + at, bytes.subspan(at, length));
      at += length;
    }
  }

  OutputFile& out_;
};

// A first clone from a file is a small one, to see whether it can be done.
std::uint64_t clone_limit(const OutputFile& out, const RawLocation& raw) {
  switch (out.cloning(raw)) {
    case Cloning::possible:
      return std::numeric_limits<std::uint64_t>::max();
    case Cloning::unknown:
      return chunk_bytes;
    case Cloning::impossible:
      break;
  }
  return 0;
}

}  // namespace

void copy_chunks(BlockDevice& source, std::uint64_t unit_bytes, OutputFile& out, ChunkSink& sink,
                 const sys::ProgressCallback& progress) {
  SharedSource shared(source);
  ChunkWalk walk(shared, unit_bytes, [&](const RawLocation& raw) {
    return sink.can_clone() && unit_bytes % OutputFile::grid_bytes == 0 ? clone_limit(out, raw) : 0;
  });
  WorkerPool pool(chunk_bytes);  // the last one, as its threads use the others
  const auto copy = [&](Chunk chunk) {
    pool.submit([&, todo = std::move(chunk)](std::span<std::byte> buffer, Turn& turn) {
      sink.copy(shared, todo, buffer, turn);
    });
  };
  while (auto chunk = walk.next()) {
    progress(chunk->offset);
    if (!chunk->to_clone) {
      copy(std::move(*chunk));
      continue;
    }
    pool.wait_for_turns();
    if (sink.clone(*chunk)) continue;
    for (auto& cell : cut(*chunk)) copy(std::move(cell));
  }
  pool.finish();
  progress(source.size());
}

void copy_to_file(BlockDevice& source, int fd, const std::string& path, const sys::ProgressCallback& progress) {
  OutputFile out(fd, path);
  out.set_size(source.size());
  RawSink sink(out);
  copy_chunks(source, block_bytes, out, sink, progress);
}

bool is_zero(std::span<const std::byte> bytes) {
  if (bytes.empty()) return true;
  // Each byte equals the one before it, and the first is zero: memcmp does that a vector at a time.
  return bytes[0] == std::byte{0} && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0;
}

bool supports_direct_io(const std::string& folder) {
  alignas(4096) static const std::byte block[4096] = {};
  const sys::Fd fd(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_DIRECT | O_CLOEXEC, 0600));
  return fd && ::pwrite(fd.get(), block, sizeof block, 0) == ssize_t(sizeof block);
}

}  // namespace hrvm::block
