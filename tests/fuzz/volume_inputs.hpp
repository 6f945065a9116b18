// What the targets for volumes make of a fuzzer's bytes, with the checksums put right that would keep it out, and what
// comes of it. Their corpora are replayed by the unit tests.
#pragma once

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "hrvm/base/crc32.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/block/devices.hpp"
#include "hrvm/volume/volumes.hpp"
#include "support/lvm_disk.hpp"
#include "support/md_disk.hpp"
#include "support/zfs_device.hpp"
#include "volume/thin/format.hpp"
#include "volume/thin/pool.hpp"

namespace hrvm::fuzz {

using Input = std::span<const std::byte>;
using Device = std::unique_ptr<block::BlockDevice>;

// "reads" where volumes came of it, "told" where something is wrong, "nothing" where nothing came of
// it.
inline std::string outcome_of(const volume::Assembly& assembly) {
  bool is_told = !assembly.findings.empty();
  for (const auto& volume : assembly.volumes) try {
      is_told |= !volume.because.empty() && volume.kind != volume::VolumeKind::zfs;  // no pool can be read
      if (!volume.device || volume.device->size() < 512) continue;
      const auto end = volume.device->size();
      for (const auto at : {std::uint64_t(0), end / 2, end / 3, end - 512}) {
        volume.device->extent_at(at);
        volume.device->read(at, 512);
      }
    } catch (const base::Error&) {
      is_told = true;
    }
  return is_told ? "told" : assembly.volumes.empty() ? "nothing" : "reads";
}

// The text of a volume group's metadata, on a sound physical volume.
inline std::string read_lvm(Input input) {
  static const auto empty = volume::test::pv_bytes(0);
  auto bytes = empty;
  const std::size_t most = volume::test::area_bytes - 1024;
  const auto* text = reinterpret_cast<const char*>(input.data());
  volume::test::put_metadata(bytes, std::string(text, text + std::min(input.size(), most)));
  const auto device = block::memory_device(std::move(bytes), "fuzz");
  return outcome_of(volume::assemble_lvm({{device.get(), "p1"}}));
}

// The configuration of a pool, in a sound label.
inline std::string read_zfs(Input input) {
  static auto bytes = volume::test::zfs_device("");
  const auto region = std::span(bytes).subspan(volume::zfs::config_offset, volume::zfs::config_bytes);
  const std::size_t most = volume::zfs::config_bytes - sizeof(volume::zfs::Trailer<base::ByteOrder::little>);
  std::ranges::fill(region, std::byte());
  std::ranges::copy(input.first(std::min(input.size(), most)), region.begin());
  volume::test::seal(region, volume::zfs::config_offset);
  const auto device = block::memory_device(bytes, "fuzz");
  return outcome_of(volume::assemble_zfs({{device.get(), "p1"}}));
}

constexpr std::size_t md_device_bytes = 192 * base::KiB, most_md_members = 4;
constexpr std::size_t md_record_bytes = 1 + 256 + 16;  // a superblock of version 1 and eight roles

// Version 1 at 4 KiB, or 0.90 at the end. The first byte says which.
inline std::vector<std::byte> md_member(Input super) {
  std::vector<std::byte> bytes(md_device_bytes);
  const bool is_old = super[0] == std::byte{0};
  super = super.subspan(1);
  const std::size_t at = is_old ? md_device_bytes - 65536 : 4096;
  const auto out = std::span(bytes).subspan(at, volume::md::super_bytes);
  std::ranges::copy(super, out.begin());
  const auto field =
      is_old ? offsetof(volume::md::AnySuperBlock090, checksum) : offsetof(volume::md::SuperBlock1, checksum);
  const auto roles = base::load<volume::md::SuperBlock1>(out).roles;
  base::store(out, field, base::le32(0));
  const auto length = is_old ? out.size() : std::min<std::size_t>(256 + 2 * std::size_t(roles), out.size());
  base::store(out, field, base::le32(volume::test::md_sum<base::ByteOrder::little>(out.first(length))));
  return bytes;
}

// Superblocks, one after the other.
inline std::string read_md(Input rest) {
  std::vector<Device> devices;
  std::vector<volume::Member> members;
  while (rest.size() > 1 && devices.size() < most_md_members) {
    const bool is_old = rest[0] == std::byte{0};
    const auto length = std::min(rest.size(), is_old ? 1 + volume::md::super_bytes : md_record_bytes);
    devices.push_back(block::memory_device(md_member(rest.first(length)), "fuzz"));
    members.push_back({devices.back().get(), "p"});
    rest = rest.subspan(length);
  }
  return outcome_of(volume::assemble_md(members));
}

inline void put_right_thin_metadata(std::vector<std::byte>& bytes) {
  using volume::thin::block_bytes, volume::thin::Node, volume::thin::Superblock;
  for (std::size_t at = 0; at < bytes.size(); at += block_bytes) {
    const auto block = std::span(bytes).subspan(at, block_bytes);
    if (at == 0) base::store(block, offsetof(Superblock, magic), base::le64(volume::thin::superblock_magic));
    base::store(block, offsetof(Node, block), base::le64(at / block_bytes));
    const auto salt = at == 0 ? volume::thin::superblock_salt : volume::thin::node_salt;
    const auto crc = base::crc32_register<base::CrcPolynomial::castagnoli>(~0u, block.subspan(4)) ^ salt;
    base::store(block, 0, base::le32(crc));
  }
}

// A thin pool's metadata, block by block.
inline std::string read_thin(Input input) {
  constexpr std::size_t most_blocks = 16;
  input = input.first(std::min(input.size(), most_blocks * volume::thin::block_bytes));
  std::vector<std::byte> bytes(input.begin(), input.end());
  bytes.resize((bytes.size() + volume::thin::block_bytes - 1) / volume::thin::block_bytes * volume::thin::block_bytes);
  put_right_thin_metadata(bytes);
  const auto metadata = block::memory_device(std::move(bytes), "metadata");
  const auto store = block::memory_device(std::vector<std::byte>(1 << 20), "data");
  try {
    volume::ThinPool pool(*metadata, *store);
    const auto root = pool.root_of(1);
    if (!root) return "nothing";
    volume::ThinVolume thin(pool, *root, 1ull << 40, "thin");
    std::uint64_t at = 0;
    for (int pieces = 0; at < thin.size() && pieces < 1000; ++pieces) at += thin.extent_at(at).length;
    thin.read(0, 4096);
    return "reads";
  } catch (const base::Error&) {
    return "told";
  }
}

}  // namespace hrvm::fuzz
