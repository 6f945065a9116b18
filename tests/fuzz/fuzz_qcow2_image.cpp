// Reads a qcow2 image made of the fuzzer's bytes: header, extents and contents.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "hrvm/base/error.hpp"
#include "hrvm/block/devices.hpp"
#include "image/qcow2/device.hpp"

namespace {

using namespace hrvm;

void read_image(std::vector<std::byte> bytes) {
  auto file = block::memory_device(std::move(bytes), "image");
  auto header = image::read_header(*file);
  auto backing = header.backing ? block::memory_device(std::vector<std::byte>(100000), "backing") : nullptr;
  image::Qcow2Device device(std::move(file), header, std::move(backing));
  std::uint64_t offset = 0;
  for (int i = 0; i < 64 && offset < device.size(); ++i) {
    auto extent = device.extent_at(offset);
    std::vector<std::byte> data(std::size_t(std::min<std::uint64_t>(extent.length, 100000)));
    device.read(offset, data);
    offset += extent.length;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    auto bytes = std::as_bytes(std::span(data, size));
    read_image({bytes.begin(), bytes.end()});
  } catch (const base::Error&) {
  }
  return 0;
}
