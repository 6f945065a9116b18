// The entries of a FAT directory, with their long names put together.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "fs/fat/format.hpp"
#include "hrvm/fs/file_system.hpp"

namespace hrvm::fs::fat {

struct File {
  std::string name;  // UTF-8
  bool is_directory = false;
  bool is_read_only = false;
  std::uint32_t first_cluster = 0;  // 0: empty, or the root directory
  std::uint32_t size = 0;           // bytes; 0 for directories
  Times times;                      // FAT knows no time zone, UTC is assumed
};

// By its short name. nullopt for what names no file: deleted, a volume label, a part of a long name, "." and "..".
std::optional<File> file_from(const DirectoryEntry& entry);

// Takes a directory piece by piece.
class DirectoryParser {
 public:
  // False ends it. `at`: of the file's short entry among the bytes that were given with it.
  using Visitor = std::function<bool(const File&, std::size_t at)>;

  DirectoryParser();
  ~DirectoryParser();

  // Whole entries. False where the directory has ended, or the visitor ended it. A long name whose parts do not belong
  // together, or that no file can have, gives way to the short one.
  bool take(std::span<const std::byte> bytes, const Visitor& visitor);

 private:
  class LongName;
  std::unique_ptr<LongName> long_name_;
};

}  // namespace hrvm::fs::fat
