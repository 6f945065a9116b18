// What libntfs-3g opens, closed at the end of its scope. An attribute is closed before the file that it is of, a file
// before its volume.
#pragma once

#include <memory>

// As libntfs-3g names them, which only a .cpp sees.
struct _ntfs_attr;
struct _ntfs_inode;
struct _ntfs_volume;

namespace hrvm::fs::ntfs {

struct CloseVolume {
  void operator()(_ntfs_volume* volume) const;
};
struct CloseInode {
  void operator()(_ntfs_inode* inode) const;
};
struct CloseAttribute {
  void operator()(_ntfs_attr* attribute) const;
};

using VolumeHandle = std::unique_ptr<_ntfs_volume, CloseVolume>;
using InodeHandle = std::unique_ptr<_ntfs_inode, CloseInode>;
using AttributeHandle = std::unique_ptr<_ntfs_attr, CloseAttribute>;

}  // namespace hrvm::fs::ntfs
