// The configuration of a pool.
#include "fuzz/volume_inputs.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  hrvm::fuzz::read_zfs(std::as_bytes(std::span(data, size)));
  return 0;
}
