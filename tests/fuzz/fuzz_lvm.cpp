// The text of a volume group's metadata. Each volume that it leads to is read at both ends and in between.
#include "fuzz/volume_inputs.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  hrvm::fuzz::read_lvm(std::as_bytes(std::span(data, size)));
  return 0;
}
