// The entries of a FAT directory, with their long names put together.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hrvm::fs::fat {

struct File {
  std::string name;  // UTF-8
  bool is_directory = false;
  std::uint32_t first_cluster = 0;  // 0: empty, or the root directory
  std::uint32_t size = 0;           // bytes; 0 for directories
  std::int64_t modified = 0;        // seconds since 1970; FAT knows no time zone, UTC is assumed
};

// What the bytes of a directory hold, without volume labels, deleted files, "." and "..". A long name whose parts do
// not belong together gives way to its short name.
std::vector<File> parse_directory(std::string_view bytes);

}  // namespace hrvm::fs::fat
