#include "fs/ext/fast_replay.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <optional>

#include "fs/ext/blocks.hpp"
#include "fs/ext/entries.hpp"
#include "fs/ext/folder.hpp"
#include "fs/jbd2/format.hpp"
#include "hrvm/base/byte_size.hpp"

namespace hrvm::fs::ext {
namespace {

using base::Error, base::ErrorKind;

// A name costs some blocks of a folder with an index, and all of one without.
constexpr std::uint64_t most_bytes_read = 4 * base::GiB;
constexpr std::uint32_t inline_folder_bytes = 60;

class FastReplay {
 public:
  FastReplay(Volume& volume, std::span<const std::byte> records)
      : volume_(volume), changes_(volume.changes()), left_(records), bytes_at_start_(volume.bytes_read()) {}

  void run() {
    while (!left_.empty()) {
      const auto head = base::load<jbd2::FastCommitRecord>(left_);
      const auto record = left_.subspan(sizeof head, head.bytes);
      left_ = left_.subspan(sizeof head + head.bytes);
      apply(head.type, record);
      if (volume_.bytes_read() - bytes_at_start_ > most_bytes_read)
        throw Error(ErrorKind::unsupported, "the journal's fast commits tell of too much to look it up");
    }
  }

 private:
  struct Name {
    std::uint32_t folder = 0, inode = 0;
    std::string_view text;
  };

  void apply(std::uint16_t type, std::span<const std::byte> record) {
    switch (type) {
      case jbd2::fast_add_range:
        return add_range(base::load<jbd2::FastCommitAddRange>(record));
      case jbd2::fast_del_range:
        return del_range(base::load<jbd2::FastCommitDelRange>(record));
      case jbd2::fast_create:
        return create(name_of(record));
      case jbd2::fast_link:
        return link(name_of(record));
      case jbd2::fast_unlink:
        return unlink(name_of(record));
      case jbd2::fast_inode:
        return put_inode(record);
      default:
        return;  // heads, tails and padding
    }
  }

  Name name_of(std::span<const std::byte> record) const {
    const auto head = base::load<jbd2::FastCommitName>(record);
    const auto name = record.subspan(sizeof head);
    const std::string_view text(reinterpret_cast<const char*>(name.data()), name.size());
    if (!is_plain_name(text) || text == "." || text == "..") throw refused("a name that cannot be", head.inode);
    return {head.folder, head.inode, text};
  }

  static Error refused(std::string_view what, std::uint32_t inode) {
    return Error(ErrorKind::corrupt, fmt::format("the journal's fast commits tell of {}, of inode {}", what, inode));
  }

  // The kernel's own files are none to it here.
  bool can_be_used(std::uint32_t number) const {
    const auto& super = volume_.super();
    const std::uint32_t first = super.revision == 0 ? first_inode_of_revision_0 : std::uint32_t(super.first_inode);
    return number != 0 && number <= volume_.inodes() && (number >= first || number == root_inode);
  }

  std::optional<File> used(std::uint32_t number) {
    if (!can_be_used(number)) return std::nullopt;
    const File file = volume_.file(number);
    return file.inode.links_count == 0 ? std::nullopt : std::optional(file);
  }

  // The first `length` bytes of an inode at least, to be changed.
  std::vector<std::byte>& bytes_of(const File& file, std::size_t length) {
    auto& bytes = changes_.inodes[file.number];
    if (bytes.size() >= length) return bytes;
    std::vector<std::byte> longer(length);
    volume_.read_inode(file, 0, longer);
    return bytes = std::move(longer);
  }

  void set_links(const File& file, std::uint32_t links) {
    base::store(bytes_of(file, short_inode_bytes), offsetof(Inode, links_count), base::le16(std::uint16_t(links)));
  }

  // Files.

  // An inode keeps its tree of extents, which the ranges change.
  void put_inode(std::span<const std::byte> record) {
    const std::uint32_t number = base::load<jbd2::FastCommitInode>(record).number;
    const auto newer = record.subspan(sizeof(jbd2::FastCommitInode));
    if (!can_be_used(number)) throw refused("an inode that is none of a file", number);
    if (newer.size() > volume_.inode_bytes()) throw refused("more than an inode holds", number);
    auto& bytes = bytes_of(volume_.file(number), newer.size());
    constexpr std::size_t kept = offsetof(Inode, block), kept_end = kept + sizeof(Inode::block);
    std::ranges::copy(newer.first(kept), bytes.begin());
    std::ranges::copy(newer.subspan(kept_end), bytes.begin() + kept_end);
    const auto fields = base::load<std::array<std::byte, short_inode_bytes>>(newer);
    const std::uint32_t flags = base::load<base::le32>(fields, offsetof(Inode, flags));
    if (flags & flag_extents)
      need_tree(bytes);
    else if (flags & flag_inline_data)
      std::ranges::copy(newer.subspan(kept, sizeof(Inode::block)), bytes.begin() + kept);
    if (base::load<base::le16>(fields, offsetof(Inode, links_count)) == 0)
      throw refused("a file without a link", number);
  }

