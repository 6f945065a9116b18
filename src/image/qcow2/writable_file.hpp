// WritableFile: where an image is written to. A seam, so that tests can cut the power between two writes.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "hrvm/block/output_file.hpp"
#include "hrvm/sys/files.hpp"

namespace hrvm::image {

class WritableFile {
 public:
  virtual ~WritableFile() = default;
  // Within one sector of 512 bytes a write is atomic; until sync returns, writes may reach the medium in any order.
  // Several threads may write.
  virtual void write(std::uint64_t offset, std::span<const std::byte> bytes) = 0;
  // Instead of a write: lets [offset, offset + length) share what lies at `from`. False when it has to be written.
  virtual bool clone(const block::RawLocation& from, std::uint64_t length, std::uint64_t offset) = 0;
  // Takes space for what will be written there, where that speeds the writes up; the file may grow.
  virtual void reserve(std::uint64_t offset, std::uint64_t length) = 0;
  virtual void set_size(std::uint64_t bytes) = 0;
  virtual void sync() = 0;
};

class DescriptorFile : public WritableFile {
 public:
  // `fd` must stay open; `path` is for messages.
  DescriptorFile(int fd, std::string path) : out_(fd, path), fd_(fd), path_(std::move(path)) {}
  void write(std::uint64_t offset, std::span<const std::byte> bytes) override { out_.write(offset, bytes); }
  bool clone(const block::RawLocation& from, std::uint64_t length, std::uint64_t offset) override {
    return out_.cloning(from) != block::Cloning::impossible && out_.clone(from, length, offset);
  }
  void reserve(std::uint64_t offset, std::uint64_t length) override { out_.reserve(offset, length); }
  void set_size(std::uint64_t bytes) override { out_.set_size(bytes); }
  void sync() override { sys::sync_file(fd_, path_); }

 private:
  block::OutputFile out_;
  int fd_;
  std::string path_;
};

}  // namespace hrvm::image
