// A standalone image, written from its beginning to its end: space for the header, L1 table, then data with each L2
// table behind the data it maps, refcount table, refcount blocks; at last the L1 table and the header, so that what was
// interrupted is no image.
#include "hrvm/image/flatten.hpp"

#include <algorithm>
#include <optional>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/block/copy.hpp"
#include "l2_table.hpp"
#include "new_image.hpp"
#include "writable_file.hpp"

namespace hrvm::image {
namespace {

class Flattening {
 public:
  Flattening(block::BlockDevice& source, WritableFile& out, ImageHeader header)
      : source_(source),
        out_(out),
        header_(std::move(header)),
        geometry_(header_.geometry),
        l1_(header_.l1_entries),
        table_(geometry_),
        buffer_(geometry_.cluster_bytes()) {
    auto l1_clusters = geometry_.clusters(l1_.size() * sizeof(base::be64));
    header_.l1_offset = l1_clusters ? geometry_.cluster_bytes() : 0;
    clusters_ = 1 + l1_clusters;
  }

  void copy_data(const sys::ProgressCallback& progress);
  void write_metadata(const std::string& path);

 private:
  std::uint64_t take_cluster() { return clusters_++ << geometry_.cluster_bits; }
  std::uint64_t copy_clusters(std::uint64_t begin, std::uint64_t end, const sys::ProgressCallback& progress);
  void copy_cluster(std::uint64_t offset);
  std::uint32_t read_cluster(std::uint64_t offset);
  void write_units(std::uint32_t units, std::uint64_t host_offset);
  void finish_table();

  block::BlockDevice& source_;
  WritableFile& out_;
  ImageHeader header_;
  ClusterGeometry geometry_;
  std::vector<base::be64> l1_;
  L2Table table_;                             // of the part that is being copied
  std::optional<std::uint64_t> table_index_;  // its L1 index, once it maps something
  std::vector<std::byte> buffer_;
  std::uint64_t clusters_ = 0;  // in use so far
};

void Flattening::copy_data(const sys::ProgressCallback& progress) {
  for (std::uint64_t offset = 0; offset < source_.size();) {
    auto extent = source_.extent_at(offset);
    auto end = offset + extent.length;
    if (extent.kind == block::ExtentKind::data) end = copy_clusters(offset, end, progress);
    offset = end;
    progress(std::min(offset, source_.size()));
  }
  finish_table();
}

// All clusters that [begin, end) touches; where the last of them ends.
std::uint64_t Flattening::copy_clusters(std::uint64_t begin, std::uint64_t end, const sys::ProgressCallback& progress) {
  auto offset = begin - geometry_.offset_in_cluster(begin);
  for (; offset < end; offset += geometry_.cluster_bytes()) {
    copy_cluster(offset);
    progress(std::min(offset + geometry_.cluster_bytes(), source_.size()));
  }
  return offset;
}

// Fills the buffer. Bit n of the answer: unit n is not all zeros.
std::uint32_t Flattening::read_cluster(std::uint64_t offset) {
  auto there = std::size_t(std::min<std::uint64_t>(buffer_.size(), source_.size() - offset));
  source_.read(offset, std::span(buffer_).first(there));
  std::fill(buffer_.begin() + std::ptrdiff_t(there), buffer_.end(), std::byte{0});
  std::uint32_t units = 0;
  for (unsigned i = 0; i < geometry_.units_per_cluster(); ++i) {
    auto unit =
        std::span(buffer_).subspan(std::size_t(i * geometry_.unit_bytes()), std::size_t(geometry_.unit_bytes()));
    if (!block::is_zero(unit)) units |= 1u << i;
  }
  return units;
}

void Flattening::write_units(std::uint32_t units, std::uint64_t host_offset) {
  for (const auto& run : unit_runs(units)) {
    auto at = run.first * geometry_.unit_bytes();
    out_.write(host_offset + at,
               std::span(buffer_).subspan(std::size_t(at), std::size_t(run.count * geometry_.unit_bytes())));
  }
}

void Flattening::copy_cluster(std::uint64_t offset) {
  auto units = read_cluster(offset);
  if (units == 0) return;
  auto l1_index = offset / geometry_.l2_coverage();
  if (table_index_ && *table_index_ != l1_index) finish_table();
  table_index_ = l1_index;
  auto host_offset = take_cluster();
  write_units(units, host_offset);
  auto index = offset % geometry_.l2_coverage() >> geometry_.cluster_bits;
  table_.set_entry(index, {host_offset | qcow2::copied, geometry_.extended_l2 ? units : 0});
}

void Flattening::finish_table() {
  if (!table_index_) return;
  auto offset = take_cluster();
  out_.write(offset, table_.bytes());
  l1_[*table_index_] = offset | qcow2::copied;
  table_ = L2Table(geometry_);
  table_index_.reset();
}

void Flattening::write_metadata(const std::string& path) {
  auto space = refcount_space(geometry_, clusters_);
  header_.refcount_table_offset = clusters_ << geometry_.cluster_bits;
  header_.refcount_table_clusters = std::uint32_t(space.table_clusters);
  auto blocks_offset = (clusters_ + space.table_clusters) << geometry_.cluster_bits;
  out_.write(header_.refcount_table_offset, consecutive_entries(geometry_, blocks_offset, space.blocks));
  out_.write(blocks_offset, refcount_block(clusters_ + space.table_clusters + space.blocks));
  if (!l1_.empty()) out_.write(header_.l1_offset, std::as_bytes(std::span(l1_)));
  out_.write(0, encode_header(header_, path));
}

}  // namespace

void flatten(block::BlockDevice& source, int fd, const std::string& path, ImageFormat format, const Geometry& geometry,
             const sys::ProgressCallback& progress) {
  if (format == ImageFormat::raw) return block::copy_to_file(source, fd, path, progress);
  DescriptorFile out(fd, path);
  Flattening flattening(source, out, plan_header({base::round_up(source.size(), 512), geometry, std::nullopt}, path));
  flattening.copy_data(progress);
  flattening.write_metadata(path);
}

}  // namespace hrvm::image
