// The configuration of a pool in sound labels, whose checksums would keep a fuzzer out.
#include <algorithm>
#include <string>

#include "hrvm/block/devices.hpp"
#include "hrvm/volume/volumes.hpp"
#include "support/zfs_device.hpp"

using namespace hrvm;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static auto bytes = volume::test::zfs_device("");
  const auto region = std::span(bytes).subspan(volume::zfs::config_offset, volume::zfs::config_bytes);
  const std::size_t most = volume::zfs::config_bytes - sizeof(volume::zfs::Trailer<base::ByteOrder::little>);
  std::ranges::fill(region, std::byte());
  std::memcpy(region.data(), data, std::min(size, most));
  volume::test::seal(region, volume::zfs::config_offset);
  const auto device = block::memory_device(bytes, "fuzz");
  volume::assemble_zfs({{device.get(), "p1"}});
  return 0;
}
