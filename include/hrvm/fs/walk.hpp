// Walks through a tree of files, from one of them down: each is entered once, a folder before what lies in it, and left
// after that.
//
// Whatever a disk holds, a walk ends, and takes no more of the stack for a deeper tree. Memory: the names of each
// folder on the way that are still ahead, 32 MiB of them together, and 64 bytes for each folder that holds folders; by
// these a folder that is met a second time, above itself or elsewhere, is found out. That is Error{corrupt}, as it
// would lead back without end, or multiply.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "hrvm/base/error.hpp"
#include "hrvm/fs/file_system.hpp"

namespace hrvm::fs {

inline constexpr std::size_t deepest_walk = 4096;  // folders on one another

// Of the files in one folder. Where it holds more than a batch of them, it is taken in several passes; only names are
// in order across batches.
enum class WalkOrder {
  disk,   // as visit() gives them
  names,  // by their bytes
  data,   // folders first, then files by where their data begin on the devices, so that they are read without seeking
};

enum class WalkStep {
  go_on,
  skip_folder,  // what lies in it; of what is no folder as go_on
  stop,
};

// The path is valid until the visitor returns.
struct WalkedFile {
  std::string_view path;  // from where the walk began, which itself has "": "/etc/os-release"
  const Stat& stat;
  std::size_t depth = 0;  // folders above it
};

class WalkVisitor {
 public:
  virtual ~WalkVisitor() = default;
  virtual WalkStep enter(const WalkedFile& file) = 0;
  // Of each folder that was entered, unless the walk stopped before.
  virtual void leave(const WalkedFile& folder);
  // A file that cannot be looked at, or a folder that cannot be read on. To return is to go on behind it.
  virtual void failed(std::string_view path, const base::Error& error);  // throws it
};

struct WalkOptions {
  WalkOrder order = WalkOrder::disk;
  bool crosses_trees = false;  // else subvolumes are entered and left as if they were empty
  // Of a batch.
  std::size_t most_names = 64 << 10, most_bytes = 8 << 20;
};

// False where the visitor stopped it. `start` may be any file.
bool walk(FileSystem& files, Node start, WalkVisitor& visitor, const WalkOptions& options = {});

}  // namespace hrvm::fs
