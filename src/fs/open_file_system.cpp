#include <array>

#include "hrvm/fs/file_system.hpp"

namespace hrvm::fs {

namespace {

struct Reader {
  std::string_view type;
  std::unique_ptr<FileSystem> (*open)(block::BlockDevice&);
};
constexpr std::array readers{
    Reader{"ext2", open_ext},  Reader{"ext3", open_ext}, Reader{"ext4", open_ext},    Reader{"vfat", open_fat},
    Reader{"ntfs", open_ntfs}, Reader{"xfs", open_xfs},  Reader{"btrfs", open_btrfs},
};

}  // namespace

std::unique_ptr<FileSystem> open_file_system(std::string_view type, block::BlockDevice& device) {
  for (const Reader& reader : readers)
    if (reader.type == type) return reader.open(device);
  return nullptr;
}

}  // namespace hrvm::fs
