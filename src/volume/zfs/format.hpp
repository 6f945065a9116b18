// ZFS as it lies on a device: "ZFS On-Disk Specification" (Sun, 2006), chapter 1, and include/sys/vdev_impl.h,
// include/sys/uberblock_impl.h, include/sys/zio.h of OpenZFS. Integers are in the byte order of who wrote them, but for
// the nvlist, which is XDR.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "hrvm/base/endian.hpp"

namespace hrvm::volume::zfs {

// Four labels, two at each end of the device, whose size is rounded down to theirs.
inline constexpr std::uint64_t label_bytes = 256 << 10;
inline constexpr std::uint64_t config_offset = 16 << 10;  // of the nvlist in a label
inline constexpr std::uint64_t config_bytes = 112 << 10;
inline constexpr std::uint64_t ring_offset = 128 << 10;  // of the uberblocks
inline constexpr std::uint64_t ring_bytes = 128 << 10;
inline constexpr unsigned least_uberblock_shift = 10, most_uberblock_shift = 13;

inline constexpr std::uint64_t uberblock_magic = 0x00bab10c;
inline constexpr std::uint64_t trailer_magic = 0x0210da7ab10c7a11;

template <base::ByteOrder order>
struct Uberblock {
  using u64 = base::DiskInteger<std::uint64_t, order>;
  u64 magic;
  u64 version;
  u64 txg;
  u64 guid_sum;
  u64 timestamp;  // seconds since 1970
};
static_assert(sizeof(Uberblock<base::ByteOrder::little>) == 40);

// zio_eck_t: ends the nvlist and each uberblock. The checksum is SHA-256 of the whole with its own field as {offset on
// the device, 0, 0, 0}, kept as four integers.
template <base::ByteOrder order>
struct Trailer {
  using u64 = base::DiskInteger<std::uint64_t, order>;
  u64 magic;
  std::array<u64, 4> checksum;
};
static_assert(sizeof(Trailer<base::ByteOrder::little>) == 40);

enum class PoolState : std::uint64_t { active = 0, exported = 1, destroyed = 2, spare = 3, cache = 4 };

}  // namespace hrvm::volume::zfs