  static void need_tree(std::span<std::byte> inode) {
    if (base::load<ExtentHeader>(inode, offsetof(Inode, block)).magic == extent_magic) return;
    constexpr auto room = (sizeof(Inode::block) - sizeof(ExtentHeader)) / sizeof(ExtentLeaf);
    base::store(inode, offsetof(Inode, block), ExtentHeader{extent_magic, 0, std::uint16_t(room), 0, 0});
  }

  Pieces& pieces_of(const File& file) {
    if (!file.has(flag_extents) || file.has(flag_inline_data))
      throw Error(ErrorKind::unsupported,
                  fmt::format("the journal's fast commits change inode {}, which has no extents", file.number));
    return changes_.moved[file.number];
  }

  void add_range(const jbd2::FastCommitAddRange& range) {
    const auto extent = base::load<ExtentLeaf>(range.extent);
    const std::uint16_t told = extent.length;
    const bool is_written = told <= most_written;
    const std::uint64_t first = extent.first_block, blocks = is_written ? told : told - most_written;
    const std::uint64_t start = std::uint64_t(extent.start_hi) << 32 | extent.start_lo;
    const auto file = used(range.inode);
    if (!file || blocks == 0) return;
    if (start == 0 || start >= volume_.blocks() || blocks > volume_.blocks() - start ||
        blocks > file_blocks_end - first)
      throw refused("blocks that the filesystem has not", range.inode);
    pieces_of(*file).put(first, blocks, is_written ? start : 0);
  }

  void del_range(const jbd2::FastCommitDelRange& range) {
    const std::uint64_t first = range.first_block,
                        blocks = std::min<std::uint64_t>(range.blocks, file_blocks_end - first);
    const auto file = used(range.inode);
    if (file && blocks != 0) pieces_of(*file).put(first, blocks, 0);
  }

  // Names.

  // To which inode it leads; 0: to none.
  std::uint32_t looked_up(const File& folder, std::string_view name) {
    const auto found = find_in_folder(volume_, folder, name);
    return found ? std::uint32_t(found->id) : 0;
  }

  // Names that fold case are found by another way than how they are written.
  std::optional<File> used_folder(const Name& name) {
    auto folder = used(name.folder);
    if (!folder) return std::nullopt;
    if (!folder->is(mode_directory)) throw refused("a name in what is no folder", name.inode);
    if (folder->has(flag_case_folding) || folder->has(flag_encrypted))
      throw Error(ErrorKind::unsupported, fmt::format("the journal's fast commits change folder {}, whose names are "
                                                      "encrypted or fold case",
                                                      folder->number));
    return folder;
  }

  // Whether it was not there already.
  bool add_name(const Name& name) {
    const auto folder = used_folder(name);
    if (!folder || looked_up(*folder, name.text) != 0) return false;
    changes_.folders[name.folder].names.insert_or_assign(std::string(name.text), name.inode);
    return true;
  }

  void link(const Name& name) {
    const auto file = used(name.inode);
    if (file && add_name(name)) set_links(*file, file->inode.links_count + 1u);
  }

  void create(const Name& name) {
    const auto file = used(name.inode);
    if (!file) throw refused("a new name of no file", name.inode);
    if (file->is(mode_directory) && !(used_folder(name) && make_folder(*file))) return;
    add_name(name);
    set_links(*file, 1);
  }

  // False for one that has its blocks already: a transaction made it, with all its names.
  bool make_folder(const File& folder) {
    const bool is_inline = folder.has(flag_inline_data);
    if (!is_inline && run_at(volume_, folder, 0).volume_block != 0) return false;
    auto& inode = bytes_of(folder, short_inode_bytes);
    const std::uint32_t bytes = is_inline ? inline_folder_bytes : volume_.block_bytes();
    base::store(inode, offsetof(Inode, size_lo), base::le32(bytes));
    base::store(inode, offsetof(Inode, size_hi), base::le32(0));
    changes_.folders[folder.number] = {true, {}};
    return true;
  }

  // A name that leads elsewhere by now was given to another file, which keeps it.
  void unlink(const Name& name) {
    const auto file = used(name.inode);
    const auto folder = file ? used_folder(name) : std::nullopt;
    if (!folder) return;
    const auto there = looked_up(*folder, name.text);
    if (there == 0) return;
    if (there == name.inode) changes_.folders[name.folder].names.insert_or_assign(std::string(name.text), 0);
    set_links(*file, file->inode.links_count - 1u);
    if (file->inode.links_count == 1) empty(*file);
  }

  // Of a file that is gone nothing is left to one that is made of its inode.
  void empty(const File& file) {
    auto& bytes = bytes_of(file, short_inode_bytes);
    std::ranges::fill(std::span(bytes).subspan(offsetof(Inode, block), sizeof(Inode::block)), std::byte(0));
    changes_.moved.erase(file.number);
    changes_.folders.erase(file.number);
  }

  Volume& volume_;
  Changes& changes_;
  std::span<const std::byte> left_;
  std::uint64_t bytes_at_start_;
};

}  // namespace

void replay_fast_commits(Volume& volume, std::span<const std::byte> records) { FastReplay(volume, records).run(); }

}  // namespace hrvm::fs::ext
