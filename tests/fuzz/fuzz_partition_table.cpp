#include <cstdlib>

#include "hrvm/block/devices.hpp"
#include "hrvm/probe/partition_table.hpp"

using namespace hrvm;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  const auto device = block::memory_device({bytes.begin(), bytes.end()}, "fuzz");
  for (const auto& partition : probe::read_partition_table(*device).partitions)
    if (partition.start_bytes + partition.size_bytes > size) std::abort();
  return 0;
}
