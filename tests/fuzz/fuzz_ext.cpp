// Reads an ext filesystem made of the fuzzer's bytes: what discovery asks of a root filesystem.
#include <cstddef>
#include <cstdint>

#include "fuzz/file_system_walk.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  hrvm::fuzz::walk(data, size, hrvm::fs::open_ext);
  return 0;
}
