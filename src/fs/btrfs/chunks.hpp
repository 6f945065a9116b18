// Chunks: pieces of the addresses that all of a btrfs counts with, and where on its devices they lie.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "fs/btrfs/format.hpp"

namespace hrvm::fs::btrfs {

struct Stripe {
  std::uint64_t device = 0, offset = 0;
  Uuid device_uuid{};
};

struct Chunk {
  std::uint64_t logical = 0, length = 0, stripe_bytes = 0, type = 0;
  std::size_t sub_stripes = 1;
  std::vector<Stripe> stripes;  // never empty
  bool holds(std::uint64_t address) const { return address >= logical && address - logical < length; }
};

// Bytes that lie in one piece on each of the devices that have them.
struct Placement {
  std::uint64_t length = 0;
  std::vector<Stripe> copies;
};

// Error{corrupt} for what cannot be; `item` may be longer than the chunk.
Chunk parse_chunk(std::uint64_t logical, std::span<const std::byte> item);
std::vector<Chunk> parse_system_chunks(std::span<const std::byte> keys_and_chunks);

// Of an address that the chunk holds. Error{unsupported} for RAID5 and RAID6.
Placement place(const Chunk& chunk, std::uint64_t logical);

}  // namespace hrvm::fs::btrfs
