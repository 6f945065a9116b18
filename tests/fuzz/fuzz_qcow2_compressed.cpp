// Inflates compressed clusters made of the fuzzer's bytes: the first byte chooses the compression, the second the
// cluster size, the next eight are the L2 entry, the rest the file.
#include <algorithm>
#include <cstdlib>

#include "fuzz/image_bytes.hpp"
#include "hrvm/base/endian.hpp"
#include "image/qcow2/compressed_clusters.hpp"

using namespace hrvm;

namespace {

constexpr std::size_t entry_offset = 2, file_offset = 10;

image::ImageHeader header_of(std::span<const std::byte> bytes) {
  image::ImageHeader header;
  header.compression = std::to_integer<int>(bytes[0]) & 1 ? image::Compression::zstd : image::Compression::zlib;
  constexpr unsigned sizes = image::max_cluster_bits - image::min_cluster_bits + 1;
  header.geometry.cluster_bits = image::min_cluster_bits + std::to_integer<unsigned>(bytes[1]) % sizes;
  return header;
}

void inflate(std::span<const std::byte> bytes) {
  const auto header = header_of(bytes);
  const auto rest = bytes.subspan(file_offset);
  const auto file = block::memory_device({rest.begin(), rest.end()}, "image");
  const auto entry = base::load<base::be64>(bytes, entry_offset);
  image::CompressedClusters clusters(*file, header);
  const image::CompressedPlace places[] = {image::L2Entry{entry}.compressed_place(header.geometry), {0, rest.size()}};
  std::vector<std::byte> whole(header.geometry.cluster_bytes()), half(whole.size() / 2);
  for (const auto& place : places) {
    fuzz::run([&] {
      clusters.read(place, 0, whole);
      clusters.read(place, half.size(), half);
      if (!std::equal(half.begin(), half.end(), whole.begin() + std::ptrdiff_t(half.size()))) std::abort();
    });
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  return bytes.size() < file_offset ? 0 : fuzz::run([&] { inflate(bytes); });
}
