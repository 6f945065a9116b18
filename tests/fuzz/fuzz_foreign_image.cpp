// Reads another hypervisor's image made of the fuzzer's bytes: in each format, whatever its magic says.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "hrvm/base/error.hpp"
#include "hrvm/block/devices.hpp"
#include "hrvm/image/disk_image.hpp"

namespace {

using namespace hrvm;

void read_image(std::span<const std::byte> bytes, image::ImageFormat format) {
  const auto device = image::open_foreign(block::memory_device({bytes.begin(), bytes.end()}, "image"), format);
  std::uint64_t offset = 0;
  for (int i = 0; i < 64 && offset < device->size(); ++i) {
    const auto extent = device->extent_at(offset);
    if (extent.offset != offset || extent.length == 0 || extent.length > device->size() - offset) std::abort();
    device->read(offset, std::size_t(std::min<std::uint64_t>(extent.length, 100000)));
    offset += extent.length;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using image::ImageFormat;
  const auto bytes = std::as_bytes(std::span(data, size));
  image::detect_format(*block::memory_device({bytes.begin(), bytes.end()}, "image"));
  for (const auto format : {ImageFormat::vdi, ImageFormat::vpc, ImageFormat::vhdx, ImageFormat::vmdk}) try {
      read_image(bytes, format);
    } catch (const base::Error&) {
    }
  return 0;
}
