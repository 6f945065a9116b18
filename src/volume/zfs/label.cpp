#include "volume/zfs/label.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include <nettle/sha2.h>

#include "hrvm/base/error.hpp"
#include "volume/zfs/format.hpp"

namespace hrvm::volume::zfs {
namespace {

using base::ByteOrder;
using Bytes = std::span<const std::byte>;

std::array<std::uint8_t, SHA256_DIGEST_SIZE> sha256(Bytes first, Bytes second) {
  sha256_ctx context;
  sha256_init(&context);
  for (const Bytes part : {first, second})
    sha256_update(&context, part.size(), reinterpret_cast<const std::uint8_t*>(part.data()));
  std::array<std::uint8_t, SHA256_DIGEST_SIZE> digest;
  sha256_digest(&context, digest.size(), digest.data());
  return digest;
}

// `place`: of these bytes on the device.
template <ByteOrder order>
bool is_sound_as(Bytes bytes, std::uint64_t place) {
  const std::size_t body = bytes.size() - sizeof(Trailer<order>);
  auto trailer = base::load<Trailer<order>>(bytes, body);
  if (trailer.magic != trailer_magic) return false;
  const auto stored = trailer.checksum;
  trailer.checksum = {};
  trailer.checksum[0] = place;
  const auto digest = sha256(bytes.first(body), std::as_bytes(std::span(&trailer, 1)));
  const auto words = std::as_bytes(std::span(digest));
  for (std::size_t i = 0; i < stored.size(); ++i)
    if (stored[i] != base::load<base::be64>(words, i * sizeof(base::be64))) return false;
  return true;
}

bool is_sound(Bytes bytes, std::uint64_t place) {
  return is_sound_as<ByteOrder::little>(bytes, place) || is_sound_as<ByteOrder::big>(bytes, place);
}

template <ByteOrder order>
std::optional<NewestUberblock> uberblock_as(Bytes bytes) {
  const auto block = base::load<Uberblock<order>>(bytes);
  if (block.magic != uberblock_magic) return std::nullopt;
  return NewestUberblock{block.txg, block.version, std::int64_t(std::uint64_t(block.timestamp))};
}

struct Candidate {
  NewestUberblock block;
  std::size_t offset = 0;  // in the label
};

std::optional<NewestUberblock> newest_uberblock(Bytes label, std::uint64_t label_place, std::uint64_t ashift) {
  const std::size_t size = std::size_t(1)
                           << std::clamp<std::uint64_t>(ashift, least_uberblock_shift, most_uberblock_shift);
  std::vector<Candidate> candidates;
  for (std::size_t offset = ring_offset; offset + size <= ring_offset + ring_bytes; offset += size) {
    auto block = uberblock_as<ByteOrder::little>(label.subspan(offset));
    if (!block) block = uberblock_as<ByteOrder::big>(label.subspan(offset));
    if (block) candidates.push_back({*block, offset});
  }
  std::ranges::sort(candidates, [](const Candidate& a, const Candidate& b) {
    return std::pair(a.block.txg, a.block.timestamp) > std::pair(b.block.txg, b.block.timestamp);
  });
  for (const Candidate& candidate : candidates)
    if (is_sound(label.subspan(candidate.offset, size), label_place + candidate.offset)) return candidate.block;
  return std::nullopt;
}

std::uint64_t ashift_of(const NvList& config) {
  const auto tree = config.lists.find("vdev_tree");
  return tree == config.lists.end() ? 0 : tree->second.number("ashift").value_or(0);
}

std::optional<Label> label_at(block::BlockDevice& device, std::uint64_t place) {
  const auto bytes = device.read(place, label_bytes);
  const Bytes config = Bytes(bytes).subspan(config_offset, config_bytes);
  if (!is_sound(config, place + config_offset)) return std::nullopt;
  try {
    Label label{parse_nvlist(config), {}, 0};
    label.uberblock = newest_uberblock(bytes, place, ashift_of(label.config));
    return label;
  } catch (const base::Error& error) {
    if (error.kind() != base::ErrorKind::corrupt) throw;
    return std::nullopt;
  }
}

}  // namespace

std::optional<Label> read_label(block::BlockDevice& device) {
  const std::uint64_t size = device.size() / label_bytes * label_bytes;
  if (size < 4 * label_bytes) return std::nullopt;
  unsigned damaged = 0;
  for (const std::uint64_t place : {std::uint64_t(0), label_bytes, size - 2 * label_bytes, size - label_bytes}) {
    if (auto label = label_at(device, place)) {
      label->damaged = damaged;
      return label;
    }
    ++damaged;
  }
  return std::nullopt;
}

}  // namespace hrvm::volume::zfs
