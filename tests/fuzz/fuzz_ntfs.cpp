// Reads an NTFS filesystem of 2 MiB whose sectors are the fuzzer's: what discovery asks of a Windows root.
#include <cstddef>
#include <cstdint>

#include "fuzz/file_system_walk.hpp"
#include "support/packed_sectors.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto image = hrvm::test::unpack_sectors(std::as_bytes(std::span(data, size)), 2 << 20);
  hrvm::fuzz::walk(reinterpret_cast<const std::uint8_t*>(image.data()), image.size(), hrvm::fs::open_ntfs);
  return 0;
}
