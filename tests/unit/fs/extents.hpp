// What a reader says of where a file's bytes lie, held against what it reads.
#pragma once

#include <algorithm>
#include <map>
#include <span>
#include <vector>

#include "unit/fs/trees.hpp"

namespace hrvm::fs::test {

using Devices = std::span<block::BlockDevice* const>;

inline std::vector<std::byte> bytes_of(FileSystem& files, Node file, std::uint64_t offset, std::uint64_t length) {
  std::vector<std::byte> bytes(std::size_t(length), std::byte{0xee});
  CHECK(files.read(file, offset, bytes) == length);
  return bytes;
}

// Whether what the piece says of them is so.
inline bool are_stored_so(const std::vector<std::byte>& bytes, const FileExtent& piece, Devices devices) {
  if (piece.stored == Stored::zeros)
    return std::ranges::all_of(bytes, [](std::byte byte) { return byte == std::byte{0}; });
  if (piece.stored != Stored::plain) return true;
  return devices[piece.device]->read(piece.device_offset, bytes.size()) == bytes;
}

// The pieces follow one another up to the file's end. How many bytes are stored in each way.
inline std::map<Stored, std::uint64_t> check_extents(FileSystem& files, Node file, Devices devices,
                                                     std::uint64_t limit = ~0ull) {
  std::map<Stored, std::uint64_t> stored;
  std::uint64_t at = 0;
  while (const auto piece = files.extent_at(file, at, limit)) {
    REQUIRE(piece->offset == at);
    REQUIRE(piece->length > 0);
    REQUIRE(piece->length <= limit);
    CAPTURE(at, piece->length, int(piece->stored));
    const bool is_packed_somewhere = piece->stored != Stored::packed || piece->stored_bytes > 0;
    CHECK(is_packed_somewhere);
    CHECK(are_stored_so(bytes_of(files, file, at, piece->length), *piece, devices));
    stored[piece->stored] += piece->length;
    at += piece->length;
  }
  CHECK(at == files.stat(file).size_bytes);
  return stored;
}

inline std::map<Stored, std::uint64_t> check_extents(FileSystem& files, std::string_view path,
                                                     block::BlockDevice& device, std::uint64_t limit = ~0ull) {
  block::BlockDevice* const devices[] = {&device};
  CAPTURE(path);
  return check_extents(files, find(files, path).value(), devices, limit);
}

// Passes on, and counts.
class CountedDevice : public block::BlockDevice {
 public:
  explicit CountedDevice(block::BlockDevice& below) : below_(below) {}

  using BlockDevice::read;
  std::uint64_t size() const override { return below_.size(); }
  const std::string& name() const override { return below_.name(); }
  void read(std::uint64_t offset, std::span<std::byte> out) override {
    ++reads;
    below_.read(offset, out);
  }

  unsigned reads = 0;

 private:
  block::BlockDevice& below_;
};

}  // namespace hrvm::fs::test
