#include "fs/xfs/attributes.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "fs/xfs/acl.hpp"
#include "fs/xfs/extents.hpp"
#include "fs/xfs/hash_tree.hpp"
#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"

namespace hrvm::fs::xfs {
namespace {

constexpr std::size_t most_bytes = 64 * base::MiB;

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string_view name_space(std::uint8_t flags) {
  if (flags & attribute_root) return "trusted.";
  return flags & attribute_secure ? "security." : "user.";
}

class Reading {
 public:
  Reading(Volume& volume, const Inode& inode) : volume_(volume), inode_(inode) {}

  std::vector<Attribute> run() && {
    if (inode_.format(Fork::attributes) == format_local)
      read_short(inode_.bytes(Fork::attributes));
    else
      read_leaves();
    std::ranges::sort(found_);
    return std::move(found_);
  }

 private:
  base::Error corrupt() const {
    return volume_.corrupt(fmt::format("inode {} has an attribute that cannot be", inode_.number()), inode_.offset());
  }

  std::span<const std::byte> part(std::span<const std::byte> bytes, std::size_t begin, std::size_t length) const {
    if (begin > bytes.size() || length > bytes.size() - begin) throw corrupt();
    return bytes.subspan(begin, length);
  }
  template <typename T>
  T load(std::span<const std::byte> bytes, std::size_t begin) const {
    return base::load<T>(part(bytes, begin, sizeof(T)));
  }

  static bool is_told(std::uint8_t flags) { return !(flags & (attribute_parent | attribute_incomplete)); }

  void add(std::uint8_t flags, std::string_view name, std::string value) {
    Attribute attribute{std::string(name_space(flags)).append(name), std::move(value)};
    if (flags & attribute_root) take_as_acl(attribute);
    taken_ += sizeof(Attribute) + attribute.name.size() + attribute.value.size();
    if (taken_ > most_bytes)
      throw base::Error(base::ErrorKind::unsupported,
                        fmt::format("inode {} has more attributes than are read", inode_.number()))
          .on(volume_.device().name())
          .at(inode_.offset());
    found_.push_back(std::move(attribute));
  }

  void read_short(std::span<const std::byte> bytes) {
    const unsigned count = load<ShortAttributes>(bytes, 0).count;
    std::size_t at = sizeof(ShortAttributes);
    for (unsigned i = 0; i < count; ++i) {
      const auto entry = load<ShortAttribute>(bytes, at);
      const auto name = part(bytes, at += sizeof(ShortAttribute), entry.name_length);
      const auto value = part(bytes, at += entry.name_length, entry.value_length);
      at += entry.value_length;
      if (is_told(entry.flags)) add(entry.flags, text_of(name), std::string(text_of(value)));
    }
  }

  void read_leaves() {
    ExtentMap map(volume_, inode_, Fork::attributes);
    if (!map.at_or_after(0)) return;  // there were some
    HashTree leaves(volume_, inode_, map, {0, volume_.block_bytes(), is_attribute_leaf});
    leaves.go_to(0);
    do read_leaf(leaves, map);
    while (leaves.next());
  }

  void read_leaf(const HashTree& leaf, ExtentMap& map) {
    const std::size_t begin = leaf.is_version_5() ? attribute_entries_5 : attribute_entries_4;
    for (unsigned i = 0; i < leaf.count(); ++i) {
      const auto entry = load<AttributeEntry>(leaf.block(), begin + i * sizeof(AttributeEntry));
      if (!is_told(entry.flags)) continue;
      if (entry.flags & attribute_local)
        read_local(leaf.block(), entry);
      else
        read_remote(leaf.block(), entry, map);
    }
  }

  void read_local(std::span<const std::byte> block, const AttributeEntry& entry) {
    const auto header = load<LocalAttribute>(block, entry.place);
    const auto name = entry.place + sizeof(LocalAttribute);
    const auto value = part(block, name + header.name_length, header.value_length);
    add(entry.flags, text_of(part(block, name, header.name_length)), std::string(text_of(value)));
  }

  void read_remote(std::span<const std::byte> block, const AttributeEntry& entry, ExtentMap& map) {
    const auto header = load<RemoteAttribute>(block, entry.place);
    const auto name = part(block, entry.place + sizeof(RemoteAttribute), header.name_length);
    if (header.value_length > longest_value) throw corrupt();
    add(entry.flags, text_of(name), remote_value(map, header.value_block, header.value_length));
  }

  // In version 5 each block of it has a header.
  std::string remote_value(ExtentMap& map, std::uint64_t block, std::size_t length) {
    const std::size_t header = volume_.is_version_5() ? remote_header_5 : 0;
    std::vector<std::byte> bytes(std::size_t(volume_.block_bytes()));
    std::string value;
    for (; value.size() < length; ++block) {
      map.read(volume_.metadata(), block << volume_.block_log(), bytes);
      value += text_of(std::span(bytes).subspan(header)).substr(0, length - value.size());
    }
    return value;
  }

  Volume& volume_;
  const Inode& inode_;
  std::vector<Attribute> found_;
  std::size_t taken_ = 0;
};

}  // namespace

std::vector<Attribute> read_attributes(Volume& volume, const Inode& inode) {
  if (!inode.has_attributes()) return {};
  return Reading(volume, inode).run();
}

}  // namespace hrvm::fs::xfs
