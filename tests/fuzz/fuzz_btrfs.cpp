// Reads a btrfs made of the fuzzer's blocks (support/btrfs_disk.hpp), whose checksums would keep a fuzzer out: what
// discovery asks of a root filesystem, its subvolumes included.
#include <cstddef>
#include <cstdint>

#include "fuzz/file_system_walk.hpp"
#include "hrvm/base/byte_size.hpp"
#include "support/btrfs_disk.hpp"

using namespace hrvm;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fs::test::FewBlocks blocks(std::as_bytes(std::span(data, size)), 128 * base::MiB);
  fs::test::Resummed device(blocks);
  try {
    const auto files = fs::open_btrfs(device);
    fuzz::explore(*files);
    auto subvolumes = files->subvolumes();
    subvolumes.resize(std::min<std::size_t>(subvolumes.size(), 4));
    for (const auto& subvolume : subvolumes) fuzz::explore(*files->open_subvolume(subvolume.id));
  } catch (const base::Error&) {
  }
  return 0;
}
