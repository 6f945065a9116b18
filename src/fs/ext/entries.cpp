#include "fs/ext/entries.hpp"

namespace hrvm::fs::ext {
namespace {

constexpr std::uint8_t type_mask = 0xf;
constexpr std::size_t largest_plain_block = 32768;

}  // namespace

bool is_plain_name(std::string_view name) {
  return !name.empty() && name.find_first_of(std::string_view("/\0", 2)) == name.npos;
}

Entries::Entries(const Volume& volume, const File& folder, std::span<const std::byte> block)
    : left_(block),
      block_bytes_(volume.block_bytes()),
      inodes_(volume.inodes()),
      has_types_(volume.has_incompatible(incompatible_file_type)),
      is_encrypted_(folder.has(flag_encrypted)) {}

std::optional<FolderEntry> Entries::next() {
  while (!left_.empty()) {
    const bool has_head = left_.size() >= sizeof(DirectoryEntryHeader);
    const auto head = has_head ? base::load<DirectoryEntryHeader>(left_) : DirectoryEntryHeader{};
    const auto length = length_of(head.length);
    if (!has_head || length < sizeof head || length % 4 != 0 || length > left_.size() ||
        head.name_length > length - sizeof head) {
      is_sound_ = false;
      left_ = {};
      break;
    }
    const auto name = left_.subspan(sizeof head, head.name_length);
    left_ = left_.subspan(length);
    const std::string_view text(reinterpret_cast<const char*>(name.data()), name.size());
    if (head.inode == 0 || text == "." || text == "..") continue;
    if (is_name(text) && head.inode <= inodes_)
      return FolderEntry{text, head.inode, std::uint8_t(has_types_ ? head.file_type & type_mask : 0)};
    is_sound_ = false;
  }
  return std::nullopt;
}

// Blocks of 64 KiB are longer than a length of 16 bits can say.
std::size_t Entries::length_of(std::uint16_t stored) const {
  if (block_bytes_ <= largest_plain_block) return stored;
  if (stored == 0 || stored == 0xffff) return block_bytes_;
  return (stored & 0xfffcu) | (stored & 3u) << 16;
}

bool Entries::is_name(std::string_view name) const { return is_encrypted_ ? !name.empty() : is_plain_name(name); }

}  // namespace hrvm::fs::ext
