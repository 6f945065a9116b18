#include "fs/xfs/directory.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"

namespace hrvm::fs::xfs {
namespace {

bool visit_block(NameBlock& block, const NameVisitor& visitor) {
  while (const auto name = block.next())
    if (!is_self_or_parent(name->text) && !visitor(*name)) return false;
  return true;
}

// Offsets in a folder's file of the blocks that hold data. A folder can have no more of them than the device.
class DataBlocks {
 public:
  DataBlocks(Volume& volume, const Inode& folder, ExtentMap& map)
      : volume_(volume),
        folder_(folder),
        map_(map),
        step_(volume.directory_block_bytes()),
        left_(volume.device().size() / step_ + 1) {}

  std::optional<std::uint64_t> next() {
    const auto extent = map_.at_or_after(at_ >> volume_.block_log());
    if (!extent) return std::nullopt;
    at_ = std::max(at_, base::round_down(extent->file_block << volume_.block_log(), step_));
    if (at_ >= directory_data_end) return std::nullopt;
    if (left_-- == 0)
      throw volume_.corrupt(fmt::format("folder {} is larger than the device", folder_.number()), folder_.offset());
    at_ += step_;
    return at_ - step_;
  }

 private:
  Volume& volume_;
  const Inode& folder_;
  ExtentMap& map_;
  std::uint64_t step_, left_, at_ = 0;
};

}  // namespace

void visit_names(Volume& volume, const Inode& folder, const NameVisitor& visitor) {
  if (folder.format(Fork::data) == format_local) {
    ShortNames names(volume, folder);
    while (const auto name = names.next())
      if (!visitor(*name)) return;
    return;
  }
  ExtentMap map(volume, folder);
  DataBlocks offsets(volume, folder, map);
  NameBlock block(volume, folder, map);
  while (const auto offset = offsets.next()) {
    block.read(*offset);
    if (!visit_block(block, visitor)) return;
  }
}

}  // namespace hrvm::fs::xfs
