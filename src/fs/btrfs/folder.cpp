#include "fs/btrfs/folder.hpp"

#include <fmt/core.h>

#include "fs/btrfs/checksum.hpp"
#include "fs/btrfs/volume.hpp"
#include "hrvm/base/error.hpp"

namespace hrvm::fs::btrfs {
namespace {

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

[[noreturn]] void fail(const Cursor& at, const Tree& tree) {
  throw base::Error(base::ErrorKind::corrupt, fmt::format("inode {} of the btrfs on {} has an entry that cannot be",
                                                          at.key().object, tree.volume().name()))
      .on(tree.volume().name());
}

// Takes the first one off `bytes`.
FolderEntry take_entry(std::span<const std::byte>& bytes, const Cursor& at, const Tree& tree) {
  if (bytes.size() < sizeof(DirectoryItem)) fail(at, tree);
  const auto item = base::load<DirectoryItem>(bytes);
  const std::size_t name = item.name_length, data = item.data_length;
  bytes = bytes.subspan(sizeof item);
  if (name + data > bytes.size()) fail(at, tree);
  const FolderEntry entry{text_of(bytes.first(name)), key_of(item.place), std::uint8_t(item.type & entry_type_mask),
                          text_of(bytes.subspan(name, data))};
  bytes = bytes.subspan(name + data);
  return entry;
}

// Names with the same hash share an item. False where the visitor ended it.
bool visit_item(const Cursor& at, const Tree& tree, const FolderVisitor& visitor) {
  for (auto bytes = at.data(); !bytes.empty();)
    if (!visitor(take_entry(bytes, at, tree))) return false;
  return true;
}

bool can_be_name(std::string_view name) {
  return !name.empty() && name.find('/') == name.npos && name.find('\0') == name.npos;
}

}  // namespace

void visit_folder(const Tree& tree, std::uint64_t folder, const FolderVisitor& visitor) {
  auto at = tree.from({folder, directory_index, 0});
  const auto checked = [&](const FolderEntry& entry) {
    if (!can_be_name(entry.name)) fail(at, tree);
    return entry.name == "." || entry.name == ".." || visitor(entry);
  };
  while (at.is_among(folder, directory_index) && visit_item(at, tree, checked)) at.next();
}

std::optional<FolderEntry> find_entry(const Tree& tree, std::uint64_t folder, std::string_view name) {
  const auto at = tree.find({folder, directory_item, name_hash(std::as_bytes(std::span(name)))});
  std::optional<FolderEntry> found;
  if (at.valid())
    visit_item(at, tree, [&](const FolderEntry& entry) {
      if (entry.name == name) found = {name, entry.place, entry.type, {}};
      return !found;
    });
  return found;
}

void visit_attributes(const Tree& tree, std::uint64_t inode, const FolderVisitor& visitor) {
  auto at = tree.from({inode, extended_attribute, 0});
  while (at.is_among(inode, extended_attribute) && visit_item(at, tree, visitor)) at.next();
}

}  // namespace hrvm::fs::btrfs
