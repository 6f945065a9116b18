#include <cstdlib>

#include "hrvm/block/devices.hpp"
#include "hrvm/probe/fit_table.hpp"
#include "hrvm/probe/partition_table.hpp"

using namespace hrvm;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  const auto device = block::memory_device({bytes.begin(), bytes.end()}, "fuzz");
  for (const auto& partition : probe::read_partition_table(*device).partitions)
    if (partition.start_bytes + partition.size_bytes > size) std::abort();
  for (const std::uint64_t disk :
       {std::uint64_t(size) / 2 / 512 * 512, std::uint64_t(size), std::uint64_t(size) + 65536}) {
    const auto fit = probe::fit_table(*device, disk, 512);
    for (const auto& patch : fit.patches)
      if (patch.offset > disk || patch.bytes.size() > disk - patch.offset) std::abort();
    for (const auto& region : fit.to_be_zero)
      if (region.offset > size || region.length > size - region.offset) std::abort();
  }
  return 0;
}
