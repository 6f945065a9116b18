// Checks and repairs a qcow2 image made of the fuzzer's bytes. A repair never makes more corruptions, and what is sound
// after it stays as it is in another one.
#include <algorithm>
#include <cstdlib>

#include "fuzz/image_bytes.hpp"
#include "image/check/passes.hpp"
#include "image/repair/file.hpp"

using namespace hrvm;

namespace {

constexpr std::size_t most_bytes = 8u << 20;

void expect(bool holds) {
  if (!holds) std::abort();
}

class MemoryFile : public image::WritableFile {
 public:
  explicit MemoryFile(std::vector<std::byte> bytes) : bytes_(std::move(bytes)) {}

  void write(std::uint64_t offset, std::span<const std::byte> bytes) override {
    if (offset + bytes.size() > most_bytes) throw base::Error(base::ErrorKind::io, "no space left");
    bytes_.resize(std::max(bytes_.size(), std::size_t(offset) + bytes.size()));
    std::ranges::copy(bytes, bytes_.begin() + std::ptrdiff_t(offset));
  }
  bool clone(const block::RawLocation&, std::uint64_t, std::uint64_t) override { return false; }
  void reserve(std::uint64_t, std::uint64_t) override {}
  void set_size(std::uint64_t bytes) override { bytes_.resize(std::min<std::uint64_t>(bytes, most_bytes)); }
  void sync() override {}
  std::unique_ptr<block::BlockDevice> open() const { return block::memory_device(bytes_, "image"); }

 private:
  std::vector<std::byte> bytes_;
};

image::RepairResult repair(MemoryFile& file, image::Repair kind) {
  const auto opened = file.open();
  return image::repair_file({[&] { return file.open(); }, file, kind},
                            image::run_passes(*opened, image::read_header(*opened)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  for (const auto kind : {image::Repair::leaks, image::Repair::all}) {
    fuzz::run([&] {
      MemoryFile file(fuzz::bytes_of(data, size));
      const auto first = repair(file, kind);
      expect(first.after.corruptions <= first.before.corruptions);
      if (kind == image::Repair::leaks || !first.after.is_sound()) return;
      const auto second = repair(file, kind);
      expect(second.before.is_sound() && second.before.leaks == first.after.leaks);
    });
  }
  return 0;
}
