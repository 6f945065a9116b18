// Reads a qcow2 header made of the fuzzer's bytes. One that can be read can be written, and says the same again.
#include <cstdlib>

#include "fuzz/image_bytes.hpp"
#include "image/qcow2/header.hpp"

using namespace hrvm;

namespace {

void expect(bool holds) {
  if (!holds) std::abort();
}

void write_and_read(image::ImageHeader header, std::vector<std::byte> file) {
  header.version = 3;
  auto bytes = image::encode_header(header, "image");
  expect(bytes.size() <= header.geometry.cluster_bytes());
  if (file.size() < bytes.size()) return;  // its tables lie where the written one comes to lie
  std::copy(bytes.begin(), bytes.end(), file.begin());
  const auto again = image::read_header(*block::memory_device(std::move(file), "again"));
  expect(again.virtual_bytes == header.virtual_bytes && again.l1_offset == header.l1_offset);
  expect(again.geometry.cluster_bits == header.geometry.cluster_bits);
  expect(again.backing.has_value() == header.backing.has_value());
  expect(!header.backing || again.backing->path == header.backing->path);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return fuzz::run([&] {
    auto header = image::read_header(*fuzz::file_of(data, size));
    write_and_read(std::move(header), fuzz::bytes_of(data, size));
  });
}
