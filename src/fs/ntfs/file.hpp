// A file of NTFS that is open: its record in the master file table, with what was read of its runs.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fs/ntfs/handles.hpp"
#include "fs/ntfs/reparse.hpp"
#include "hrvm/fs/file_system.hpp"

namespace hrvm::fs::ntfs {

struct OpenData {
  std::string stream;  // empty for the file's own
  AttributeHandle attribute;
};

struct File {
  InodeHandle inode;
  Node node;
  FileKind kind = FileKind::other;
  bool is_reparse_point = false;
  ReparsePoint point;     // of what is one
  OpenData data, stream;  // the file's own, and the stream that was read last
};

// nullptr with errno where there is no such record, or it is damaged.
std::shared_ptr<File> open_file(_ntfs_volume* volume, std::uint64_t record);

// Bytes of memory that libntfs-3g took for the records in which this one continues.
std::uint64_t continued_bytes(const File& file);

// The file's own data, or that of a stream, open for as long as the file is. nullptr with errno, ENOENT where there is
// none.
_ntfs_attr* data_of(File& file, std::string_view stream = {});

// Nothing with errno where a record in which this one continues is damaged.
std::optional<Stat> stat_of(File& file);
std::optional<std::vector<Stream>> streams_of(const File& file);  // by name

}  // namespace hrvm::fs::ntfs
