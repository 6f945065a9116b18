#include "fs/btrfs/folder.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "fs/btrfs/checksum.hpp"
#include "fs/btrfs/volume.hpp"
#include "hrvm/base/error.hpp"

namespace hrvm::fs::btrfs {
namespace {

constexpr std::size_t most_entries = 65536;

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Names with the same hash share an item.
std::vector<FolderEntry> entries_in(const Cursor& at, const Tree& tree) {
  std::vector<FolderEntry> entries;
  for (auto bytes = at.data(); !bytes.empty();) {
    const bool has_head = bytes.size() >= sizeof(DirectoryItem);
    const auto item = has_head ? base::load<DirectoryItem>(bytes) : DirectoryItem{};
    const std::size_t name = item.name_length, data = item.data_length;
    if (!has_head || name + data > bytes.size() - sizeof(DirectoryItem))
      throw base::Error(base::ErrorKind::corrupt,
                        fmt::format("folder {} of the btrfs on {} has an entry that cannot be", at.key().object,
                                    tree.volume().name()))
          .on(tree.volume().name());
    bytes = bytes.subspan(sizeof(DirectoryItem));
    entries.push_back({text_of(bytes.first(name)), key_of(item.place), std::uint8_t(item.type & entry_type_mask)});
    bytes = bytes.subspan(name + data);
  }
  return entries;
}

}  // namespace

std::vector<FolderEntry> read_folder(const Tree& tree, std::uint64_t folder) {
  std::vector<FolderEntry> entries;
  for (auto at = tree.from({folder, directory_index, 0}); at.is_among(folder, directory_index); at.next())
    for (auto& entry : entries_in(at, tree)) {
      if (entries.size() == most_entries) return entries;
      entries.push_back(std::move(entry));
    }
  return entries;
}

std::optional<FolderEntry> find_entry(const Tree& tree, std::uint64_t folder, std::string_view name) {
  const auto at = tree.find({folder, directory_item, name_hash(std::as_bytes(std::span(name)))});
  if (!at.valid()) return std::nullopt;
  auto entries = entries_in(at, tree);
  const auto found = std::ranges::find(entries, name, &FolderEntry::name);
  return found == entries.end() ? std::nullopt : std::optional(std::move(*found));
}

}  // namespace hrvm::fs::btrfs
