#include "hrvm/volume/marks.hpp"

#include "hrvm/base/byte_size.hpp"
#include "volume/look_at.hpp"

namespace hrvm::volume {
namespace {

using base::KiB, base::MiB;

// LVM: label and metadata area. ZFS: label 0 with its ring of uberblocks, which every transaction moves.
constexpr block::Marker markers[] = {
    {"LVM2_member", "metadata", block::look_at_start<MiB>},
    {"zfs_member", "label", block::look_at_start<256 * KiB>},
    {"crypto_LUKS", "header and start of data", look_at_luks},
    {"linux_raid_member", "superblock", look_at_md},
};

}  // namespace

std::optional<block::Marker> marker_of(std::string_view type) {
  for (const auto& marker : markers)
    if (marker.type == type) return marker;
  return std::nullopt;
}

}  // namespace hrvm::volume
