#include "image/repair/refcounts.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <optional>

#include "hrvm/base/error.hpp"
#include "hrvm/sys/terminal.hpp"
#include "image/qcow2/refcount_block.hpp"

namespace hrvm::image {
namespace {

using base::be32;
using base::be64;
using base::Error;
using base::ErrorKind;

std::uint64_t counts_per_block(const ImageHeader& header) {
  return (header.geometry.cluster_bytes() * 8) >> header.refcount_order;
}

// One block at a time: changes come in order of their clusters.
class BlockEditor {
 public:
  BlockEditor(block::BlockDevice& file, const ImageHeader& header, const std::vector<be64>& table, WritableFile& out)
      : file_(file), header_(header), table_(table), out_(out), bytes_(header.geometry.cluster_bytes()) {}

  bool set(std::uint64_t cluster, std::uint64_t count) {
    if (!open(cluster / counts_per_block(header_))) return false;
    const auto index = cluster % counts_per_block(header_);
    set_refcount(bytes_, header_.refcount_order, index, count);
    first_ = std::min(first_, (index << header_.refcount_order) / 8);
    end_ = std::max(end_, (((index + 1) << header_.refcount_order) + 7) / 8);
    return true;
  }
  void close() {
    if (first_ < end_) out_.write(offset_ + first_, std::span(bytes_).subspan(first_, end_ - first_));
    first_ = bytes_.size();
    end_ = 0;
  }

 private:
  bool open(std::uint64_t index) {
    if (open_ == index) return true;
    close();
    open_.reset();
    if (index >= table_.size() || table_[index] == 0) return false;
    offset_ = table_[index] & qcow2::offset_mask;
    std::ranges::fill(bytes_, std::byte{0});
    file_.read(offset_, std::span(bytes_).first(std::min<std::uint64_t>(bytes_.size(), file_.size() - offset_)));
    open_ = index;
    return true;
  }

  block::BlockDevice& file_;
  const ImageHeader& header_;
  const std::vector<be64>& table_;
  WritableFile& out_;
  std::vector<std::byte> bytes_;
  std::optional<std::uint64_t> open_;
  std::uint64_t offset_ = 0, first_ = ~0ull, end_ = 0;
};

// Where the new table and blocks come to lie: blocks first, for every block of counts in `needed`, then the table.
struct Layout {
  std::uint64_t first_cluster = 0, table_clusters = 1;
  std::vector<std::uint64_t> needed;  // indices of blocks, in order

  std::uint64_t end() const { return first_cluster + needed.size() + table_clusters; }
};

std::vector<std::uint64_t> blocks_in_use(const ReferenceCounts& counts, std::uint64_t per_block) {
  std::vector<std::uint64_t> blocks;
  counts.visit_used([&](const ClusterCount& found) {
    const auto index = found.cluster / per_block;
    if (blocks.empty() || blocks.back() != index) blocks.push_back(index);
  });
  return blocks;
}

// The new clusters have to be counted as well, which may take more blocks, which have to be counted.
Layout plan_layout(const ImageHeader& header, const ReferenceCounts& counts, std::uint64_t first_cluster) {
  const auto per_block = counts_per_block(header);
  Layout layout{first_cluster, 1, blocks_in_use(counts, per_block)};
  for (std::uint64_t end = 0; end != layout.end();) {
    end = layout.end();
    for (auto index = first_cluster / per_block; index <= (end - 1) / per_block; ++index)
      if (index > layout.needed.back()) layout.needed.push_back(index);
    layout.table_clusters = header.geometry.clusters((layout.needed.back() + 1) * sizeof(be64));
  }
  return layout;
}

class Rebuild {
 public:
  Rebuild(const ImageHeader& header, const ReferenceCounts& counts, const Layout& layout, WritableFile& out)
      : header_(header), counts_(counts), layout_(layout), out_(out), block_(header.geometry.cluster_bytes()) {}

