// DataMover: brings pieces of a device into the file of an image, by several threads. What the filesystem can share is
// cloned instead. Memory: a few buffers of 2 MiB.
#pragma once

#include <cstdint>
#include <vector>

#include "hrvm/block/chunks.hpp"
#include "hrvm/block/worker_pool.hpp"
#include "image/qcow2/writable_file.hpp"

namespace hrvm::image {

class DataMover {
 public:
  explicit DataMover(WritableFile& out);

  // [offset, offset + length) of `from`, with zeros behind its end, goes to `host_offset`. It is there after finish();
  // until then `from` must stay.
  void add(block::SharedSource& from, std::uint64_t offset, std::uint64_t length, std::uint64_t host_offset);
  void finish();
  // Whether the file may reach further than what was written to it.
  bool has_reserved() const { return reserved_end_ != 0; }

 private:
  struct Range {
    block::SharedSource* from = nullptr;
    std::uint64_t offset = 0, length = 0, host_offset = 0;
  };
  // What one thread reads as a piece.
  struct Part {
    block::SharedSource* from;
    block::StoredExtent piece;
    std::uint64_t host_offset;
  };

  bool continues(const Range& next) const;
  void dispatch(Range range);
  bool clone(const Part& part);
  void queue(Part part);
  void submit();
  void reserve_behind(std::uint64_t host_end);
  void carry_out(const std::vector<Part>& parts, std::span<std::byte> buffer);

  WritableFile& out_;
  Range pending_;  // joined with what follows it, as long as that lies side by side
  std::vector<Part> batch_;
  std::uint64_t batch_bytes_ = 0;
  std::uint64_t reserved_end_ = 0;
  block::WorkerPool pool_;  // the last one, as its threads use the others
};

}  // namespace hrvm::image
