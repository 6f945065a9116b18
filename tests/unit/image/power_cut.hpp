// A file whose power can be cut: what was written since the last sync may have reached the disk or not, sector by
// sector.
#pragma once

#include <algorithm>
#include <fstream>
#include <mutex>
#include <random>

#include "hrvm/base/byte_size.hpp"
#include "image/qcow2/writable_file.hpp"
#include "unit/image/images.hpp"

namespace hrvm::image::test {

// Passes everything on to the real file, and keeps a record.
class RecordedFile : public WritableFile {
 public:
  explicit RecordedFile(WritableFile& file) : file_(file) {}
  void write(std::uint64_t offset, std::span<const std::byte> bytes) override {
    file_.write(offset, bytes);
    const std::lock_guard lock(mutex_);
    record_.push_back({offset, {bytes.begin(), bytes.end()}});
  }
  // What is cloned could not be replayed.
  bool clone(const block::RawLocation&, std::uint64_t, std::uint64_t) override { return false; }
  // Only takes space: nothing that a power cut could lose.
  void reserve(std::uint64_t, std::uint64_t) override {}
  void set_size(std::uint64_t bytes) override { file_.set_size(bytes); }
  void sync() override {
    file_.sync();
    record_.push_back({});
  }
  std::size_t steps() const { return record_.size(); }

  // The file as a power cut after `steps` steps may leave it, begun as `before`.
  Bytes after_power_cut(Bytes before, std::size_t steps, Random& random) const {
    std::size_t durable = steps;
    while (durable > 0 && !record_[durable - 1].bytes.empty()) --durable;
    for (std::size_t i = 0; i < steps; ++i) {
      const auto& step = record_[i];
      for (std::size_t at = 0; at < step.bytes.size();) {
        auto length = std::min<std::size_t>(512 - (step.offset + at) % 512, step.bytes.size() - at);
        if (i < durable || below(random, 2)) put(before, step.offset + at, std::span(step.bytes).subspan(at, length));
        at += length;
      }
    }
    return before;
  }

 private:
  struct Step {
    std::uint64_t offset = 0;
    Bytes bytes;  // none: a sync
  };

  static void put(Bytes& file, std::uint64_t offset, std::span<const std::byte> bytes) {
    file.resize(std::max<std::size_t>(file.size(), offset + bytes.size()));
    std::ranges::copy(bytes, file.begin() + std::ptrdiff_t(offset));
  }

  WritableFile& file_;
  std::mutex mutex_;
  std::vector<Step> record_;
};

inline void write_file(const Path& path, const Bytes& bytes) {
  auto fd = sys::open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  sys::write_fully(fd.get(), bytes, 0, path);
}

}  // namespace hrvm::image::test
