#include "volume/md/super.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "volume/md/format.hpp"

namespace hrvm::volume::md {
namespace {

using base::ByteOrder;
using Bytes = std::vector<std::byte>;

[[noreturn]] void damaged(const block::BlockDevice& device, std::string_view why) {
  throw base::Error(base::ErrorKind::corrupt, fmt::format("its md superblock {}", why)).on(device.name());
}

// The checksum's own field counts as 0.
template <ByteOrder order>
std::uint64_t sum_of(std::span<const std::byte> bytes, std::uint32_t checksum) {
  std::uint64_t sum = 0;
  std::size_t at = 0;
  for (; at + 4 <= bytes.size(); at += 4) sum += base::load<base::DiskInteger<std::uint32_t, order>>(bytes, at);
  if (at + 2 <= bytes.size()) sum += base::load<base::le16>(bytes, at);
  sum -= checksum;
  return (sum & 0xffffffff) + (sum >> 32);
}

void check_data(const Super& super, const block::BlockDevice& device) {
  if (super.data_offset > device.size() || super.data_bytes > device.size() - super.data_offset)
    damaged(device, "says that its data leave the device");
}

std::string name_in(const SuperBlock1& disk) {
  const auto whole = std::string_view(disk.name.data(), disk.name.size());
  const auto text = whole.substr(0, whole.find('\0'));
  const auto colon = text.find(':');
  return std::string(colon == text.npos ? text : text.substr(colon + 1));
}

std::vector<std::optional<std::uint32_t>> roles_in(const SuperBlock1& disk, std::span<const std::byte> bytes) {
  std::vector<std::optional<std::uint32_t>> roles(disk.roles);
  for (std::size_t i = 0; i < roles.size(); ++i)
    if (const std::uint16_t role = base::load<base::le16>(bytes, sizeof disk + 2 * i); role < first_role_of_none)
      roles[i] = role;
  return roles;
}

// `minor`: what the place is for.
std::optional<Super> read_version_1(block::BlockDevice& device, std::uint64_t offset, unsigned minor) {
  if (offset > device.size() || super_bytes > device.size() - offset) return std::nullopt;
  const auto bytes = device.read(offset, super_bytes);
  const auto disk = base::load<SuperBlock1>(bytes);
  if (disk.magic != magic || disk.version != 1 || disk.super_offset != offset / sector_bytes) return std::nullopt;
  if (disk.roles > most_roles) damaged(device, "has more roles than can be");
  const auto summed = std::span(bytes).first(sizeof disk + 2 * disk.roles);
  if (std::uint32_t(sum_of<ByteOrder::little>(summed, disk.checksum)) != disk.checksum)
    damaged(device, "has a wrong checksum");
  constexpr std::uint64_t most_sectors = 1ull << 54;
  if (std::max({std::uint64_t(disk.data_offset), std::uint64_t(disk.data_sectors), std::uint64_t(disk.sectors)}) >
      most_sectors)
    damaged(device, "has sizes that cannot be");
  Super super{fmt::format("1.{}", minor), base::Guid::from_big_endian(disk.array_uuid), name_in(disk)};
  super.level = std::int32_t(std::uint32_t(disk.level));
  super.layout = super.level != level_raid0 || (disk.features & feature_raid0_layout) ? std::uint32_t(disk.layout) : 0;
  super.chunk_bytes = disk.chunk_sectors * sector_bytes;
  super.members = disk.members;
  super.used_bytes = disk.sectors * sector_bytes;
  super.data_offset = disk.data_offset * sector_bytes;
  super.data_bytes = disk.data_sectors * sector_bytes;
  super.events = disk.events;
  super.number = disk.number;
  super.roles = roles_in(disk, bytes);
  super.is_whole = (disk.features & (feature_recovering | feature_replacement)) == 0;
  super.is_reshaping = (disk.features & feature_reshaping) != 0;
  check_data(super, device);
  return super;
}

std::uint32_t folded(std::uint64_t sum) {
  sum = (sum & 0xffff) + (sum >> 16);
  return (sum & 0xffff) + std::uint32_t(sum >> 16);
}

template <ByteOrder order>
base::Guid uuid_of(const SuperBlock090<order>& disk) {
  std::array<std::byte, 16> uuid;
  const std::uint32_t words[] = {disk.uuid0, disk.uuid1, disk.uuid2, disk.uuid3};
  for (std::size_t i = 0; i < 4; ++i) base::store(std::span(uuid), 4 * i, base::be32(words[i]));
  return base::Guid::from_big_endian(uuid);
}

template <ByteOrder order>
std::uint64_t number_of(const std::array<base::DiskInteger<std::uint32_t, order>, 2>& words) {
  const std::uint64_t first = words[0], second = words[1];
  return order == ByteOrder::little ? second << 32 | first : first << 32 | second;
}

template <ByteOrder order>
std::optional<Super> read_version_090(block::BlockDevice& device, std::span<const std::byte> bytes,
                                      std::uint64_t offset) {
  const auto disk = base::load<SuperBlock090<order>>(bytes);
  if (disk.magic != magic || disk.major != 0 || disk.minor < 90) return std::nullopt;
  if (folded(sum_of<order>(bytes, disk.checksum)) != folded(disk.checksum)) damaged(device, "has a wrong checksum");
  Super super{order == ByteOrder::little ? "0.90" : "0.90, big-endian", uuid_of(disk), {}};
  super.level = std::int32_t(std::uint32_t(disk.level));
  super.layout = super.level == level_raid0 ? 0 : std::uint32_t(disk.layout);
  super.chunk_bytes = disk.chunk_bytes;
  super.members = disk.members;
  super.used_bytes = disk.kib * base::KiB;
  super.data_bytes = offset;
  super.events = number_of<order>(disk.events);
  super.number = disk.self.number;
  for (const auto& role : disk.roles) {
    const bool works = (role.state & state_in_sync) && !(role.state & state_faulty);
    super.roles.push_back(works ? std::optional<std::uint32_t>(role.role) : std::nullopt);
  }
  super.is_reshaping = disk.minor >= reshaping_minor;
  check_data(super, device);
  return super;
}

std::optional<Super> read_version_090(block::BlockDevice& device) {
  if (device.size() < 2 * reserved_090) return std::nullopt;
  const auto offset = base::round_down(device.size(), reserved_090) - reserved_090;
  const auto bytes = device.read(offset, super_bytes);
  if (auto super = read_version_090<ByteOrder::little>(device, bytes, offset)) return super;
  return read_version_090<ByteOrder::big>(device, bytes, offset);
}

}  // namespace

std::optional<Super> read_super(block::BlockDevice& device) {
  if (auto super = read_version_1(device, 8 * sector_bytes, 2)) return super;
  if (auto super = read_version_1(device, 0, 1)) return super;
  if (device.size() >= 16 * sector_bytes) {
    const auto offset = base::round_down(device.size() - 16 * sector_bytes, 8 * sector_bytes);
    if (auto super = read_version_1(device, offset, 0)) return super;
  }
  return read_version_090(device);
}

}  // namespace hrvm::volume::md
