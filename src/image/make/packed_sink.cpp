#include "image/make/packed_sink.hpp"

#include <utility>

namespace hrvm::image {

Deflater PackedSink::take_deflater() {
  const std::lock_guard lock(mutex_);
  if (deflaters_.empty()) return Deflater(compression_);
  auto deflater = std::move(deflaters_.back());
  deflaters_.pop_back();
  return deflater;
}

void PackedSink::put_back(Deflater deflater) {
  const std::lock_guard lock(mutex_);
  deflaters_.push_back(std::move(deflater));
}

std::vector<PackedSink::Packed> PackedSink::pack(const std::vector<FilledCluster>& clusters,
                                                 std::span<const std::byte> buffer) {
  std::vector<Packed> packed;
  auto deflater = take_deflater();
  auto cluster_bytes = std::size_t(layout_.geometry().cluster_bytes());
  for (const auto& cluster : clusters) {
    packed.push_back({cluster, deflater.deflate(buffer.subspan(std::size_t(cluster.at), cluster_bytes))});
  }
  put_back(std::move(deflater));
  return packed;
}

void PackedSink::copy(block::SharedSource& source, const block::Chunk& chunk, std::span<std::byte> buffer,
                      block::Turn& turn) {
  auto packed = pack(read_filled_clusters(source, chunk, layout_.geometry(), buffer), buffer);
  turn.wait();
  for (auto& [cluster, bytes, host_offset] : packed) {
    auto offset = chunk.offset + cluster.at;
    host_offset =
        bytes.empty() ? layout_.place_cluster(offset, cluster.units) : layout_.place_compressed(offset, bytes.size());
  }
  turn.pass();
  auto cluster_bytes = std::size_t(layout_.geometry().cluster_bytes());
  for (const auto& [cluster, bytes, host_offset] : packed) {
    out_.write(host_offset, bytes.empty() ? buffer.subspan(std::size_t(cluster.at), cluster_bytes)
                                          : std::span<const std::byte>(bytes));
  }
}

}  // namespace hrvm::image
