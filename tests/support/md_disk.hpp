// Members of md arrays made in memory, so that a test can say exactly what lies where and what is broken. mdadm says of
// what the system tests make the same way that it is right.
#pragma once

#include <array>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/endian.hpp"
#include "volume/md/format.hpp"

namespace hrvm::volume::test {

using Bytes = std::vector<std::byte>;

// What a test says of a member; sizes are bytes.
struct MadeMember {
  unsigned version = 2;  // 1.version; 90: 0.90
  std::string name = "host:data";
  std::uint8_t array = 1;  // all bytes of its UUID
  std::int32_t level = 1;
  std::uint32_t layout = 0;
  std::uint64_t chunk = 4096;
  std::uint32_t members = 2, number = 0;
  std::vector<std::uint16_t> roles = {0, 1};  // by number
  std::uint64_t device = 256 * base::KiB, data_offset = 16 * base::KiB, data = 128 * base::KiB;
  std::uint64_t used = 128 * base::KiB;
  std::uint64_t events = 10;
  std::uint32_t features = 0;
};

template <base::ByteOrder order>
std::uint32_t md_sum(std::span<const std::byte> bytes) {
  std::uint64_t sum = 0;
  std::size_t at = 0;
  for (; at + 4 <= bytes.size(); at += 4) sum += base::load<base::DiskInteger<std::uint32_t, order>>(bytes, at);
  if (at < bytes.size()) sum += base::load<base::le16>(bytes, at);
  return std::uint32_t((sum & 0xffffffff) + (sum >> 32));
}

inline std::uint64_t super_offset(const MadeMember& made) {
  if (made.version == 90) return made.device / 65536 * 65536 - 65536;
  return made.version == 2 ? 4096 : made.version == 1 ? 0 : (made.device - 8192) / 4096 * 4096;
}

inline void put_super_1(Bytes& bytes, const MadeMember& made) {
  const auto at = super_offset(made);
  md::SuperBlock1 disk{};
  disk.magic = md::magic;
  disk.version = 1;
  disk.features = made.features;
  disk.array_uuid.fill(std::byte(made.array));
  std::memcpy(disk.name.data(), made.name.data(), std::min<std::size_t>(made.name.size(), 32));
  disk.level = std::uint32_t(made.level);
  disk.layout = made.layout;
  disk.sectors = made.used / 512;
  disk.chunk_sectors = std::uint32_t(made.chunk / 512);
  disk.members = made.members;
  disk.data_offset = made.data_offset / 512;
  disk.data_sectors = made.data / 512;
  disk.super_offset = at / 512;
  disk.number = made.number;
  disk.events = made.events;
  disk.roles = std::uint32_t(made.roles.size());
  base::store(std::span(bytes), at, disk);
  for (std::size_t i = 0; i < made.roles.size(); ++i)
    base::store(std::span(bytes), at + sizeof disk + 2 * i, base::le16(made.roles[i]));
  const auto sum = md_sum<base::ByteOrder::little>(std::span(bytes).subspan(at, sizeof disk + 2 * made.roles.size()));
  base::store(std::span(bytes), at + offsetof(md::SuperBlock1, checksum), base::le32(sum));
}

template <base::ByteOrder order>
void put_super_090(Bytes& bytes, const MadeMember& made) {
  md::SuperBlock090<order> disk{};
  disk.magic = md::magic;
  disk.minor = 90;
  disk.uuid0 = disk.uuid1 = disk.uuid2 = disk.uuid3 = 0x01010101u * made.array;
  disk.level = std::uint32_t(made.level);
  disk.layout = made.layout;
  disk.kib = std::uint32_t(made.used / 1024);
  disk.members = made.members;
  disk.chunk_bytes = std::uint32_t(made.chunk);
  disk.events[order == base::ByteOrder::little ? 0 : 1] = std::uint32_t(made.events);
  for (std::uint32_t i = 0; i < made.roles.size(); ++i) {
    disk.roles[i].number = i;
    disk.roles[i].role = made.roles[i];
    disk.roles[i].state = made.roles[i] < md::first_role_of_none ? 6 : 1;
  }
  disk.self = disk.roles[made.number];
  const auto at = super_offset(made);
  base::store(std::span(bytes), at, disk);
  const auto sum = md_sum<order>(std::span(bytes).subspan(at, sizeof disk));
  disk.checksum = sum;
  base::store(std::span(bytes), at, disk);
}

// Each sector of data begins with `member` and the sector's number in the data.
inline std::uint64_t md_mark(unsigned member, std::uint64_t sector) { return std::uint64_t(member) << 32 | sector; }

inline Bytes member_bytes(const MadeMember& made, base::ByteOrder order = base::ByteOrder::little) {
  Bytes bytes(made.device);
  const auto data_offset = made.version == 90 ? 0 : made.data_offset;
  for (std::uint64_t sector = 0; data_offset + sector * 512 + 8 <= bytes.size(); ++sector)
    base::store(std::span(bytes), data_offset + sector * 512, base::le64(md_mark(made.number, sector)));
  if (made.version != 90)
    put_super_1(bytes, made);
  else if (order == base::ByteOrder::little)
    put_super_090<base::ByteOrder::little>(bytes, made);
  else
    put_super_090<base::ByteOrder::big>(bytes, made);
  return bytes;
}

}  // namespace hrvm::volume::test
