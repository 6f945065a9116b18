#include "probe/disk/foreign_file.hpp"

#include <cstdlib>
#include <cstring>

#include "hrvm/block/devices.hpp"
#include "hrvm/image/vmdk_descriptor.hpp"
#include "probe/signature/own_structures.hpp"

using namespace hrvm;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  const auto device = block::memory_device({bytes.begin(), bytes.end()}, "fuzz");
  if (const auto found = probe::find_container(*device); found && (found->what.empty() || found->remedy.empty()))
    std::abort();
  probe::looks_like(*device);
  std::string text(bytes.size(), '\0');
  if (size > 0) std::memcpy(text.data(), data, size);
  for (const auto* type : {"ext4", "xfs", "btrfs", "ntfs", "vfat"}) probe::told_size(type, *device);
  const auto descriptor = image::read_vmdk_descriptor(text);
  if (descriptor && descriptor->extents.size() > 1024) std::abort();
  return 0;
}
