// The repair itself, once the image is locked: the part that tests cut the power to.
#pragma once

#include <functional>
#include <memory>

#include "hrvm/block/block_device.hpp"
#include "hrvm/image/check.hpp"
#include "image/check/passes.hpp"
#include "image/qcow2/writable_file.hpp"

namespace hrvm::image {

// Opens the file that `out` writes to, as long as it is now.
using ImageOpener = std::function<std::unique_ptr<block::BlockDevice>()>;

struct RepairJob {
  ImageOpener open;
  WritableFile& out;
  Repair repair = Repair::all;
  sys::ProgressCallback progress = [](std::uint64_t) {};
};

// `found` is what an examination of the file found. Error{io} or {corrupt} where it could not see all: what it missed
// is not free.
RepairResult repair_file(const RepairJob& job, Examination found);

}  // namespace hrvm::image
