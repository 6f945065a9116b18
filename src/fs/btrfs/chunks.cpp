#include "fs/btrfs/chunks.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <bit>

#include "hrvm/base/error.hpp"

namespace hrvm::fs::btrfs {
namespace {

using base::Error, base::ErrorKind;

[[noreturn]] void corrupt(std::uint64_t logical) {
  throw Error(ErrorKind::corrupt, fmt::format("the chunk of btrfs at address {:#x} cannot be", logical));
}

// How many stripes of each profile there must be.
bool has_sound_stripes(const Chunk& chunk) {
  const auto count = chunk.stripes.size();
  switch (chunk.type & profile_mask) {
    case 0:
      return count == 1;
    case profile_raid10:
      return chunk.sub_stripes != 0 && count % chunk.sub_stripes == 0;
    case profile_raid0:
    case profile_raid1:
    case profile_dup:
    case profile_raid1c3:
    case profile_raid1c4:
    case profile_raid5:
    case profile_raid6:
      return true;
    default:
      return false;
  }
}

bool is_sound(const Chunk& chunk) {
  return chunk.length != 0 && chunk.length <= largest - chunk.logical && chunk.stripe_bytes >= 512 &&
         std::has_single_bit(chunk.stripe_bytes) && !chunk.stripes.empty() && has_sound_stripes(chunk);
}

}  // namespace

Chunk parse_chunk(std::uint64_t logical, std::span<const std::byte> item) {
  if (item.size() < sizeof(DiskChunk)) corrupt(logical);
  const auto disk = base::load<DiskChunk>(item);
  const std::size_t count = disk.stripes;
  if (count > (item.size() - sizeof(DiskChunk)) / sizeof(DiskStripe)) corrupt(logical);
  Chunk chunk{logical, disk.length, disk.stripe_bytes, disk.type, disk.sub_stripes, {}};
  for (std::size_t i = 0; i < count; ++i) {
    const auto stripe = base::load<DiskStripe>(item, sizeof(DiskChunk) + i * sizeof(DiskStripe));
    chunk.stripes.push_back({stripe.device, stripe.offset, stripe.device_uuid});
  }
  if (!is_sound(chunk)) corrupt(logical);
  return chunk;
}

std::vector<Chunk> parse_system_chunks(std::span<const std::byte> bytes) {
  std::vector<Chunk> chunks;
  while (!bytes.empty()) {
    if (bytes.size() < sizeof(DiskKey)) corrupt(0);
    const auto key = key_of(base::load<DiskKey>(bytes));
    if (key.type != chunk_item) corrupt(key.offset);
    bytes = bytes.subspan(sizeof(DiskKey));
    chunks.push_back(parse_chunk(key.offset, bytes));
    bytes = bytes.subspan(sizeof(DiskChunk) + chunks.back().stripes.size() * sizeof(DiskStripe));
  }
  return chunks;
}

Placement place(const Chunk& chunk, std::uint64_t logical) {
  const auto profile = chunk.type & profile_mask;
  if (profile == profile_raid5 || profile == profile_raid6)
    throw Error(ErrorKind::unsupported, fmt::format("btrfs's RAID{} is not read", profile == profile_raid5 ? 5 : 6));
  const auto within = logical - chunk.logical;
  Placement placement{chunk.length - within, {}};
  if (profile != profile_raid0 && profile != profile_raid10) {
    placement.copies = chunk.stripes;
    for (auto& copy : placement.copies) copy.offset += within;
    return placement;
  }
  const auto copies = profile == profile_raid10 ? chunk.sub_stripes : 1;
  const auto columns = chunk.stripes.size() / copies;
  const auto stripe = within / chunk.stripe_bytes, in_stripe = within % chunk.stripe_bytes;
  const auto first = chunk.stripes.begin() + std::ptrdiff_t(stripe % columns * copies);
  placement.length = std::min(placement.length, chunk.stripe_bytes - in_stripe);
  placement.copies.assign(first, first + std::ptrdiff_t(copies));
  for (auto& copy : placement.copies) copy.offset += stripe / columns * chunk.stripe_bytes + in_stripe;
  return placement;
}

}  // namespace hrvm::fs::btrfs
