// Making a disk hold what another device shows, by writing what differs.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <vector>

#include "hrvm/block/block_device.hpp"
#include "hrvm/block/mark.hpp"
#include "hrvm/block/target_device.hpp"
#include "hrvm/sys/terminal.hpp"

namespace hrvm::block {

struct PutCount {
  std::atomic<bool> has_begun = false;  // the disk is not what it was
  std::atomic<std::uint64_t> compared_bytes = 0, written_bytes = 0;
};

// Reads `picture` and `target`, which are of one size, in these regions, a MiB at a time, and writes what differs. So
// whoever is cut off, also by the power, begins again, and only reads what is there already. Several threads read and
// write.
//
// The first MiB bears what a disk is known by: MBR, GPT, superblocks, labels. It is zeroed before the first write, and
// written when all else is on the medium, the first 4 KiB of it last: until then nothing takes the disk for a whole
// system. `before_last` is called before that, and may throw. Bytes are counted as they are done, `progress` gets those
// that are compared.
void put_onto(BlockDevice& picture, TargetDevice& target, const std::vector<Region>& regions, PutCount& count,
              const sys::ProgressCallback& progress, const std::function<void()>& before_last);

// Reads all of it again. Also what was not written: a disk that is smaller than it says gives other bytes there once it
// has been written elsewhere. Error{io} at the first byte that differs.
void check_is_on(BlockDevice& picture, TargetDevice& target, const std::vector<Region>& regions,
                 const sys::ProgressCallback& progress);

}  // namespace hrvm::block
