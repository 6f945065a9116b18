#include "machine/drift/marks.hpp"

#include <xxhash.h>

#include <algorithm>
#include <array>
#include <memory>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"

namespace hrvm::machine {
namespace {

using base::KiB;
using base::MiB;

struct FreeHash {
  void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
};
using Hash = std::unique_ptr<XXH3_state_t, FreeHash>;

Hash new_hash() {
  Hash hash(XXH3_createState());
  if (!hash) throw std::bad_alloc();
  XXH3_64bits_reset(hash.get());
  return hash;
}

constexpr std::uint64_t most_of_a_region = 2 * MiB;

Region cut(const Region& region, std::uint64_t size) {
  const auto offset = std::min(region.offset, size);
  return {offset, std::min({region.length, size - offset, most_of_a_region})};
}

template <std::uint64_t offset, std::uint64_t length>
Look fixed(block::BlockDevice&) {
  return {{{offset, length}}, {}};
}

constexpr auto look_at_start = fixed<0, 64 * KiB>;

// libblkid's types. LVM: label and metadata area. ZFS: label 0 with its ring of uberblocks, which every transaction
// moves. Swap: its header, which hibernation signs.
constexpr std::array<Marker, 13> markers = {{
    {"ext2", "superblock", look_at_ext},
    {"ext3", "superblock", look_at_ext},
    {"ext4", "superblock", look_at_ext},
    {"vfat", "allocation table", look_at_fat},
    {"xfs", "superblock and log", look_at_xfs},
    {"btrfs", "superblock", look_at_btrfs},
    {"ntfs", "master file table", look_at_ntfs},
    {"swap", "header", fixed<0, 64 * KiB>},
    {"LVM2_member", "metadata", fixed<0, MiB>},
    {"zfs_member", "label", fixed<0, 256 * KiB>},
    {"crypto_LUKS", "header and start of data", look_at_luks},
    {"linux_raid_member", "superblock", look_at_md},
    {"", "start", look_at_start},
}};

std::string hash_text(const Hash& hash) { return "xxh3 " + base::hex(XXH3_64bits_digest(hash.get()), 16); }

}  // namespace

const Marker& marker_for(std::string_view type) {
  const auto found = std::find_if(markers.begin(), markers.end(), [&](const auto& each) { return each.type == type; });
  return found == markers.end() ? markers.back() : *found;
}

std::string hash_regions(block::BlockDevice& device, const std::vector<Region>& regions) {
  const Hash hash = new_hash();
  for (const auto& region : regions) {
    const auto [offset, length] = cut(region, device.size());
    const auto bytes = device.read(offset, std::size_t(length));
    XXH3_64bits_update(hash.get(), bytes.data(), bytes.size());
  }
  return hash_text(hash);
}

std::string read_mark(const Marker& marker, block::BlockDevice& device) {
  try {
    const Look look = marker.look(device);
    const auto hash = hash_regions(device, look.regions);
    return look.text.empty() ? hash : look.text + "; " + hash;
  } catch (const base::Error& error) {
    if (error.kind() != base::ErrorKind::io) throw;
    return "cannot be read";
  }
}

}  // namespace hrvm::machine
