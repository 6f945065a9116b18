// What is shown of files and folders otherwise than it lies in the filesystem's blocks: what fast commits tell, which
// say by their meaning what became of them. Written back, this would need blocks to be allocated; to be shown it need
// not.
//
// Memory: for what the fast commits tell, whatever the size of the files and folders.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace hrvm::fs::ext {

// Pieces of a file that lie elsewhere than its tree of extents tells. In blocks.
class Pieces {
 public:
  // What lay there before is forgotten. `volume_block` 0: it reads as zeros. `blocks` is not 0.
  void put(std::uint64_t first, std::uint64_t blocks, std::uint64_t volume_block);

  struct Found {
    std::uint64_t blocks = 0;                   // so many from `block` on
    std::optional<std::uint64_t> volume_block;  // nullopt: as the file's tree tells
  };
  Found look(std::uint64_t block) const;

 private:
  struct Piece {
    std::uint64_t end = 0, volume_block = 0;
  };
  void cut_at(std::uint64_t block);

  std::map<std::uint64_t, Piece> pieces_;  // by the first block; none overlap
};

struct NewFolder {
  bool is_made = false;                                     // it has no names but these
  std::map<std::string, std::uint32_t, std::less<>> names;  // to what inode each leads; 0: it is gone
};

struct Changes {
  std::unordered_map<std::uint32_t, std::vector<std::byte>> inodes;  // the first bytes of each
  std::unordered_map<std::uint32_t, Pieces> moved;
  std::unordered_map<std::uint32_t, NewFolder> folders;

  // Of an inode, none or nullptr where it is as it lies.
  std::span<const std::byte> inode(std::uint32_t number) const {
    const auto found = inodes.find(number);
    return found == inodes.end() ? std::span<const std::byte>() : found->second;
  }
  const Pieces* pieces(std::uint32_t number) const { return find(moved, number); }
  const NewFolder* folder(std::uint32_t number) const { return find(folders, number); }

 private:
  template <typename Value>
  static const Value* find(const std::unordered_map<std::uint32_t, Value>& in, std::uint32_t number) {
    const auto found = in.find(number);
    return found == in.end() ? nullptr : &found->second;
  }
};

}  // namespace hrvm::fs::ext
