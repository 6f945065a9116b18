// Where the data of a qcow2 image and its chain lie, for those who copy them.
#include <algorithm>

#include "hrvm/base/byte_size.hpp"
#include "image/qcow2/device.hpp"

namespace hrvm::image {
namespace {

using block::ExtentKind;
using block::StoredExtent;

constexpr std::uint64_t longest_extent = base::GiB;
// From this length on: a cluster that was made in advance is a hole.
constexpr std::uint64_t worth_a_look = base::MiB;

}  // namespace

// The last cluster may end behind the file, as zeros.
StoredExtent Qcow2Device::data_at(std::uint64_t offset, const Mapping& run) {
  auto there = std::min(run.length, file_->size() - run.host_offset);
  if (run.length >= worth_a_look) {
    auto stored = file_->stored_at(run.host_offset, there);
    stored.extent.offset = offset;
    return stored;
  }
  auto location = file_->raw_location();
  if (location) location->offset += run.host_offset;
  return {{offset, there, ExtentKind::data}, location};
}

StoredExtent Qcow2Device::backing_at(std::uint64_t offset, std::uint64_t length) {
  bool is_there = backing_ && offset < backing_->size();
  if (!is_there) return {{offset, length, ExtentKind::zero}, std::nullopt};
  return backing_->stored_at(offset, std::min(length, backing_->size() - offset));
}

StoredExtent Qcow2Device::stored_at(std::uint64_t offset, std::uint64_t limit) {
  auto run = map_.at(offset, std::min(limit, longest_extent));
  switch (run.stored) {
    case Stored::data:
      return data_at(offset, run);
    case Stored::nothing:
      return backing_at(offset, run.length);
    case Stored::zero:
      return {{offset, run.length, ExtentKind::zero}, std::nullopt};
    case Stored::compressed:
      break;
  }
  return {{offset, run.length, ExtentKind::data}, std::nullopt};
}

}  // namespace hrvm::image
