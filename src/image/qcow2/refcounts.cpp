#include "image/qcow2/refcounts.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "hrvm/base/endian.hpp"
#include "hrvm/base/error.hpp"

namespace hrvm::image {
namespace {

using base::be32;
using base::be64;
using base::Error;
using base::ErrorKind;

bool lies_inside(const block::BlockDevice& file, std::uint64_t offset, std::uint64_t length) {
  return length <= file.size() && offset <= file.size() - length;
}

std::vector<be64> read_table(block::BlockDevice& file, const ImageHeader& header) {
  auto bytes = std::uint64_t(header.refcount_table_clusters) << header.geometry.cluster_bits;
  bool is_sane = bytes != 0 && bytes <= max_refcount_table_bytes && header.refcount_table_offset != 0 &&
                 header.geometry.offset_in_cluster(header.refcount_table_offset) == 0;
  if (!is_sane || !lies_inside(file, header.refcount_table_offset, 1)) {
    throw Error(ErrorKind::corrupt, fmt::format("the refcount table of {} does not lie in the file", file.name()))
        .on(file.name())
        .at(header.refcount_table_offset);
  }
  std::vector<be64> table(bytes / sizeof(be64));
  auto there = std::min(bytes, file.size() - header.refcount_table_offset);
  file.read(header.refcount_table_offset, std::as_writable_bytes(std::span(table)).first(std::size_t(there)));
  return table;
}

}  // namespace

Refcounts::Refcounts(block::BlockDevice& file, const ImageHeader& header, WritableFile& out)
    : file_(file),
      out_(out),
      geometry_(header.geometry),
      order_(header.refcount_order),
      table_offset_(header.refcount_table_offset),
      table_clusters_(header.refcount_table_clusters),
      table_(read_table(file, header)) {
  next_ = first_free_cluster();
}

// Counts may be narrower than a byte: then the lowest bits come first.
std::uint64_t Refcounts::count(const Block& block, std::uint64_t index) const {
  if (order_ < 3) {
    auto per_byte = 8u >> order_;
    auto shift = (index % per_byte) << order_;
    return std::to_integer<unsigned>(block[index / per_byte]) >> shift & ((1u << (1u << order_)) - 1);
  }
  std::uint64_t value = 0;
  auto width = std::size_t(1) << (order_ - 3);
  for (auto byte : std::span(block).subspan(index * width, width)) value = value << 8 | std::to_integer<unsigned>(byte);
  return value;
}

void Refcounts::set(std::uint64_t cluster, bool used) {
  auto& bytes = block(cluster / per_block());
  auto index = cluster % per_block();
  dirty_.insert(cluster / per_block());
  if (order_ < 3) {
    auto per_byte = 8u >> order_;
    auto shift = (index % per_byte) << order_;
    auto mask = std::byte(((1u << (1u << order_)) - 1) << shift);
    auto& byte = bytes[index / per_byte];
    byte = (byte & ~mask) | std::byte(unsigned(used) << shift);
    return;
  }
  auto width = std::size_t(1) << (order_ - 3);
  auto value = std::span(bytes).subspan(index * width, width);
  std::ranges::fill(value, std::byte{0});
  value.back() = std::byte(used);
}

Refcounts::Block& Refcounts::block(std::uint64_t index) {
  if (auto found = blocks_.find(index); found != blocks_.end()) return found->second;
  std::uint64_t offset = table_[index] & qcow2::offset_mask;
  if (offset == 0 || geometry_.offset_in_cluster(offset) != 0 || !lies_inside(file_, offset, 1)) {
    throw Error(ErrorKind::corrupt,
                fmt::format("refcount block {} of {} does not lie in the file", index, file_.name()))
        .on(file_.name())
        .at(table_offset_ + index * sizeof(be64));
  }
  Block bytes(geometry_.cluster_bytes());
  file_.read(offset, std::span(bytes).first(std::size_t(std::min<std::uint64_t>(bytes.size(), file_.size() - offset))));
  return blocks_[index] = std::move(bytes);
}

std::uint64_t Refcounts::first_free_cluster() {
  auto file_end = geometry_.clusters(file_.size());
  for (auto index = table_.size(); index-- > 0;) {
    if (is_missing(index) || (index + 1) * per_block() <= file_end) continue;
    const auto& bytes = block(index);
    for (auto i = per_block(); i-- > 0;) {
      if (count(bytes, i) != 0) return std::max(file_end, index * per_block() + i + 1);
    }
  }
  return file_end;
}

std::uint64_t Refcounts::missing_blocks(std::uint64_t first_cluster, std::uint64_t clusters) const {
  std::uint64_t missing = 0;
  for (auto b = first_cluster / per_block(); b <= (first_cluster + clusters - 1) / per_block(); ++b)
    missing += is_missing(b);
  return missing;
}

void Refcounts::add_block(std::uint64_t index, std::uint64_t cluster) {
  table_[index] = cluster << geometry_.cluster_bits;
  blocks_[index] = Block(geometry_.cluster_bytes());
  new_entries_.insert(index);
}

std::uint64_t Refcounts::allocate(std::uint64_t clusters) {
  // Blocks that are missing for the run come right before it, and are clusters that have to be counted themselves.
  std::uint64_t blocks = 0;
  while (missing_blocks(next_, blocks + clusters) > blocks) blocks = missing_blocks(next_, blocks + clusters);
  auto last_block = (next_ + blocks + clusters - 1) / per_block();
  if (last_block >= table_.size()) {
    grow_table(last_block + 1);
    return allocate(clusters);
  }
  auto end = next_ + blocks + clusters;
  auto place = next_;
  for (auto b = next_ / per_block(); b <= last_block; ++b) {
    if (is_missing(b)) add_block(b, place++);
  }
  auto first = next_ + blocks;
  for (auto cluster = next_; cluster < place; ++cluster) set(cluster, true);
  for (auto cluster = first; cluster < end; ++cluster) set(cluster, true);
  next_ = end;
  return first << geometry_.cluster_bits;
}

// Twice as large, so that it is moved seldom. What the old table occupied is given back once the header has let go of
// it.
void Refcounts::grow_table(std::uint64_t least_entries) {
  auto entries_per_cluster = geometry_.cluster_bytes() / sizeof(be64);
  auto clusters = std::max<std::uint64_t>(table_.size() * 2, least_entries) / entries_per_cluster + 1;
  if (clusters << geometry_.cluster_bits > max_refcount_table_bytes) {
    throw Error(ErrorKind::unsupported, fmt::format("{} cannot grow: its refcount table is full", file_.name()))
        .on(file_.name())
        .hint("write it anew with larger clusters");
  }
  if (table_moved_) release(new_table_offset_, table_.size() / entries_per_cluster);
  table_.resize(clusters * entries_per_cluster);
  table_moved_ = true;
  new_table_offset_ = allocate(clusters);
}

void Refcounts::release(std::uint64_t offset, std::uint64_t clusters) {
  for (std::uint64_t i = 0; i < clusters; ++i) {
    auto cluster = (offset >> geometry_.cluster_bits) + i;
    if (!is_missing(cluster / per_block())) set(cluster, false);
  }
}

void Refcounts::write_blocks() {
  for (auto index : dirty_) out_.write(table_[index] & qcow2::offset_mask, blocks_[index]);
  dirty_.clear();
}

void Refcounts::switch_table() {
  struct {
    be64 offset;
    be32 clusters;
  } place{new_table_offset_, std::uint32_t(table_.size() * sizeof(be64) >> geometry_.cluster_bits)};
  static_assert(sizeof place == offsetof(qcow2::Header, nb_snapshots) - offsetof(qcow2::Header, refcount_table_offset));
  out_.write(offsetof(qcow2::Header, refcount_table_offset), std::as_bytes(std::span(&place, 1)));
  out_.sync();
  release(table_offset_, table_clusters_);
  table_offset_ = place.offset;
  table_clusters_ = place.clusters;
  table_moved_ = false;
}

void Refcounts::write_new_entries() {
  for (auto index : new_entries_) {
    out_.write(table_offset_ + index * sizeof(be64), std::as_bytes(std::span(table_).subspan(index, 1)));
  }
  out_.sync();
}

void Refcounts::commit() {
  write_blocks();
  if (table_moved_) out_.write(new_table_offset_, std::as_bytes(std::span(table_)));
  out_.sync();
  if (table_moved_) {
    switch_table();
  } else if (!new_entries_.empty()) {
    write_new_entries();
  }
  new_entries_.clear();
}

}  // namespace hrvm::image
