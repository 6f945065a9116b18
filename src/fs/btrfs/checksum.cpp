#include "fs/btrfs/checksum.hpp"

#include <nettle/sha2.h>
#include <xxhash.h>

#include <algorithm>
#include <cstring>

#include "fs/btrfs/blake2b.hpp"
#include "fs/crc32c.hpp"
#include "hrvm/base/endian.hpp"

namespace hrvm::fs::btrfs {
namespace {

Checksum crc32c_of(std::span<const std::byte> data) {
  Checksum sum{};
  base::store(sum, 0, base::le32(~crc32c(~0u, data)));
  return sum;
}

Checksum xxhash_of(std::span<const std::byte> data) {
  Checksum sum{};
  base::store(sum, 0, base::le64(XXH64(data.data(), data.size(), 0)));
  return sum;
}

Checksum sha256_of(std::span<const std::byte> data) {
  std::array<std::uint8_t, SHA256_DIGEST_SIZE> digest;
  sha256_ctx context;
  sha256_init(&context);
  sha256_update(&context, data.size(), static_cast<const std::uint8_t*>(static_cast<const void*>(data.data())));
  sha256_digest(&context, digest.size(), digest.data());
  Checksum sum{};
  std::ranges::transform(digest, sum.begin(), [](std::uint8_t byte) { return std::byte(byte); });
  return sum;
}

struct Kind {
  std::size_t bytes;
  Checksum (*of)(std::span<const std::byte>);
};
constexpr std::array<Kind, 4> kinds = {{{4, crc32c_of}, {8, xxhash_of}, {32, sha256_of}, {32, blake2b_256}}};

}  // namespace

std::size_t checksum_bytes(std::uint16_t type) { return type < kinds.size() ? kinds[type].bytes : 0; }

Checksum checksum_of(std::uint16_t type, std::span<const std::byte> data) {
  return type < kinds.size() ? kinds[type].of(data) : Checksum{};
}

bool is_intact(std::uint16_t type, std::span<const std::byte> block) {
  const auto length = checksum_bytes(type);
  if (length == 0 || block.size() <= checksum_room) return false;
  const auto sum = checksum_of(type, block.subspan(checksum_room));
  return std::ranges::equal(std::span(sum).first(length), block.first(length));
}

std::uint32_t name_hash(std::span<const std::byte> name) { return crc32c(~1u, name); }

}  // namespace hrvm::fs::btrfs
