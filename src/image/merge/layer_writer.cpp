#include "image/merge/layer_writer.hpp"

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/endian.hpp"

namespace hrvm::image {
namespace {

using base::be64;

constexpr std::uint64_t most_data_bytes = base::GiB, most_table_bytes = 8 * base::MiB;

std::vector<std::byte> copy(std::span<const std::byte> bytes) { return {bytes.begin(), bytes.end()}; }

}  // namespace

LayerWriter::LayerWriter(block::BlockDevice& file, const ImageHeader& header, WritableFile& out)
    : header_(header), out_(out), refcounts_(file, header, out), data_(out) {}

void LayerWriter::copy_data(block::SharedSource& from, std::uint64_t offset, std::uint64_t length,
                            std::uint64_t host_offset) {
  data_.add(from, offset, length, host_offset);
  data_bytes_ += length;
}

void LayerWriter::put_table(std::uint64_t offset, const L2Table& table, std::uint64_t first, std::uint64_t last) {
  auto width = header_.geometry.l2_entry_bytes();
  auto changed = std::span(table.bytes()).subspan(first * width, (last - first + 1) * width);
  pointers_.push_back({offset + first * width, copy(changed)});
  table_bytes_ += changed.size();
}

std::uint64_t LayerWriter::add_table(std::uint64_t l1_index, const L2Table& table) {
  auto offset = allocate_cluster();
  table_bytes_ += table.bytes().size();
  new_tables_.push_back({offset, table.bytes()});
  be64 entry = offset | qcow2::copied;
  pointers_.push_back({header_.l1_offset + l1_index * sizeof entry, copy(std::as_bytes(std::span(&entry, 1)))});
  return offset;
}

bool LayerWriter::is_full() const { return data_bytes_ >= most_data_bytes || table_bytes_ >= most_table_bytes; }

void LayerWriter::publish() {
  data_.finish();
  for (const auto& table : new_tables_) out_.write(table.offset, table.bytes);
  refcounts_.commit();
  for (const auto& pointer : pointers_) out_.write(pointer.offset, pointer.bytes);
  new_tables_.clear();
  pointers_.clear();
  data_bytes_ = table_bytes_ = 0;
}

void LayerWriter::finish() {
  publish();
  refcounts_.commit();
  if (data_.has_reserved()) out_.set_size(refcounts_.end());
}

}  // namespace hrvm::image
