#include "fs/btrfs/super.hpp"

#include <fmt/core.h>

#include <bit>

#include "fs/btrfs/checksum.hpp"
#include "hrvm/base/error.hpp"

namespace hrvm::fs::btrfs {
namespace {

using base::Error, base::ErrorKind;

constexpr std::uint32_t least_sector = 512, largest_node = 64 << 10;

std::optional<SuperBlock> super_at(block::BlockDevice& device, std::uint64_t offset) {
  if (device.size() < offset + super_bytes) return std::nullopt;
  const auto bytes = device.read(offset, super_bytes);
  const auto super = base::load<SuperBlock>(bytes);
  if (std::string_view(super.magic.data(), super.magic.size()) != super_magic || super.offset != offset)
    return std::nullopt;
  // A type that is not known is reported later.
  const bool is_known = checksum_bytes(super.checksum_type) != 0;
  return !is_known || is_intact(super.checksum_type, bytes) ? std::optional(super) : std::nullopt;
}

bool has_sound_sizes(const SuperBlock& super) {
  const std::uint32_t sector = super.sector_bytes, node = super.node_bytes;
  return std::has_single_bit(sector) && std::has_single_bit(node) && sector >= least_sector && sector <= node &&
         node <= largest_node && super.system_chunks_bytes <= super.system_chunks.size() && super.devices != 0;
}

std::string names_of(std::uint64_t features) {
  for (const auto& feature : refused_features)
    if (features & feature.bit) return std::string(feature.name);
  return fmt::format("features that are not known ({:#x})", features);
}

}  // namespace

std::optional<SuperBlock> read_super(block::BlockDevice& device) {
  std::optional<SuperBlock> newest;
  for (const auto offset : super_offsets) {
    const auto found = super_at(device, offset);
    if (found && (!newest || newest->generation < found->generation)) newest = found;
    if (found && offset == super_offsets.front()) break;
  }
  return newest;
}

void check_super(const SuperBlock& super, const block::BlockDevice& device) {
  const auto fail = [&](ErrorKind kind, std::string what) {
    throw Error(kind, fmt::format("the btrfs on {} {}", device.name(), what)).on(device.name());
  };
  if (const auto features = super.incompatible & ~known_incompatible)
    fail(ErrorKind::unsupported, "has " + names_of(features));
  if (checksum_bytes(super.checksum_type) == 0)
    fail(ErrorKind::unsupported,
         fmt::format("has checksums of a type that is not known ({})", std::uint16_t(super.checksum_type)));
  if (!has_sound_sizes(super)) fail(ErrorKind::corrupt, "has a superblock that cannot be");
}

const Uuid& metadata_uuid(const SuperBlock& super) {
  return super.incompatible & incompatible_metadata_uuid ? super.metadata_uuid : super.filesystem;
}

}  // namespace hrvm::fs::btrfs