  void write() {
    std::vector<be64> table(layout_.table_clusters * header_.geometry.cluster_bytes() / sizeof(be64));
    for (std::size_t i = 0; i < layout_.needed.size(); ++i) {
      sys::check_interrupted();
      write_block(layout_.needed[i], offset_of(i));
      table[layout_.needed[i]] = offset_of(i);
    }
    out_.write(offset_of(layout_.needed.size()), std::as_bytes(std::span(table)));
    out_.sync();
  }
  // The fixed header of this version, its width of refcounts included: it ends within the first sector.
  void switch_header(block::BlockDevice& file) {
    const auto length = header_.version == 2 ? offsetof(qcow2::Header, incompatible_features) : sizeof(qcow2::Header);
    static_assert(sizeof(qcow2::Header) <= 512);
    auto bytes = file.read(0, length);
    base::store(bytes, offsetof(qcow2::Header, refcount_table_offset), be64(offset_of(layout_.needed.size())));
    base::store(bytes, offsetof(qcow2::Header, refcount_table_clusters), be32(std::uint32_t(layout_.table_clusters)));
    if (header_.version != 2)
      base::store(bytes, offsetof(qcow2::Header, refcount_order), be32(std::uint32_t(header_.refcount_order)));
    out_.write(0, bytes);
    out_.sync();
  }

 private:
  std::uint64_t offset_of(std::size_t i) const { return (layout_.first_cluster + i) << header_.geometry.cluster_bits; }
  std::uint64_t uses(std::uint64_t cluster) const {
    if (cluster >= layout_.first_cluster) return cluster < layout_.end() ? 1 : 0;
    return counts_.at(cluster)->used;
  }
  void write_block(std::uint64_t index, std::uint64_t offset) {
    std::ranges::fill(block_, std::byte{0});
    const auto first = index * counts_per_block(header_);
    const auto count = std::min(counts_per_block(header_), layout_.end() - first);
    for (std::uint64_t i = 0; i < count; ++i)
      if (const auto used = uses(first + i)) set_refcount(block_, header_.refcount_order, i, used);
    out_.write(offset, block_);
  }

  const ImageHeader& header_;
  const ReferenceCounts& counts_;
  const Layout& layout_;
  WritableFile& out_;
  std::vector<std::byte> block_;
};

Error too_large(const block::BlockDevice& file) {
  return Error(ErrorKind::unsupported, fmt::format("{} is too large for its refcounts to be built anew", file.name()))
      .on(file.name())
      .hint("convert it: what can be read of it is copied into a new image");
}

bool is_asked(const ClusterCount& found, Correction correction) {
  if (correction == Correction::all) return true;
  return found.used < found.recorded && (correction == Correction::lower || found.used != 1);
}

}  // namespace

bool correct_refcounts(block::BlockDevice& file, const ImageHeader& header, WritableFile& out, Correction correction) {
  bool has_blocks = true;
  run_passes(file, header, {}, [&](const CheckWalk& walk, const ReferenceCounts& counts) {
    BlockEditor editor(file, header, walk.refcount_table(), out);
    const auto clusters = header.geometry.clusters(file.size());
    counts.visit_differences([&](const ClusterCount& found) {
      if (!is_asked(found, correction) || (found.used < found.recorded && found.cluster >= clusters)) return;
      has_blocks = editor.set(found.cluster, found.used) && has_blocks;
    });
    editor.close();
  });
  out.sync();
  return has_blocks;
}

unsigned order_for(std::uint64_t most_uses) {
  unsigned order = 4;
  while (most_references(order) < most_uses) ++order;
  return order;
}

void rebuild_refcounts(block::BlockDevice& file, const ImageHeader& header, unsigned order, WritableFile& out) {
  const auto first_new = header.geometry.clusters(file.size()) + 1;
  auto rebuilt = header;
  rebuilt.refcount_order = order;
  run_passes(file, header, {.with_refcount_structure = false}, [&](const CheckWalk&, const ReferenceCounts& counts) {
    if (counts.has_put_off()) throw too_large(file);
    const auto layout = plan_layout(rebuilt, counts, first_new);
    if (layout.table_clusters << header.geometry.cluster_bits > max_refcount_table_bytes) throw too_large(file);
    Rebuild rebuild(rebuilt, counts, layout, out);
    rebuild.write();
    rebuild.switch_header(file);
  });
}

}  // namespace hrvm::image
