#include "fs/xfs/directory.hpp"

#include <algorithm>
#include <set>

#include <fmt/core.h>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"

namespace hrvm::fs::xfs {
namespace {

constexpr std::size_t most_entries = 65536;
constexpr std::uint64_t most_blocks_bytes = 256 * base::MiB;

[[noreturn]] void corrupt(const Volume& volume, const File& folder) {
  throw base::Error(base::ErrorKind::corrupt,
                    fmt::format("{}: folder {} has an entry that cannot be", volume.device().name(), folder.number))
      .on(volume.device().name());
}

// Takes fields from the front of some bytes.
class Cursor {
 public:
  Cursor(std::span<const std::byte> bytes, const Volume& volume, const File& folder)
      : bytes_(bytes), volume_(volume), folder_(folder) {}

  bool has(std::size_t count) const { return at_ + count <= bytes_.size(); }
  std::size_t position() const { return at_; }
  std::uint64_t number(std::size_t width) {
    need(width);
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < width; ++i) value = value << 8 | std::uint64_t(bytes_[at_++]);
    return value;
  }
  std::string text(std::size_t length) {
    need(length);
    std::string text(length, '\0');
    std::ranges::transform(bytes_.subspan(at_, length), text.begin(), [](std::byte b) { return char(b); });
    at_ += length;
    return text;
  }
  void move_to(std::size_t position) {
    if (position <= at_ || position > bytes_.size()) corrupt(volume_, folder_);
    at_ = position;
  }

 private:
  void need(std::size_t count) const {
    if (!has(count)) corrupt(volume_, folder_);
  }

  std::span<const std::byte> bytes_;
  const Volume& volume_;
  const File& folder_;
  std::size_t at_ = 0;
};

class Reading {
 public:
  Reading(Volume& volume, const File& folder) : volume_(volume), folder_(folder) {}

  std::vector<DirectoryEntry> run() && {
    if (folder_.inode.format == format_local)
      read_short();
    else
      for (const auto block : data_blocks()) read_block(block);
    return std::move(entries_);
  }

 private:
  void add(std::string name, std::uint64_t inode, std::uint8_t type) {
    if (name != "." && name != ".." && entries_.size() < most_entries)
      entries_.push_back({std::move(name), inode, type});
  }

  // A count, how wide inode numbers are, the parent; for each entry the length, a cookie, name, type and inode.
  void read_short() {
    Cursor cursor(folder_.local, volume_, folder_);
    const auto count = cursor.number(1);
    const std::size_t width = cursor.number(1) ? 8 : 4;
    cursor.number(width);
    for (std::uint64_t i = 0; i < count; ++i) {
      const auto length = cursor.number(1);
      cursor.number(2);
      auto name = cursor.text(length);
      const auto type = std::uint8_t(volume_.has_file_types() ? cursor.number(1) : 0);
      add(std::move(name), cursor.number(width), type);
    }
  }

  // Offsets in the folder's file at which there are data.
  std::set<std::uint64_t> data_blocks() const {
    std::set<std::uint64_t> offsets;
    const auto step = volume_.directory_block_bytes();
    std::uint64_t bytes = 0;
    for (const auto& extent : folder_.extents) {
      const auto begin = extent.file_block * volume_.block_bytes();
      const auto end = std::min(begin + extent.blocks * volume_.block_bytes(), directory_data_end);
      for (auto at = base::round_down(begin, step); at < end && bytes < most_blocks_bytes; at += step, bytes += step)
        offsets.insert(at);
    }
    return offsets;
  }

  // Used and free room by turns. In a folder of one block a list of hashes follows, and a tail that says how long it
  // is.
  void read_block(std::uint64_t offset) {
    auto block = volume_.read(folder_, offset, volume_.directory_block_bytes());
    const std::uint32_t magic = base::load<base::be32>(block);
    const bool is_whole = magic == block_magic_4 || magic == block_magic_5;
    if (!is_whole && magic != data_magic_4 && magic != data_magic_5) corrupt(volume_, folder_);
    if (is_whole) block.resize(data_end(block));
    Cursor cursor(block, volume_, folder_);
    cursor.move_to(magic == block_magic_5 || magic == data_magic_5 ? data_header_5 : data_header_4);
    while (cursor.has(8)) read_entry(cursor);
  }

  std::size_t data_end(std::span<const std::byte> block) const {
    const std::uint64_t leaves = base::load<base::be32>(block, block.size() - 8);
    if (leaves > block.size() / 8 - 1) corrupt(volume_, folder_);
    return block.size() - 8 - std::size_t(leaves) * 8;
  }

  void read_entry(Cursor& cursor) {
    const auto start = cursor.position();
    const auto inode = cursor.number(8);
    if (inode >> 48 == free_tag) return cursor.move_to(start + free_length(inode));
    const auto length = std::size_t(cursor.number(1));
    auto name = cursor.text(length);
    const bool types = volume_.has_file_types();
    const auto type = std::uint8_t(types ? cursor.number(1) : 0);
    cursor.move_to(start + base::round_up(8 + 1 + length + (types ? 1 : 0) + 2, 8));
    add(std::move(name), inode, type);
  }

  // Behind the tag of free room stands its length.
  static std::size_t free_length(std::uint64_t first_bytes) { return first_bytes >> 32 & 0xffff; }

  Volume& volume_;
  const File& folder_;
  std::vector<DirectoryEntry> entries_;
};

}  // namespace

std::vector<DirectoryEntry> read_directory(Volume& volume, const File& folder) { return Reading(volume, folder).run(); }

}  // namespace hrvm::fs::xfs
