// What of a device has to be copied, cut into chunks that several threads can work on.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "hrvm/block/block_device.hpp"

namespace hrvm::block {

enum class PageCache {
  keep,
  drop,  // large pieces leave it once they are read: the removal of a file takes long for what is still in it
};

// A device that several threads read: side by side where its bytes lie in files, else one after the other.
class SharedSource {
 public:
  explicit SharedSource(BlockDevice& device, PageCache cache = PageCache::keep) : device_(device), cache_(cache) {}
  std::uint64_t size() const { return device_.size(); }
  StoredExtent stored_at(std::uint64_t offset, std::uint64_t limit);
  // All of `piece`, which holds data.
  void read(const StoredExtent& piece, std::span<std::byte> out);

 private:
  bool read_raw(const RawLocation& from, std::span<std::byte> out) const;

  BlockDevice& device_;
  PageCache cache_;
  std::mutex mutex_;
};

// Data of a range: one cell of the grid of chunk_bytes at most, with what lies between the pieces being zeros; or, to
// be cloned, one piece of any length.
struct Chunk {
  std::uint64_t offset = 0, length = 0;
  std::vector<StoredExtent> pieces;  // in order
  bool to_clone = false;
};
inline constexpr std::uint64_t chunk_bytes = 2u << 20;

// The cells of the grid that a chunk touches, each with its part of the chunk's pieces, none to be cloned.
std::vector<Chunk> cut(const Chunk& chunk);

// A part of a chunk, from the chunk's beginning on.
struct Run {
  std::uint64_t offset = 0, length = 0;
  std::uint64_t end() const { return offset + length; }
};

// Reads a chunk of at most chunk_bytes into `buffer`, its first byte first. Gives the runs of whole units that it has
// data in; in these, zeros are filled in between the pieces. What the rest of the buffer holds is undefined.
std::vector<Run> read_chunk(SharedSource& source, const Chunk& chunk, std::uint64_t unit_bytes,
                            std::span<std::byte> buffer);

// Goes through a device in order. Each chunk begins and ends at a multiple of `unit_bytes` (which divides chunk_bytes),
// or with the device, and no two chunks share a unit.
class ChunkWalk {
 public:
  // How many bytes that lie there may be given as one piece to be cloned; 0: none.
  using CloneLimit = std::function<std::uint64_t(const RawLocation&)>;

  ChunkWalk(SharedSource& source, std::uint64_t unit_bytes, CloneLimit clone_limit)
      : source_(source), unit_bytes_(unit_bytes), clone_limit_(std::move(clone_limit)) {}

  std::optional<Chunk> next();  // nullopt at the end
  // How far it has come.
  std::uint64_t position() const { return position_; }

 private:
  bool load();
  void advance(std::uint64_t bytes);
  Run cloneable() const;
  bool has_room(const Chunk& chunk) const;
  Chunk take_clone(std::uint64_t length);
  void take_piece(Chunk& chunk, std::uint64_t end);
  Chunk rounded(Chunk chunk) const;

  SharedSource& source_;
  std::uint64_t unit_bytes_;
  CloneLimit clone_limit_;
  std::uint64_t position_ = 0;
  std::optional<StoredExtent> current_;  // data from position_ on
};

}  // namespace hrvm::block
