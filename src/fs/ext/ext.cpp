// ext2, ext3 and ext4: the root of Debian, Ubuntu and most others.
#include <fmt/core.h>

#include <algorithm>

#include "fs/ext/attributes.hpp"
#include "fs/ext/blocks.hpp"
#include "fs/ext/folder.hpp"
#include "fs/ext/inode.hpp"
#include "fs/ext/recovery.hpp"
#include "fs/ext/storage_map.hpp"
#include "fs/ext/volume.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/fs/file_system.hpp"

namespace hrvm::fs {
namespace {

using namespace ext;
using base::Error, base::ErrorKind;

constexpr std::uint64_t longest_link = 4096;

class Ext final : public FileSystem {
 public:
  Ext(block::BlockDevice& device, Recovered recovered)
      : device_(device), recovered_(std::move(recovered)), volume_(*recovered_.volume) {}

  std::string_view type() const override;
  JournalState journal() const override { return recovered_.journal; }
  bool needs_recovery() const override { return recovered_.was_needed; }

  Node root() override { return {0, root_inode, 0}; }
  std::optional<Node> find(Node folder, std::string_view name) override {
    return find_in_folder(volume_, file_of(folder, mode_directory, "folder"), name);
  }
  Stat stat(Node node) override { return stat_of(volume_, file_of(node)); }
  void visit(Node folder, const EntryVisitor& visitor) override {
    visit_folder(volume_, file_of(folder, mode_directory, "folder"), visitor);
  }
  std::size_t read(Node node, std::uint64_t offset, std::span<std::byte> out) override;
  std::optional<FileExtent> extent_at(Node node, std::uint64_t offset, std::uint64_t limit) override;
  std::string read_link(Node node) override;
  std::vector<Attribute> attributes(Node node) override { return attributes_of(volume_, file_of(node)); }

  std::vector<block::BlockDevice*> devices() override { return {&device_}; }
  StorageMap* storage() override {
    if (!storage_) storage_ = storage_map(recovered_);
    return storage_.get();
  }

  using FileSystem::read, FileSystem::read_link;

 private:
  File file_of(Node node);
  File file_of(Node node, std::uint16_t type, std::string_view what);
  void need_plain(const File& file) const;
  void read_contents(const File& file, std::uint64_t offset, std::span<std::byte> out);
  FileExtent inside(const File& file, std::uint64_t offset, std::uint64_t length);
  FileExtent in_blocks(const File& file, std::uint64_t offset, std::uint64_t length);

  block::BlockDevice& device_;
  Recovered recovered_;
  Volume& volume_;
  std::unique_ptr<StorageMap> storage_;  // since it was asked for
};

// As libblkid tells them apart: by features that only ext4, or only ext3, knows.
std::string_view Ext::type() const {
  constexpr std::uint32_t old_incompatible = incompatible_file_type | incompatible_recover | incompatible_meta_groups;
  constexpr std::uint32_t old_read_only = read_only_sparse_super | read_only_large_files | read_only_tree_directories;
  if (volume_.has_incompatible(~old_incompatible) || volume_.has_read_only(~old_read_only)) return "ext4";
  return volume_.has_compatible(compatible_has_journal) ? "ext3" : "ext2";
}

File Ext::file_of(Node node) {
  const bool can_be = node.tree == 0 && node.id != 0 && node.id <= volume_.inodes();
  File file = can_be ? volume_.file(std::uint32_t(node.id)) : File{};
  const bool is_used = file.inode.mode != 0 && file.inode.links_count != 0;
  if (!is_used || (node.generation != 0 && node.generation != file.inode.generation))
    throw Error(ErrorKind::not_found, fmt::format("{} has no file {}", volume_.name(), node.id)).on(volume_.name());
  return file;
}

File Ext::file_of(Node node, std::uint16_t type, std::string_view what) {
  File file = file_of(node);
  if (!file.is(type))
    throw Error(ErrorKind::not_found, fmt::format("inode {} on {} is no {}", node.id, volume_.name(), what))
        .on(volume_.name());
  return file;
}

void Ext::need_plain(const File& file) const {
  if (file.has(flag_encrypted))
    throw Error(ErrorKind::unsupported, fmt::format("inode {} on {} is encrypted", file.number, volume_.name()))
        .on(volume_.name());
}

// What lies within the inode may be shorter than the file, which then ends in zeros.
void Ext::read_contents(const File& file, std::uint64_t offset, std::span<std::byte> out) {
  if (!file.has(flag_inline_data)) return read_blocks(volume_, file, offset, out);
  const auto data = inline_data(volume_, file);
  const auto from = std::span(data).subspan(std::size_t(std::min<std::uint64_t>(offset, data.size())));
  const auto length = std::min(from.size(), out.size());
  std::ranges::copy(from.first(length), out.begin());
  std::ranges::fill(out.subspan(length), std::byte(0));
}

std::size_t Ext::read(Node node, std::uint64_t offset, std::span<std::byte> out) {
  const File file = file_of(node, mode_regular, "regular file");
  need_plain(file);
  const auto size = volume_.file_size(file);
  if (offset >= size) return 0;
  const auto length = std::size_t(std::min<std::uint64_t>(out.size(), size - offset));
  read_contents(file, offset, out.first(length));
  return length;
}

std::optional<FileExtent> Ext::extent_at(Node node, std::uint64_t offset, std::uint64_t limit) {
  const File file = file_of(node, mode_regular, "regular file");
  const auto size = volume_.file_size(file);
  if (offset >= size) return std::nullopt;
  const auto length = std::min(limit, size - offset);
  return file.has(flag_inline_data) ? inside(file, offset, length) : in_blocks(file, offset, length);
}

FileExtent Ext::inside(const File& file, std::uint64_t offset, std::uint64_t length) {
  const auto held = inline_data(volume_, file).size();
  if (offset >= held) return {offset, length};
  return {offset, std::min(length, held - offset), Stored::inside, file.device_offset};
}

FileExtent Ext::in_blocks(const File& file, std::uint64_t offset, std::uint64_t length) {
  const std::uint64_t block_bytes = volume_.block_bytes(), in_block = offset % block_bytes;
  const Run run = run_at(volume_, file, offset / block_bytes);
  FileExtent extent{offset, std::min(length, run.blocks * block_bytes - in_block)};
  if (run.volume_block == 0) return extent;
  const bool is_packed = file.has(flag_encrypted);
  const auto place = recovered_.place_of(run.volume_block * block_bytes + in_block, extent.length);
  extent.length = place.length;
  // Blocks whose first bytes the journal does not hold as they are: few, and only of files whose data it takes.
  extent.stored = is_packed || !place.is_whole ? Stored::packed : Stored::plain;
  extent.device_offset = place.offset;
  extent.stored_bytes = extent.stored == Stored::packed ? extent.length : 0;
  return extent;
}

std::string Ext::read_link(Node node) {
  const File link = file_of(node, mode_symlink, "symbolic link");
  need_plain(link);
  std::string target(std::size_t(std::min(volume_.file_size(link), longest_link)), '\0');
  const auto out = std::as_writable_bytes(std::span(target));
  if (is_fast_link(volume_, link))
    std::ranges::copy(std::span(link.inode.block).first(out.size()), out.begin());
  else
    read_contents(link, 0, out);
  target.resize(std::min(target.size(), target.find('\0')));  // as Linux ends it, whatever its size says
  return target;
}

}  // namespace

std::unique_ptr<FileSystem> open_ext(block::BlockDevice& device) {
  return std::make_unique<Ext>(device, recover(device));
}

}  // namespace hrvm::fs
