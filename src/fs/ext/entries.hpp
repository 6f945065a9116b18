// The entries in one block of a folder, one after the other.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "fs/ext/volume.hpp"

namespace hrvm::fs::ext {

struct FolderEntry {
  std::string_view name;  // within the block
  std::uint32_t inode = 0;
  std::uint8_t type = 0;  // 0: only the inode tells
};

// What a name that is not encrypted can be.
bool is_plain_name(std::string_view name);

class Entries {
 public:
  // Names of an encrypted folder are bytes of any kind.
  Entries(const Volume& volume, const File& folder, std::span<const std::byte> block);

  // The next that is in use and is neither "." nor ".."; nullopt at the end, and before what cannot be an entry.
  std::optional<FolderEntry> next();
  // Whether all that next() passed was sound.
  bool is_sound() const { return is_sound_; }

 private:
  std::size_t length_of(std::uint16_t stored) const;
  bool is_name(std::string_view name) const;

  std::span<const std::byte> left_;
  std::size_t block_bytes_;
  std::uint32_t inodes_;
  bool has_types_, is_encrypted_, is_sound_ = true;
};

}  // namespace hrvm::fs::ext
