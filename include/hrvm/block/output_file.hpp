// OutputFile: a new file that is filled by large pieces, from several threads at once.
//
// Large aligned writes go around the page cache where the filesystem can (O_DIRECT), so that they are on the medium
// when they are done and take no memory; the rest goes through it. Nothing is synced here.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <set>
#include <span>
#include <string>

#include "hrvm/block/block_device.hpp"
#include "hrvm/sys/fd.hpp"

namespace hrvm::block {

enum class Cloning { unknown, possible, impossible };

class OutputFile {
 public:
  // Offsets and lengths that reflink and O_DIRECT want, on every filesystem that hrvm knows of.
  static constexpr std::uint64_t grid_bytes = 4096;

  // `fd` is open for reading and writing, and stays open; `path` is for messages.
  OutputFile(int fd, std::string path);

  void write(std::uint64_t offset, std::span<const std::byte> bytes);
  void set_size(std::uint64_t bytes);
  // Takes space for what will be written there, where that can be done: the writes then go side by side. The file may
  // grow. Missing space is left for the write to report.
  void reserve(std::uint64_t offset, std::uint64_t length);

  // Whether bytes of the file behind `from` can be shared: known once it was tried.
  Cloning cloning(const RawLocation& from) const;
  // Lets [offset, offset + length) share what lies at `from` (reflink). All three are multiples of grid_bytes. False
  // when the filesystem cannot, and nothing changed.
  bool clone(const RawLocation& from, std::uint64_t length, std::uint64_t offset);
  bool has_cloned() const { return has_cloned_; }

 private:
  bool write_directly(std::uint64_t offset, std::span<const std::byte> bytes);

  int fd_;
  std::string path_;
  sys::Fd direct_;
  std::atomic<bool> is_direct_, has_cloned_ = false;
  mutable std::mutex mutex_;
  std::set<int> can_clone_, cannot_clone_;  // descriptors
};

}  // namespace hrvm::block
