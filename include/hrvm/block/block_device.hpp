// BlockDevice: a range of bytes that can be read at any offset. Disks, image files, partitions (a slice of a disk),
// logical volumes and the guest's view of a machine all are one, so a filesystem reader serves them all.
//
// Reading never changes anything: there is no write in this interface. Offsets and sizes are bytes. A device is used by
// one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace hrvm::block {

struct SectorSizes {
  std::uint32_t logical_bytes = 512;   // what an LBA counts
  std::uint32_t physical_bytes = 512;  // what the medium writes at once
  friend bool operator==(const SectorSizes&, const SectorSizes&) = default;
};

enum class ExtentKind {
  data,  // stored somewhere; may still be zeros
  zero,  // known to read as zeros (a hole in a file, a zero cluster)
};

struct Extent {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;  // never 0
  ExtentKind kind = ExtentKind::data;
  friend bool operator==(const Extent&, const Extent&) = default;
};

// Bytes as they lie in a file that a descriptor reaches.
struct RawLocation {
  int fd = -1;
  std::uint64_t offset = 0;
};

// An extent, and where its data lie, all of them in one piece; nullopt for zeros, and for what only read() can give.
struct StoredExtent {
  Extent extent;
  std::optional<RawLocation> raw;
};

class BlockDevice {
 public:
  using RawLocation = block::RawLocation;
  virtual ~BlockDevice() = default;

  virtual std::uint64_t size() const = 0;
  // Fills all of `out`. A read that leaves [0, size()) is Error{corrupt}; a medium that fails is Error{io}; both name
  // the device and the offset.
  virtual void read(std::uint64_t offset, std::span<std::byte> out) = 0;
  // What is known of the bytes from `offset` (< size()) on, without reading them: one extent that starts there.
  virtual Extent extent_at(std::uint64_t offset);
  virtual SectorSizes sector_sizes() const { return {}; }
  // For messages: "/dev/sda", "/dev/sda (partition 2)".
  virtual const std::string& name() const = 0;
  // The descriptor and the offset in it where this device's bytes lie as they are, for libraries that only take a
  // descriptor; nullopt for what is mapped.
  virtual std::optional<RawLocation> raw_location() const { return std::nullopt; }
  // As extent_at, for those who read or clone from several threads: at most `limit` (> 0) bytes. The descriptor stays
  // open as long as the device.
  virtual StoredExtent stored_at(std::uint64_t offset, std::uint64_t limit);

  std::vector<std::byte> read(std::uint64_t offset, std::size_t length);
};

}  // namespace hrvm::block
