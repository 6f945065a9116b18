#include "fs/ext/attributes.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "fs/ext/acl.hpp"
#include "fs/ext/blocks.hpp"
#include "fs/ext/inode.hpp"
#include "hrvm/base/byte_size.hpp"

namespace hrvm::fs::ext {
namespace {

constexpr std::size_t longest_value = 64 * base::KiB, most_values_bytes = 16 * base::MiB;

constexpr std::uint8_t access_acl = 2, default_acl = 3, of_system = 7;
constexpr std::string_view data_name = "data";

// What stands before the name on disk. Others are ext's own.
struct Prefix {
  std::uint8_t index;
  std::string_view text;
};
constexpr std::array prefixes{
    Prefix{1, "user."},
    Prefix{access_acl, "system.posix_acl_access"},
    Prefix{default_acl, "system.posix_acl_default"},
    Prefix{4, "trusted."},
    Prefix{6, "security."},
    Prefix{10, "gnu."},
};

const Prefix* prefix_of(std::uint8_t index) {
  const auto found = std::ranges::find(prefixes, index, &Prefix::index);
  return found == prefixes.end() ? nullptr : &*found;
}

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// A list of attributes, and the bytes from which the offsets of their values count.
struct Area {
  std::vector<std::byte> bytes;
  std::size_t entries_at = 0;
};

// Empty where the inode has no attributes in itself.
Area area_in_inode(Volume& volume, const File& file) {
  const std::size_t begin = short_inode_bytes + file.inode.extra_isize;
  constexpr std::size_t magic_bytes = sizeof(base::le32);
  if (file.inode.extra_isize == 0 || begin + magic_bytes > volume.inode_bytes()) return {};
  std::vector<std::byte> bytes(volume.inode_bytes() - begin);
  volume.read_inode(file, begin, bytes);
  if (base::load<base::le32>(bytes) != attribute_magic) return {};
  bytes.erase(bytes.begin(), bytes.begin() + magic_bytes);
  return {std::move(bytes), 0};
}

Area area_in_block(Volume& volume, const File& file) {
  const auto block = attribute_block(volume, file);
  if (block == 0) return {};
  Area area{volume.read_block(block), sizeof(AttributeBlockHeader)};
  if (base::load<AttributeBlockHeader>(area.bytes).magic != attribute_magic)
    throw volume.corrupt(fmt::format("inode {} has attributes in a block of something else", file.number));
  return area;
}

// Calls take(entry, name) for each until it returns false.
template <typename Take>
void walk(const Volume& volume, const File& file, const Area& area, Take take) {
  const std::span<const std::byte> bytes = area.bytes;
  for (auto at = area.entries_at; at + 4 <= bytes.size() && base::load<base::le32>(bytes, at) != 0;) {
    const auto left = bytes.size() - at;
    const auto entry = left < sizeof(AttributeEntry) ? AttributeEntry{} : base::load<AttributeEntry>(bytes, at);
    if (left < sizeof entry || entry.name_length > left - sizeof entry)
      throw volume.corrupt(fmt::format("inode {} has an attribute that cannot be", file.number));
    if (!take(entry, text_of(bytes.subspan(at + sizeof entry, entry.name_length)))) return;
    at += base::round_up(sizeof entry + entry.name_length, 4);
  }
}

std::string value_in_inode(Volume& volume, const AttributeEntry& entry) {
  const File holder = volume.file(entry.value_inode);
  if (!holder.has(flag_attribute_inode) || holder.has(flag_inline_data) || entry.value_size > longest_value)
    throw volume.corrupt(fmt::format("inode {} is none that holds an attribute", holder.number));
  std::string value(entry.value_size, '\0');
  read_blocks(volume, holder, 0, std::as_writable_bytes(std::span(value)));
  return value;
}

std::string value_of(Volume& volume, const File& file, const Area& area, const AttributeEntry& entry) {
  if (entry.value_inode != 0) return value_in_inode(volume, entry);
  const std::size_t offset = entry.value_offset, size = entry.value_size;
  if (size > longest_value || offset > area.bytes.size() || size > area.bytes.size() - offset)
    throw volume.corrupt(fmt::format("inode {} has an attribute that leaves its place", file.number));
  return std::string(text_of(std::span(area.bytes).subspan(offset, size)));
}

class Collecting {
 public:
  Collecting(Volume& volume, const File& file) : volume_(volume), file_(file) {}

  std::vector<Attribute> run() && {
    add_all(area_in_inode(volume_, file_));
    add_all(area_in_block(volume_, file_));
    std::ranges::sort(found_);
    return std::move(found_);
  }

 private:
  void add_all(const Area& area) {
    walk(volume_, file_, area, [&](const AttributeEntry& entry, std::string_view name) {
      if (const Prefix* prefix = prefix_of(entry.name_index)) add(area, entry, *prefix, name);
      return true;
    });
  }

  void add(const Area& area, const AttributeEntry& entry, const Prefix& prefix, std::string_view name) {
    auto value = value_of(volume_, file_, area, entry);
    bytes_ += value.size();
    if (bytes_ > most_values_bytes)
      throw volume_.corrupt(fmt::format("inode {} has more in attributes than can be", file_.number));
    if (entry.name_index == access_acl || entry.name_index == default_acl) value = portable_acl(volume_, value);
    found_.push_back({fmt::format("{}{}", prefix.text, name), std::move(value)});
  }

  Volume& volume_;
  const File& file_;
  std::vector<Attribute> found_;
  std::size_t bytes_ = 0;
};

}  // namespace

std::vector<Attribute> attributes_of(Volume& volume, const File& file) { return Collecting(volume, file).run(); }

std::vector<std::byte> inline_data(Volume& volume, const File& file) {
  std::vector<std::byte> data(file.inode.block.begin(), file.inode.block.end());
  const Area area = area_in_inode(volume, file);
  walk(volume, file, area, [&](const AttributeEntry& entry, std::string_view name) {
    if (entry.name_index != of_system || name != data_name) return true;
    const auto value = value_of(volume, file, area, entry);
    const auto bytes = std::as_bytes(std::span(value));
    data.insert(data.end(), bytes.begin(), bytes.end());
    return false;
  });
  return data;
}

}  // namespace hrvm::fs::ext
