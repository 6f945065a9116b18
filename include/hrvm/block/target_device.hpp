// TargetDevice: a disk that a machine is written onto. This is the one door in hrvm through which a device is opened
// for writing, and who may go through it is held by tests/rules/device-door.sh.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>

#include "hrvm/block/block_device.hpp"

namespace hrvm::block {

// Read and written from several threads at once, at offsets and in lengths that are multiples of its sectors, from
// memory that is aligned to them.
class TargetDevice : public BlockDevice {
 public:
  virtual void write(std::uint64_t offset, std::span<const std::byte> bytes) = 0;
  // Zeros, by what the device has for it where it has something.
  virtual void clear(std::uint64_t offset, std::uint64_t length) = 0;
  // What was written is on the medium, and what is read from now on comes from there.
  virtual void sync() = 0;
  // Has the kernel look for its partitions; false where it does not.
  virtual bool reread_table() = 0;
};

// Which device was examined: names lead elsewhere after a cable was pulled, and so may the kernel's numbers.
struct DeviceIdentity {
  std::uint64_t numbers = 0;                   // st_rdev
  std::uint64_t size_bytes = 0;                // BLKGETSIZE64
  std::optional<std::uint64_t> sequence = {};  // of attached disks, never given twice (BLKGETDISKSEQ, Linux 5.15)
};

// Opens a whole disk for reading and writing, for nobody else meanwhile (O_EXCL): as long as it is open the kernel lets
// nobody mount it, swap to it or build on it. Error{refused} where somebody has it, and for another device than the
// one that was examined, Error{permission} for one that is read-only.
//
// It is read and written around the page cache (O_DIRECT, where the device has it): a write that fails says so itself
// and is not found out at the end, nothing waits in memory when it is cut off, what the host has cached stays, and what
// is read back comes from the medium.
std::unique_ptr<TargetDevice> open_target(const std::filesystem::path& device, const DeviceIdentity& examined);

}  // namespace hrvm::block
