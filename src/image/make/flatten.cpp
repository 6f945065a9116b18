#include "hrvm/image/flatten.hpp"

#include <memory>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/block/copy.hpp"
#include "image/make/filled_clusters.hpp"
#include "image/make/flat_layout.hpp"
#include "image/make/new_image.hpp"
#include "image/make/packed_sink.hpp"

namespace hrvm::image {
namespace {

using block::Chunk;

struct Write {
  std::uint64_t host_offset = 0, at = 0, length = 0;
};

void append(std::vector<Write>& writes, const Write& next) {
  if (!writes.empty()) {
    auto& last = writes.back();
    if (last.host_offset + last.length == next.host_offset && last.at + last.length == next.at) {
      last.length += next.length;
      return;
    }
  }
  writes.push_back(next);
}

class PlainSink : public block::ChunkSink {
 public:
  PlainSink(block::OutputFile& out, FlatLayout& layout) : out_(out), layout_(layout), geometry_(layout.geometry()) {}

  void copy(block::SharedSource& source, const Chunk& chunk, std::span<std::byte> buffer, block::Turn& turn) override {
    auto filled = read_filled_clusters(source, chunk, geometry_, buffer);
    turn.wait();
    auto writes = place(filled, chunk.offset);
    turn.pass();
    for (const auto& write : writes) {
      out_.write(write.host_offset, buffer.subspan(std::size_t(write.at), std::size_t(write.length)));
    }
  }

  bool clone(const Chunk& chunk) override { return layout_.clone(chunk.offset, chunk.length, *chunk.pieces[0].raw); }

 private:
  std::vector<Write> place(const std::vector<FilledCluster>& filled, std::uint64_t chunk_offset) {
    std::vector<Write> writes;
    for (const auto& cluster : filled) {
      auto host_offset = layout_.place_cluster(chunk_offset + cluster.at, cluster.units);
      for (const auto& run : unit_runs(cluster.units)) {
        auto begin = run.first * geometry_.unit_bytes();
        append(writes, {host_offset + begin, cluster.at + begin, run.count * geometry_.unit_bytes()});
      }
    }
    return writes;
  }

  block::OutputFile& out_;
  FlatLayout& layout_;
  ClusterGeometry geometry_;
};

std::unique_ptr<block::ChunkSink> make_sink(block::OutputFile& out, FlatLayout& layout, const FlatForm& form) {
  if (form.compression) return std::make_unique<PackedSink>(out, layout, *form.compression);
  return std::make_unique<PlainSink>(out, layout);
}

}  // namespace

void flatten(block::BlockDevice& source, int fd, const std::string& path, const FlatForm& form,
             const sys::ProgressCallback& progress) {
  if (form.format == ImageFormat::raw) return block::copy_to_file(source, fd, path, progress);
  auto header = plan_header({base::round_up(source.size(), 512), form.geometry, std::nullopt}, path);
  header.compression = form.compression.value_or(Compression::zlib);
  block::OutputFile out(fd, path);
  FlatLayout layout(out, header);
  auto sink = make_sink(out, layout, form);
  copy_chunks(source, layout.geometry().cluster_bytes(), out, *sink, progress);
  layout.finish(path);
}

}  // namespace hrvm::image
