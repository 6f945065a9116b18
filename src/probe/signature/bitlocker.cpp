#include "probe/signature/bitlocker.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "hrvm/base/endian.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/guid.hpp"

namespace hrvm::probe {
namespace {

constexpr std::string_view signature = "-FVE-FS-";

// J. Metz, "BitLocker Drive Encryption (BDE) format specification": the volume header of Windows 7 and later, where it
// takes NTFS's place and where it lies in a FAT32 to be read elsewhere (BitLocker To Go).
struct Header {
  std::size_t identifier, metadata_offsets;
};
constexpr Header headers[] = {{160, 176}, {424, 440}};
constexpr std::array<std::uint8_t, 16> bitlocker = {0x49, 0x67, 0xd6, 0x3b, 0x2e, 0x29, 0x4a, 0xd8,
                                                    0x83, 0x99, 0xf6, 0xa3, 0x39, 0xe3, 0xd0, 0x01};
constexpr std::size_t vista_cluster_of_metadata = 56;

struct MetadataBlock {
  std::array<char, 8> signature;
  base::le16 size, version;
  std::array<std::byte, 52> unused;
  base::le32 metadata_size, metadata_version, header_size, copy_size;
  std::array<std::byte, 16> volume;  // a GUID
};
static_assert(offsetof(MetadataBlock, volume) == 80);

base::Guid guid_at(std::span<const std::byte> bytes, std::size_t offset) {
  return base::Guid::from_mixed_endian(bytes.subspan(offset).first<16>());
}

std::optional<std::uint64_t> metadata_place(std::span<const std::byte> sector) {
  for (const Header& header : headers)
    if (guid_at(sector, header.identifier).bytes == bitlocker)
      return std::uint64_t(base::load<base::le64>(sector, header.metadata_offsets));
  const auto name = base::load<std::array<char, 8>>(sector, 3);
  if (std::string_view(name.data(), name.size()) != signature) return std::nullopt;
  const std::uint64_t cluster =
      std::uint64_t(base::load<base::le16>(sector, 11)) * std::to_integer<unsigned>(sector[13]);
  const std::uint64_t place = base::load<base::le64>(sector, vista_cluster_of_metadata);
  return cluster == 0 || place > ~0ull / cluster ? std::nullopt : std::optional(place * cluster);
}

}  // namespace

std::optional<BitLockerVolume> read_bitlocker(block::BlockDevice& device) try {
  if (device.size() < 512) return std::nullopt;
  const auto place = metadata_place(device.read(0, 512));
  if (!place || device.size() < sizeof(MetadataBlock) || *place > device.size() - sizeof(MetadataBlock))
    return std::nullopt;
  const auto block = base::load<MetadataBlock>(device.read(*place, sizeof(MetadataBlock)));
  if (std::string_view(block.signature.data(), block.signature.size()) != signature) return std::nullopt;
  return BitLockerVolume{std::to_string(std::uint32_t(block.version)),
                         base::Guid::from_mixed_endian(block.volume).text()};
} catch (const base::Error&) {
  return std::nullopt;
}

}  // namespace hrvm::probe
