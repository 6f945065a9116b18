#include "image/foreign/block_table.hpp"

#include <algorithm>

#include <fmt/core.h>

namespace hrvm::image::foreign {
namespace {

using base::Error, base::ErrorKind;
using block::Extent, block::ExtentKind;

class MappedDevice : public block::BlockDevice {
 public:
  MappedDevice(std::unique_ptr<BlockDevice> file, Shape shape, std::unique_ptr<BlockTable> table)
      : file_(std::move(file)), shape_(shape), table_(std::move(table)) {}

  using BlockDevice::read;
  std::uint64_t size() const override { return shape_.bytes; }
  const std::string& name() const override { return file_->name(); }
  ImageFormat format() const { return shape_.format; }

  void read(std::uint64_t offset, std::span<std::byte> out) override {
    if (offset > size() || out.size() > size() - offset)
      throw corrupt(*file_, fmt::format("a read of {} bytes at {} leaves the disk", out.size(), offset));
    while (!out.empty()) {
      const auto in_block = offset % shape_.block_bytes;
      const auto piece = out.first(std::size_t(std::min<std::uint64_t>(out.size(), shape_.block_bytes - in_block)));
      read_piece(offset / shape_.block_bytes, in_block, piece);
      out = out.subspan(piece.size());
      offset += piece.size();
    }
  }

  Extent extent_at(std::uint64_t offset) override {
    auto extent = block_extent(offset);
    if (extent.kind == ExtentKind::data) return extent;
    // Zeros go on to the next block that is stored, as far as is soon looked up.
    constexpr unsigned most_blocks = 1024;
    for (unsigned i = 0; i < most_blocks && extent.offset + extent.length < size(); ++i) {
      const auto next = block_extent(extent.offset + extent.length);
      if (next.kind != ExtentKind::zero) break;
      extent.length += next.length;
    }
    return extent;
  }

  block::StoredExtent stored_at(std::uint64_t offset, std::uint64_t limit) override {
    auto extent = extent_at(offset);
    extent.length = std::min(extent.length, limit);
    const auto in_block = offset % shape_.block_bytes;
    const bool is_stored = extent.kind == ExtentKind::data && table_->is_plain();
    const auto place = is_stored ? table_->find(offset / shape_.block_bytes) : std::nullopt;
    if (!place || *place >= file_->size() || in_block >= file_->size() - *place) return {extent, std::nullopt};
    auto below = file_->stored_at(*place + in_block, std::min(extent.length, file_->size() - *place - in_block));
    below.extent.offset = offset;
    return below;
  }

 private:
  // Of one block alone.
  Extent block_extent(std::uint64_t offset) {
    const auto number = offset / shape_.block_bytes, in_block = offset % shape_.block_bytes;
    Extent extent{offset, std::min(shape_.block_bytes - in_block, size() - offset), ExtentKind::zero};
    const auto place = table_->find(number);
    if (!place) return extent;
    extent.kind = ExtentKind::data;
    if (!table_->is_plain() || *place >= file_->size() || in_block >= file_->size() - *place) return extent;
    const auto stored = file_->extent_at(*place + in_block);  // a file may have holes of its own
    extent.length = std::min(extent.length, stored.length);
    extent.kind = stored.kind;
    return extent;
  }

  void read_piece(std::uint64_t number, std::uint64_t in_block, std::span<std::byte> out) {
    const auto place = table_->find(number);
    if (!place) {
      std::ranges::fill(out, std::byte{});
      return;
    }
    if (table_->is_plain()) {
      if (*place > file_->size() || in_block + out.size() > file_->size() - *place)
        throw corrupt(*file_,
                      fmt::format("block {} of the disk lies at {}, beyond the end of the file", number, *place));
      file_->read(*place + in_block, out);
      return;
    }
    if (unpacked_ != number) {
      unpacked_.reset();
      block_.resize(std::size_t(shape_.block_bytes));
      table_->unpack(*place, number, block_);
      unpacked_ = number;
    }
    std::ranges::copy(std::span(block_).subspan(std::size_t(in_block), out.size()), out.begin());
  }

  std::unique_ptr<BlockDevice> file_;
  Shape shape_;
  std::unique_ptr<BlockTable> table_;
  std::vector<std::byte> block_;           // of packed blocks the last, as those who read in order take it in pieces
  std::optional<std::uint64_t> unpacked_;  // which that is
};

}  // namespace

Error corrupt(const block::BlockDevice& file, const std::string& what) {
  return Error(ErrorKind::corrupt, fmt::format("{} is damaged: {}", file.name(), what)).on(file.name());
}

Error unsupported(const block::BlockDevice& file, const std::string& what) {
  return Error(ErrorKind::unsupported, fmt::format("{}: {}", file.name(), what)).on(file.name());
}

std::span<const std::byte> TablePages::page(std::uint64_t number) {
  auto& page = pages_[number % most_pages];
  if (page.number == number) return page.bytes;
  const auto offset = number * page_bytes;
  page.number = ~std::uint64_t(0);
  page.bytes.assign(page_bytes, std::byte{});
  file_.read(offset,
             std::span(page.bytes).first(std::size_t(std::min<std::uint64_t>(page_bytes, file_.size() - offset))));
  page.number = number;
  return page.bytes;
}

std::unique_ptr<block::BlockDevice> mapped_device(std::unique_ptr<block::BlockDevice> file, Shape shape,
                                                  std::unique_ptr<BlockTable> table) {
  return std::make_unique<MappedDevice>(std::move(file), shape, std::move(table));
}

ImageFormat format_of(const block::BlockDevice* device) {
  const auto* mapped = dynamic_cast<const MappedDevice*>(device);
  return mapped ? mapped->format() : ImageFormat::raw;
}

}  // namespace hrvm::image::foreign
