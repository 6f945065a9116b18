// A name by its hash. In a folder of one block the leaf entries lie at its end; else they lie in leaves of their own
// above the data, one or many under a tree.
#include <fmt/core.h>

#include <algorithm>
#include <bit>

#include "fs/xfs/directory.hpp"
#include "fs/xfs/hash_tree.hpp"
#include "hrvm/base/error.hpp"

namespace hrvm::fs::xfs {
namespace {

constexpr unsigned address_unit = 8;

std::uint32_t hash_of(std::string_view name) {
  std::uint32_t hash = 0;
  for (const char c : name) hash = std::rotl(hash, 7) ^ std::uint8_t(c);
  return hash;
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; }

bool is_equal_without_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, lower, lower);
}

// What lies in the inode, and a folder without case, whose hashes two generations of tools made in two ways.
template <typename Equal>
std::optional<std::uint64_t> look_through(Volume& volume, const Inode& folder, std::string_view name, Equal equal) {
  std::optional<std::uint64_t> found;
  visit_names(volume, folder, [&](const Name& each) {
    if (equal(each.text, name)) found = each.inode;
    return !found;
  });
  return found;
}

// Those entries of a sorted array of which the hash is this one.
std::optional<std::uint64_t> search(NameBlock& block, std::span<const std::byte> entries, std::uint32_t hash,
                                    std::string_view name) {
  for (std::size_t i = first_at_least(entries, hash); i < entries.size() / sizeof(HashEntry); ++i) {
    const auto entry = base::load<HashEntry>(entries, i * sizeof(HashEntry));
    if (entry.hash != hash) break;
    if (entry.address == 0) continue;
    const auto found = block.at(std::uint64_t(entry.address) * address_unit);
    if (found.text == name) return found.inode;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> find_in_block(NameBlock& block, std::uint32_t hash, std::string_view name) {
  block.read(0);
  return search(block, block.leaf_entries(), hash, name);
}

}  // namespace

std::optional<std::uint64_t> find_name(Volume& volume, const Inode& folder, std::string_view name) {
  if (is_self_or_parent(name)) return std::nullopt;
  if (volume.ignores_case()) return look_through(volume, folder, name, is_equal_without_case);
  if (folder.format(Fork::data) == format_local) return look_through(volume, folder, name, std::equal_to<>());
  const std::uint32_t hash = hash_of(name);
  ExtentMap map(volume, folder);
  NameBlock block(volume, folder, map);
  const std::uint64_t root = directory_data_end >> volume.block_log();
  if (!map.at_or_after(root)) return find_in_block(block, hash, name);
  HashTree tree(volume, folder, map, {root, volume.directory_block_bytes(), is_folder_leaf});
  tree.go_to(hash);
  do {
    if (const auto found = search(block, tree.folder_entries(), hash, name)) return found;
  } while (tree.goes_on(hash) && tree.next());
  return std::nullopt;
}

}  // namespace hrvm::fs::xfs
