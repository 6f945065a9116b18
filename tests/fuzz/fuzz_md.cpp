// Members of arrays whose superblocks are the fuzzer's. Each array that they make is read.
#include "fuzz/volume_inputs.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  hrvm::fuzz::read_md(std::as_bytes(std::span(data, size)));
  return 0;
}
