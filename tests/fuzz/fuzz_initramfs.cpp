// An initramfs made of the fuzzer's bytes, read as discovery does, and what its configuration says about the start.
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>

#include "probe/hazards/hazards.hpp"
#include "probe/initramfs/initramfs.hpp"
#include "support/memory_files.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::set<std::string> asked = {"virtio_blk", "virtio_pci", "ahci", "nvme"};
  hrvm::test::MemoryFiles files({{"/initrd", std::string(data, data + size)}});
  const auto initramfs = hrvm::probe::read_initramfs(files, "/initrd", asked, 1 << 20);
  hrvm::probe::Contents contents;
  contents.volumes = {{"vg/root", hrvm::probe::VolumeKind::lvm, 1 << 20, "ext4", "", ""}};
  hrvm::probe::System system;
  system.root = "vg/root";
  hrvm::probe::Findings findings;
  hrvm::probe::add_hazards({nullptr, system, contents, initramfs, ""}, findings);
  return 0;
}
