#include "machine/drift/marks.hpp"

#include <xxhash.h>

#include <algorithm>
#include <memory>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/fs/marks.hpp"
#include "hrvm/volume/marks.hpp"

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

std::string hash_text(const Hash& hash) { return "xxh3 " + base::hex(XXH3_64bits_digest(hash.get()), 16); }

}  // namespace

Marker marker_for(std::string_view type) {
  if (const auto marker = fs::marker_of(type)) return *marker;
  if (const auto marker = volume::marker_of(type)) return *marker;
  if (type == "swap") return {"swap", "header", block::look_at_start<64 * KiB>};  // hibernation signs it
  return {"", "start", block::look_at_start<64 * KiB>};
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
