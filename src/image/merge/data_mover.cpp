#include "image/merge/data_mover.hpp"

#include <algorithm>
#include <utility>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/block/output_file.hpp"

namespace hrvm::image {
namespace {

using block::ExtentKind;
using block::StoredExtent;

constexpr std::uint64_t most_bytes = 2 * base::MiB;
constexpr std::size_t most_parts = 256;
constexpr std::uint64_t reserve_step = 64 * base::MiB;
constexpr std::uint64_t longest_piece = base::GiB;
// A clone of less takes longer than a copy, and leaves the file in pieces.
constexpr std::uint64_t least_cloned = 64 * base::KiB;

StoredExtent piece_at(block::SharedSource& source, std::uint64_t offset, std::uint64_t length) {
  if (offset >= source.size()) return {{offset, length, ExtentKind::zero}, std::nullopt};
  return source.stored_at(offset, std::min({length, source.size() - offset, longest_piece}));
}

bool is_on_grid(std::uint64_t value) { return value % block::OutputFile::grid_bytes == 0; }

}  // namespace

DataMover::DataMover(WritableFile& out) : out_(out), pool_(std::size_t(most_bytes)) {}

bool DataMover::continues(const Range& next) const {
  return pending_.from == next.from && pending_.offset + pending_.length == next.offset &&
         pending_.host_offset + pending_.length == next.host_offset;
}

void DataMover::add(block::SharedSource& from, std::uint64_t offset, std::uint64_t length, std::uint64_t host_offset) {
  const Range next{&from, offset, length, host_offset};
  if (continues(next)) {
    pending_.length += length;
  } else {
    dispatch(std::exchange(pending_, next));
  }
}

void DataMover::dispatch(Range range) {
  while (range.length != 0) {
    Part part{range.from, piece_at(*range.from, range.offset, range.length), range.host_offset};
    const auto length = part.piece.extent.length;
    if (!clone(part)) queue(part);
    range = {range.from, range.offset + length, range.length - length, range.host_offset + length};
  }
}

// In order and by the caller alone: it is no work, and the file grows.
bool DataMover::clone(const Part& part) {
  const auto& [extent, raw] = part.piece;
  return raw && extent.length >= least_cloned && is_on_grid(raw->offset) && is_on_grid(part.host_offset) &&
         is_on_grid(extent.length) && out_.clone(*raw, extent.length, part.host_offset);
}

void DataMover::queue(Part part) {
  while (part.piece.extent.length != 0) {
    auto first = part;
    const auto length = std::min(part.piece.extent.length, most_bytes - batch_bytes_);
    first.piece.extent.length = length;
    batch_.push_back(first);
    batch_bytes_ += length;
    if (batch_bytes_ == most_bytes || batch_.size() == most_parts) submit();
    part.piece.extent.offset += length;
    part.piece.extent.length -= length;
    part.host_offset += length;
    if (part.piece.raw) part.piece.raw->offset += length;
  }
}

// In steps, and only once a whole buffer is on its way: a small merge needs none.
void DataMover::reserve_behind(std::uint64_t host_end) {
  if (batch_bytes_ < most_bytes || host_end <= reserved_end_) return;
  reserved_end_ = host_end + reserve_step;
  out_.reserve(host_end, reserve_step);
}

void DataMover::submit() {
  reserve_behind(batch_.back().host_offset + batch_.back().piece.extent.length);
  batch_bytes_ = 0;
  pool_.submit([this, parts = std::exchange(batch_, {})](std::span<std::byte> buffer, block::Turn&) {
    carry_out(parts, buffer);
  });
}

// Parts side by side in the file are written at once.
void DataMover::carry_out(const std::vector<Part>& parts, std::span<std::byte> buffer) {
  std::size_t begin = 0, end = 0;
  const auto write = [&](std::uint64_t host_end) {
    const auto run = buffer.subspan(begin, end - begin);
    if (!run.empty()) out_.write(host_end - run.size(), run);
    begin = end;
  };
  std::uint64_t host_end = 0;
  for (const auto& part : parts) {
    if (part.host_offset != host_end) write(host_end);
    const auto bytes = buffer.subspan(end, std::size_t(part.piece.extent.length));
    if (part.piece.extent.kind == ExtentKind::zero) {
      std::ranges::fill(bytes, std::byte{0});
    } else {
      part.from->read(part.piece, bytes);
    }
    end += bytes.size();
    host_end = part.host_offset + bytes.size();
  }
  write(host_end);
}

void DataMover::finish() {
  dispatch(std::exchange(pending_, {}));
  if (!batch_.empty()) submit();
  pool_.finish();
}

}  // namespace hrvm::image
