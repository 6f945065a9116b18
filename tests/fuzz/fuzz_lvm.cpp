// The text of a volume group's metadata on a sound physical volume, whose checksums would keep a fuzzer out. Each
// volume that the text leads to is read at both ends.
#include <algorithm>
#include <string>

#include "hrvm/base/error.hpp"
#include "hrvm/volume/volumes.hpp"
#include "support/lvm_disk.hpp"

using namespace hrvm;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto empty = volume::test::pv_bytes(0);
  auto bytes = empty;
  const auto most = volume::test::area_bytes - 1024;
  volume::test::put_metadata(bytes, std::string(data, data + std::min<std::size_t>(size, most)));
  const auto device = block::memory_device(std::move(bytes), "fuzz");
  const auto assembly = volume::assemble_lvm({{device.get(), "p1"}});
  for (const auto& volume : assembly.volumes) try {
      if (!volume.device || volume.device->size() < 512) continue;
      volume.device->extent_at(volume.device->size() - 512);
      volume.device->read(0, 512);
      volume.device->read(volume.device->size() - 512, 512);
    } catch (const base::Error&) {
    }
  return 0;
}
