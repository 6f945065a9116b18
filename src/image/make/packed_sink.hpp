// PackedSink: brings data into an image as compressed clusters, side by side in its file.
#pragma once

#include <mutex>
#include <vector>

#include "hrvm/block/copy.hpp"
#include "image/make/deflate.hpp"
#include "image/make/filled_clusters.hpp"
#include "image/make/flat_layout.hpp"

namespace hrvm::image {

class PackedSink : public block::ChunkSink {
 public:
  PackedSink(block::OutputFile& out, FlatLayout& layout, Compression compression)
      : out_(out), layout_(layout), compression_(compression) {}

  void copy(block::SharedSource& source, const block::Chunk& chunk, std::span<std::byte> buffer,
            block::Turn& turn) override;
  bool can_clone() const override { return false; }
  bool clone(const block::Chunk&) override { return false; }

 private:
  struct Packed {
    FilledCluster cluster;
    std::vector<std::byte> bytes;   // none: it is stored as it is
    std::uint64_t host_offset = 0;  // once it is placed
  };

  std::vector<Packed> pack(const std::vector<FilledCluster>& clusters, std::span<const std::byte> buffer);
  Deflater take_deflater();
  void put_back(Deflater deflater);

  block::OutputFile& out_;
  FlatLayout& layout_;
  Compression compression_;
  std::mutex mutex_;
  std::vector<Deflater> deflaters_;  // that no thread uses now
};

}  // namespace hrvm::image
