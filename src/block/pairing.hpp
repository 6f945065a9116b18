// Two devices side by side, in pieces that are of one kind on each of them.
#pragma once

#include <sys/types.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <utility>

#include "hrvm/block/chunks.hpp"

namespace hrvm::block {

// Of what is stored, `length` bytes from `skipped` on.
StoredExtent part(const StoredExtent& whole, std::uint64_t skipped, std::uint64_t length);

// The same range of both.
struct Pair {
  StoredExtent one, other;
};

class Pairing {
 public:
  // Behind its end a device counts as zeros. Both must outlive it.
  Pairing(BlockDevice& one, BlockDevice& other) : one_(one), other_(other) {}

  std::uint64_t size() const { return std::max(one_.source.size(), other_.source.size()); }
  // From `offset` (< size()) on; of what may differ at most `limit` (> 0) bytes.
  Pair next(std::uint64_t offset, std::uint64_t limit);
  // False for zeros in both, and for what lies in one file for both.
  bool may_differ(const Pair& pair);

  SharedSource& one() { return one_.source; }
  SharedSource& other() { return other_.source; }

 private:
  struct Side {
    explicit Side(BlockDevice& device) : source(device) {}
    StoredExtent at(std::uint64_t offset);

    SharedSource source;
    StoredExtent known;
  };
  using Identity = std::pair<dev_t, ino_t>;
  const Identity& identity(int fd);

  Side one_, other_;
  std::map<int, Identity> files_;  // of descriptors, asked once
};

}  // namespace hrvm::block
