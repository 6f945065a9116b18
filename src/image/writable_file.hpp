// WritableFile: where an image is written to. A seam, so that tests can cut the power between two writes.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "hrvm/sys/files.hpp"

namespace hrvm::image {

class WritableFile {
 public:
  virtual ~WritableFile() = default;
  // Within one sector of 512 bytes a write is atomic; until sync returns, writes may reach the medium in any order.
  virtual void write(std::uint64_t offset, std::span<const std::byte> bytes) = 0;
  virtual void sync() = 0;
};

class DescriptorFile : public WritableFile {
 public:
  // `fd` must stay open; `path` is for messages.
  DescriptorFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  void write(std::uint64_t offset, std::span<const std::byte> bytes) override {
    sys::write_fully(fd_, bytes, offset, path_);
  }
  void sync() override { sys::sync_file(fd_, path_); }

 private:
  int fd_;
  std::string path_;
};

}  // namespace hrvm::image
