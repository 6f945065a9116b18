// FAT12, FAT16 and FAT32: where firmware finds its loaders.
//
// A file is known by where its short entry lies on the device, in entries of 32 bytes from the device's start; the root
// directory, which has none, by 0.
#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "fs/fat/directory.hpp"
#include "fs/fat/volume.hpp"
#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/fs/file_system.hpp"

namespace hrvm::fs {

namespace {

using base::Error, base::ErrorKind;

constexpr std::uint64_t entry_bytes = sizeof(fat::DirectoryEntry);
constexpr std::uint64_t read_at_once = 64 * base::KiB;  // of a directory: whole entries
static_assert(read_at_once % entry_bytes == 0);
constexpr Node root_node{};

constexpr std::uint32_t mode_of_file = 0644, mode_of_folder = 0755, bits_to_write = 0222;

FileKind kind_of(const fat::File& file) { return file.is_directory ? FileKind::directory : FileKind::regular; }

bool is_same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() && base::starts_with_ignoring_case(a, b);
}

class Fat final : public FileSystem {
 public:
  explicit Fat(block::BlockDevice& device) : device_(device), volume_(device) {}

  std::string_view type() const override { return "vfat"; }
  std::vector<block::BlockDevice*> devices() override { return {&device_}; }
  bool nodes_last() const override { return false; }

  using FileSystem::read;
  Node root() override { return root_node; }
  std::optional<Node> find(Node folder, std::string_view name) override;
  Stat stat(Node node) override;
  void visit(Node folder, const EntryVisitor& visitor) override;
  std::size_t read(Node file, std::uint64_t offset, std::span<std::byte> out) override;
  std::optional<FileExtent> extent_at(Node file, std::uint64_t offset, std::uint64_t limit) override;
  using FileSystem::read_link;
  std::string read_link(Node link) override { throw not_there(link, "is no symbolic link"); }

 private:
  Error not_there(Node node, std::string_view why) const {
    return Error(ErrorKind::not_found,
                 fmt::format("what the entry at byte {} of {} tells of {}", node.id * entry_bytes, name(), why))
        .on(name());
  }
  const std::string& name() const { return volume_.device().name(); }

  fat::File file_of(Node node);
  fat::File file_of(Node node, FileKind kind, std::string_view otherwise);
  std::optional<fat::Piece> piece_of(const fat::File& file, std::uint64_t offset, std::uint64_t limit);
  std::uint32_t cluster_of(const fat::File& file) const;
  std::optional<fat::Piece> piece_of_folder(const fat::File& folder, std::uint64_t offset);

  block::BlockDevice& device_;
  fat::Volume volume_;
};

fat::File Fat::file_of(Node node) {
  if (node == root_node) return {.is_directory = true};
  std::array<std::byte, entry_bytes> bytes;
  const bool can_be = node.tree == 0 && node.generation == 0 && node.id <= volume_.device().size() / entry_bytes &&
                      volume_.can_hold_entries(node.id * entry_bytes, bytes.size());
  if (!can_be) throw not_there(node, "is not there");
  volume_.device().read(node.id * entry_bytes, bytes);
  auto file = fat::file_from(base::load<fat::DirectoryEntry>(bytes));
  if (!file) throw not_there(node, "is not there");
  return std::move(*file);
}

fat::File Fat::file_of(Node node, FileKind kind, std::string_view otherwise) {
  auto file = file_of(node);
  if (kind_of(file) != kind) throw not_there(node, otherwise);
  return file;
}

// FAT12 and FAT16 have 16-bit clusters; OS/2 kept other things in the upper half.
std::uint32_t Fat::cluster_of(const fat::File& file) const {
  return volume_.root_cluster() == 0 ? file.first_cluster & 0xffff : file.first_cluster;
}

std::optional<fat::Piece> Fat::piece_of_folder(const fat::File& folder, std::uint64_t offset) {
  const auto cluster = cluster_of(folder) ? cluster_of(folder) : volume_.root_cluster();
  if (cluster) return volume_.piece_at(cluster, offset, read_at_once);
  const auto& root = volume_.fixed_root();
  if (offset >= root.length) return std::nullopt;
  return fat::Piece{root.device_offset + offset, std::min(read_at_once, root.length - offset)};
}

void Fat::visit(Node node, const EntryVisitor& visitor) {
  const auto folder = file_of(node, FileKind::directory, "is no folder");
  fat::DirectoryParser parser;
  std::uint64_t offset = 0;
  for (auto piece = piece_of_folder(folder, 0); piece; piece = piece_of_folder(folder, offset += piece->length)) {
    const auto bytes = volume_.device().read(piece->device_offset, std::size_t(piece->length));
    const bool goes_on = parser.take(bytes, [&](const fat::File& file, std::size_t at) {
      return visitor({file.name, Node{.id = (piece->device_offset + at) / entry_bytes}, kind_of(file)});
    });
    if (!goes_on) return;
  }
}

std::optional<Node> Fat::find(Node folder, std::string_view name) {
  std::optional<Node> found;
  visit(folder, [&](const DirectoryEntry& entry) {
    if (is_same_name(entry.name, name)) found = entry.node;
    return !found;
  });
  return found;
}

Stat Fat::stat(Node node) {
  const auto file = file_of(node);
  const auto mode = file.is_directory ? mode_of_folder : mode_of_file;
  return {.node = node,
          .kind = kind_of(file),
          .mode = file.is_read_only ? mode & ~bits_to_write : mode,
          .size_bytes = file.size,
          .allocated_bytes = base::round_up(file.size, volume_.cluster_bytes()),
          .times = file.times};
}

// A file that has fewer clusters than its size takes ends with them.
std::optional<fat::Piece> Fat::piece_of(const fat::File& file, std::uint64_t offset, std::uint64_t limit) {
  const auto cluster = cluster_of(file);
  if (cluster == 0 || offset >= file.size) return std::nullopt;
  return volume_.piece_at(cluster, offset, std::min(limit, file.size - offset));
}

std::size_t Fat::read(Node node, std::uint64_t offset, std::span<std::byte> out) {
  const auto file = file_of(node, FileKind::regular, "is no file");
  std::size_t done = 0;
  while (done < out.size()) {
    const auto piece = piece_of(file, offset + done, out.size() - done);
    if (!piece) break;
    volume_.device().read(piece->device_offset, out.subspan(done, std::size_t(piece->length)));
    done += std::size_t(piece->length);
  }
  return done;
}

std::optional<FileExtent> Fat::extent_at(Node node, std::uint64_t offset, std::uint64_t limit) {
  const auto file = file_of(node, FileKind::regular, "is no file");
  const auto piece = piece_of(file, offset, limit);
  if (!piece) return std::nullopt;
  return FileExtent{
      .offset = offset, .length = piece->length, .stored = Stored::plain, .device_offset = piece->device_offset};
}

}  // namespace

std::unique_ptr<FileSystem> open_fat(block::BlockDevice& device) { return std::make_unique<Fat>(device); }

}  // namespace hrvm::fs
