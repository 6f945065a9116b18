// A unified kernel image made of the fuzzer's bytes: its sections, and the initramfs in it.
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>

#include "probe/boot/unified_image.hpp"
#include "probe/initramfs/initramfs.hpp"
#include "support/memory_files.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::set<std::string> asked = {"virtio_blk"};
  hrvm::test::MemoryFiles files({{"/image.efi", std::string(data, data + size)}});
  hrvm::probe::read_unified_image(files, "/image.efi");
  hrvm::probe::read_initramfs(files, "/image.efi", asked, 1 << 20);
  return 0;
}
