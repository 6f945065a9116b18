#include "probe/signature/bcachefs.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <string_view>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"

namespace hrvm::probe {
namespace {

constexpr std::uint64_t superblock_offset = 4096;
constexpr std::size_t uuid_bytes = 16;

struct SuperBlock {
  std::array<std::byte, 24> checksum_and_versions;
  std::array<std::uint8_t, uuid_bytes> magic, uuid, user_uuid;
  std::array<char, 32> label;  // ended by a zero where it is shorter
};
static_assert(sizeof(SuperBlock) == 104);

constexpr std::array<std::uint8_t, uuid_bytes> bcachefs_magic = {0xc6, 0x85, 0x73, 0xf6, 0x66, 0xce, 0x90, 0xa9,
                                                                 0xd9, 0x6a, 0x60, 0xcf, 0x80, 0x3d, 0xf7, 0xef};

std::string uuid_text(std::span<const std::uint8_t> uuid) {
  std::string text;
  for (std::size_t i = 0; i < uuid.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += base::hex(uuid[i], 2);
  }
  return text;
}

}  // namespace

std::optional<Signature> read_bcachefs(block::BlockDevice& device) try {
  if (device.size() < superblock_offset + sizeof(SuperBlock)) return std::nullopt;
  SuperBlock super;
  device.read(superblock_offset, std::as_writable_bytes(std::span(&super, 1)));
  if (super.magic != bcachefs_magic) return std::nullopt;
  Signature signature;
  signature.type = "bcachefs";
  signature.usage = "filesystem";
  signature.label = std::string(super.label.data(), ::strnlen(super.label.data(), super.label.size()));
  signature.uuid = uuid_text(super.user_uuid);
  return signature;
} catch (const base::Error& error) {
  if (error.kind() != base::ErrorKind::io) throw;
  return std::nullopt;
}

}  // namespace hrvm::probe
