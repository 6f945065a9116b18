// Mapped: a device that hides where its bytes lie, as a mapped volume does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "hrvm/block/block_device.hpp"

namespace hrvm::test {

class Mapped : public block::BlockDevice {
 public:
  explicit Mapped(block::BlockDevice& device) : device_(device) {}
  std::uint64_t size() const override { return device_.size(); }
  void read(std::uint64_t offset, std::span<std::byte> out) override { device_.read(offset, out); }
  const std::string& name() const override { return device_.name(); }
  using BlockDevice::read;

 private:
  block::BlockDevice& device_;
};

}  // namespace hrvm::test
