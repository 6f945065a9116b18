// Reads a FAT filesystem made of the fuzzer's bytes: what discovery asks of an EFI system partition.
#include <cstddef>
#include <cstdint>

#include "fuzz/file_system_walk.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  hrvm::fuzz::walk(data, size, hrvm::fs::open_fat);
  return 0;
}
