#include "image/make/flat_layout.hpp"

#include <algorithm>
#include <utility>

#include "hrvm/base/byte_size.hpp"
#include "image/make/new_image.hpp"

namespace hrvm::image {
namespace {

constexpr std::uint64_t most_table_bytes = 4 * base::MiB;
// Space is reserved in such steps, once it is clear that the image is no small one.
constexpr std::uint64_t reserve_step = 64 * base::MiB, least_reserved = 4 * base::MiB;

std::uint32_t all_units(const ClusterGeometry& geometry) { return geometry.extended_l2 ? ~std::uint32_t(0) : 0; }

}  // namespace

FlatLayout::FlatLayout(block::OutputFile& out, ImageHeader header)
    : out_(out), header_(std::move(header)), l1_(header_.l1_entries) {
  auto l1_clusters = geometry().clusters(l1_.size() * sizeof(base::be64));
  header_.l1_offset = l1_clusters ? geometry().cluster_bytes() : 0;
  clusters_ = 1 + l1_clusters;
}

std::uint64_t FlatLayout::take_clusters(std::uint64_t count) {
  auto offset = clusters_ << geometry().cluster_bits;
  clusters_ += count;
  auto end = clusters_ << geometry().cluster_bits;
  // With subclusters what is not stored stays a hole; and what is shared needs no space.
  bool is_dense = !geometry().extended_l2 && !out_.has_cloned();
  if (is_dense && end > std::max(reserved_bytes_, least_reserved)) {
    out_.reserve(offset, reserve_step);
    reserved_bytes_ = offset + reserve_step;
  }
  return offset;
}

void FlatLayout::set_entry(std::uint64_t guest_offset, const L2Entry& entry) {
  auto l1_index = guest_offset / geometry().l2_coverage();
  if (tables_.empty() || tables_.back().l1_index != l1_index) {
    if (tables_.size() * geometry().cluster_bytes() >= most_table_bytes) write_tables();
    tables_.push_back({l1_index, L2Table(geometry())});
  }
  tables_.back().entries.set_entry(guest_offset % geometry().l2_coverage() >> geometry().cluster_bits, entry);
}

std::uint64_t FlatLayout::place_cluster(std::uint64_t guest_offset, std::uint32_t units) {
  auto offset = take_clusters(1);
  set_entry(guest_offset, {offset | qcow2::copied, geometry().extended_l2 ? units : 0});
  return offset;
}

bool FlatLayout::clone(std::uint64_t guest_offset, std::uint64_t length, const block::RawLocation& from) {
  auto offset = clusters_ << geometry().cluster_bits;
  if (!out_.clone(from, length, offset)) return false;
  clusters_ += length >> geometry().cluster_bits;
  for (std::uint64_t done = 0; done < length; done += geometry().cluster_bytes()) {
    set_entry(guest_offset + done, {(offset + done) | qcow2::copied, all_units(geometry())});
  }
  return true;
}

void FlatLayout::count_stream(std::uint64_t offset, std::uint64_t length) {
  auto first = offset >> geometry().cluster_bits, last = (offset + length - 1) >> geometry().cluster_bits;
  counts_.resize(std::max<std::size_t>(counts_.size(), last + 1));
  for (auto cluster = first; cluster <= last; ++cluster) ++counts_[cluster];
}

std::uint64_t FlatLayout::place_compressed(std::uint64_t guest_offset, std::uint64_t length) {
  bool goes_on =
      geometry().clusters(compressed_end_) == clusters_ && geometry().offset_in_cluster(compressed_end_) != 0;
  auto offset = goes_on ? compressed_end_ : clusters_ << geometry().cluster_bits;
  compressed_end_ = offset + length;
  clusters_ = geometry().clusters(compressed_end_);
  count_stream(offset, length);
  set_entry(guest_offset, L2Entry::of_compressed(geometry(), {offset, length}));
  return offset;
}

void FlatLayout::write_tables() {
  std::vector<std::byte> bytes;
  auto tables = std::exchange(tables_, {});
  auto offset = take_clusters(tables.size());
  for (const auto& table : tables) {
    l1_[table.l1_index] = (offset + bytes.size()) | qcow2::copied;
    bytes.insert(bytes.end(), table.entries.bytes().begin(), table.entries.bytes().end());
  }
  out_.write(offset, bytes);
}

void FlatLayout::write_refcounts() {
  auto space = refcount_space(geometry(), clusters_);
  header_.refcount_table_offset = clusters_ << geometry().cluster_bits;
  header_.refcount_table_clusters = std::uint32_t(space.table_clusters);
  auto blocks_offset = (clusters_ + space.table_clusters) << geometry().cluster_bits;
  clusters_ += space.table_clusters + space.blocks;
  auto blocks = refcount_block(clusters_);
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    if (counts_[i] != 0) base::store(blocks, i * sizeof(base::be16), base::be16(counts_[i]));
  }
  out_.write(header_.refcount_table_offset, consecutive_entries(geometry(), blocks_offset, space.blocks));
  out_.write(blocks_offset, blocks);
}

void FlatLayout::finish(const std::string& path) {
  if (!tables_.empty()) write_tables();
  write_refcounts();
  out_.set_size(clusters_ << geometry().cluster_bits);
  if (!l1_.empty()) out_.write(header_.l1_offset, std::as_bytes(std::span(l1_)));
  out_.write(0, encode_header(header_, path));
}

}  // namespace hrvm::image
