// A thin pool's metadata, in which one volume is looked up from its start to its end.
#include "fuzz/volume_inputs.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  hrvm::fuzz::read_thin(std::as_bytes(std::span(data, size)));
  return 0;
}
