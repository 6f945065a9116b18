// Asks a qcow2 image made of the fuzzer's bytes where its disk is stored: the pieces join without a gap, and what is
// found begins in a cluster of the file.
#include <algorithm>
#include <cstdlib>

#include "fuzz/image_bytes.hpp"
#include "image/qcow2/cluster_map.hpp"

using namespace hrvm;

namespace {

constexpr int most_pieces = 4096;

void expect(bool holds) {
  if (!holds) std::abort();
}

void walk(block::BlockDevice& file) {
  const auto header = image::read_header(file);
  image::ClusterMap map(file, header);
  std::uint64_t offset = 0;
  for (int i = 0; i < most_pieces && offset < header.virtual_bytes; ++i) {
    const auto limit = header.virtual_bytes - offset;
    const auto piece = map.at(offset, limit);
    expect(piece.length != 0 && piece.length <= limit);
    // The last cluster may be there in part.
    if (piece.stored == image::Stored::data) expect(piece.host_offset < file.size() + header.geometry.cluster_bytes());
    if (piece.stored == image::Stored::compressed) expect(map.compressed_at(offset).length != 0);
    // The same is said of its last byte.
    expect(map.at(offset + piece.length - 1, 1).stored == piece.stored);
    offset += piece.length;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return fuzz::run([&] { walk(*fuzz::file_of(data, size)); });
}
