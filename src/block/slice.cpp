#include <algorithm>

#include "block/range.hpp"
#include "hrvm/block/devices.hpp"

namespace hrvm::block {

namespace {

class Slice : public BlockDevice {
 public:
  Slice(BlockDevice& parent, Extent range, std::string name, SectorSizes sectors)
      : parent_(parent), start_(range.offset), size_(range.length), name_(std::move(name)), sectors_(sectors) {}

  using BlockDevice::read;
  void read(std::uint64_t offset, std::span<std::byte> out) override {
    check_range(*this, offset, out.size());
    parent_.read(start_ + offset, out);
  }
  Extent extent_at(std::uint64_t offset) override {
    check_range(*this, offset, 1);
    const Extent below = parent_.extent_at(start_ + offset);
    return {offset, std::min(below.length, size_ - offset), below.kind};
  }
  StoredExtent stored_at(std::uint64_t offset, std::uint64_t limit) override {
    check_range(*this, offset, 1);
    auto below = parent_.stored_at(start_ + offset, std::min(limit, size_ - offset));
    below.extent.offset = offset;
    return below;
  }
  std::uint64_t size() const override { return size_; }
  SectorSizes sector_sizes() const override { return sectors_; }
  const std::string& name() const override { return name_; }
  std::optional<RawLocation> raw_location() const override {
    std::optional<RawLocation> location = parent_.raw_location();
    if (location) location->offset += start_;
    return location;
  }

 private:
  BlockDevice& parent_;
  std::uint64_t start_, size_;
  std::string name_;
  SectorSizes sectors_;
};

}  // namespace

std::unique_ptr<BlockDevice> slice(BlockDevice& parent, std::uint64_t offset, std::uint64_t length, std::string name) {
  check_range(parent, offset, length);
  return std::make_unique<Slice>(parent, Extent{offset, length}, std::move(name), parent.sector_sizes());
}

std::unique_ptr<BlockDevice> with_sectors(BlockDevice& parent, SectorSizes sectors) {
  return std::make_unique<Slice>(parent, Extent{0, parent.size()}, parent.name(), sectors);
}

}  // namespace hrvm::block
