#include <algorithm>

#include "block/range.hpp"
#include "hrvm/block/devices.hpp"

namespace hrvm::block {

namespace {

class MemoryDevice : public BlockDevice {
 public:
  MemoryDevice(std::vector<std::byte> bytes, std::string name, SectorSizes sectors)
      : bytes_(std::move(bytes)), name_(std::move(name)), sectors_(sectors) {}

  using BlockDevice::read;
  void read(std::uint64_t offset, std::span<std::byte> out) override {
    check_range(*this, offset, out.size());
    std::ranges::copy(std::span(bytes_).subspan(offset, out.size()), out.begin());
  }
  std::uint64_t size() const override { return bytes_.size(); }
  SectorSizes sector_sizes() const override { return sectors_; }
  const std::string& name() const override { return name_; }

 private:
  std::vector<std::byte> bytes_;
  std::string name_;
  SectorSizes sectors_;
};

}  // namespace

std::unique_ptr<BlockDevice> memory_device(std::vector<std::byte> bytes, std::string name, SectorSizes sectors) {
  return std::make_unique<MemoryDevice>(std::move(bytes), std::move(name), sectors);
}

}  // namespace hrvm::block
