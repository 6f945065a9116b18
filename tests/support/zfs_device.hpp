// Devices of ZFS pools made by hand: an nvlist packed by XDR, and labels with sound checksums around it.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include <nettle/sha2.h>

#include "hrvm/base/endian.hpp"
#include "volume/zfs/format.hpp"

namespace hrvm::volume::test {

// Writes the pairs of one list after the other; end() closes it.
class NvPacker {
 public:
  NvPacker& number(const std::string& name, std::uint64_t value) { return pair(name, 8, 1, be64(value)); }
  NvPacker& text(const std::string& name, const std::string& value) { return pair(name, 9, 1, xdr_text(value)); }
  NvPacker& list(const std::string& name, const NvPacker& value) { return pair(name, 19, 1, value.body()); }
  NvPacker& lists(const std::string& name, const std::vector<NvPacker>& values) {
    std::string all;
    for (const NvPacker& value : values) all += value.body();
    return pair(name, 20, std::uint32_t(values.size()), all);
  }
  NvPacker& numbers(const std::string& name, const std::vector<std::uint64_t>& values) {
    std::string all = be32(std::uint32_t(values.size()));
    for (const auto value : values) all += be64(value);
    return pair(name, 16, std::uint32_t(values.size()), all);
  }
  NvPacker& name(const std::string& name) { return pair(name, 1, 0, {}); }

  // As a list within another.
  std::string body() const { return be32(0) + be32(1) + pairs_ + be32(0) + be32(0); }
  std::string packed() const { return std::string("\1\1\0\0", 4) + body(); }

 private:
  static std::string be32(std::uint32_t value) {
    const base::be32 disk(value);
    return {reinterpret_cast<const char*>(&disk), sizeof disk};
  }
  static std::string be64(std::uint64_t value) { return be32(std::uint32_t(value >> 32)) + be32(std::uint32_t(value)); }
  static std::string xdr_text(const std::string& text) {
    return be32(std::uint32_t(text.size())) + text + std::string((4 - text.size() % 4) % 4, '\0');
  }
  NvPacker& pair(const std::string& name, std::uint32_t type, std::uint32_t count, const std::string& value) {
    const std::string rest = xdr_text(name) + be32(type) + be32(count) + value;
    pairs_ += be32(std::uint32_t(8 + rest.size())) + be32(1) + rest;
    return *this;
  }

  std::string pairs_;
};

// Puts the trailer that vouches for bytes which lie at `place` of the device.
template <base::ByteOrder order = base::ByteOrder::little>
void seal(std::span<std::byte> bytes, std::uint64_t place) {
  zfs::Trailer<order> trailer;
  trailer.magic = zfs::trailer_magic;
  trailer.checksum = {};
  trailer.checksum[0] = place;
  const std::size_t body = bytes.size() - sizeof trailer;
  base::store(bytes, body, trailer);
  sha256_ctx context;
  sha256_init(&context);
  sha256_update(&context, bytes.size(), reinterpret_cast<const std::uint8_t*>(bytes.data()));
  std::array<std::byte, SHA256_DIGEST_SIZE> digest;
  sha256_digest(&context, digest.size(), reinterpret_cast<std::uint8_t*>(digest.data()));
  for (std::size_t i = 0; i < trailer.checksum.size(); ++i)
    trailer.checksum[i] = base::load<base::be64>(digest, i * sizeof(base::be64));
  base::store(bytes, body, trailer);
}

template <base::ByteOrder order = base::ByteOrder::little>
void put_uberblock(std::span<std::byte> device, std::uint64_t label, unsigned slot, std::uint64_t txg,
                   bool sound = true, unsigned shift = zfs::least_uberblock_shift) {
  zfs::Uberblock<order> block;
  block.magic = zfs::uberblock_magic;
  block.version = 5000;
  block.txg = txg;
  block.timestamp = 1700000000 + txg;
  const std::uint64_t place = label + zfs::ring_offset + (std::uint64_t(slot) << shift);
  const auto bytes = device.subspan(place, std::size_t(1) << shift);
  base::store(bytes, 0, block);
  seal<order>(bytes, sound ? place : place + 1);
}

// One MiB with this configuration in all four labels, and uberblocks up to transaction group 42 (libblkid wants some).
template <base::ByteOrder order = base::ByteOrder::little>
std::vector<std::byte> zfs_device(const std::string& config, unsigned shift = zfs::least_uberblock_shift) {
  std::vector<std::byte> device(4 * zfs::label_bytes);
  for (unsigned i = 0; i < 4; ++i) {
    const std::uint64_t place = i * zfs::label_bytes + zfs::config_offset;
    const auto region = std::span(device).subspan(place, zfs::config_bytes);
    std::memcpy(region.data(), config.data(), std::min<std::size_t>(config.size(), zfs::config_bytes - 40));
    seal<order>(region, place);
    for (unsigned slot = 0; slot < 8; ++slot)
      put_uberblock<order>(device, i * zfs::label_bytes, slot, 35 + slot, true, shift);
  }
  return device;
}

}  // namespace hrvm::volume::test
