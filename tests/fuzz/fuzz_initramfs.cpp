// An initramfs made of the fuzzer's bytes, read as discovery does.
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>

#include "probe/initramfs/initramfs.hpp"
#include "support/memory_files.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::set<std::string> asked = {"virtio_blk", "virtio_pci", "ahci", "nvme"};
  hrvm::test::MemoryFiles files({{"/initrd", std::string(data, data + size)}});
  hrvm::probe::read_initramfs(files, "/initrd", asked, 1 << 20);
  return 0;
}
