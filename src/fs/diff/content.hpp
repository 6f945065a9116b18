// Whether two files hold the same.
#pragma once

#include <vector>

#include "hrvm/block/ranges.hpp"
#include "hrvm/fs/file_system.hpp"

namespace hrvm::fs {

struct FileOf {
  FileSystem& files;
  const Stat& stat;
};

class ContentComparison {
 public:
  // `differing`: for each device of both where they differ; none of filesystems that share none.
  explicit ContentComparison(const std::vector<block::ByteRanges>& differing) : differing_(differing) {}

  // Of two regular files of one size. What is stored at one place in both, and does not differ there, is not read; of
  // what is packed this holds for files that were not changed since, as only a part of it may be the file's.
  bool is_same(const FileOf& one, const FileOf& other);

 private:
  bool is_same_extent(const FileOf& one, const FileOf& other, const FileExtent& a, const FileExtent& b);
  bool is_same_range(const FileOf& one, const FileOf& other, std::uint64_t offset, std::uint64_t length);

  const std::vector<block::ByteRanges>& differing_;
  std::vector<std::byte> one_, other_;
};

}  // namespace hrvm::fs
