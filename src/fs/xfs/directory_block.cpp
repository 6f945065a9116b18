#include "fs/xfs/directory_block.hpp"

#include <fmt/core.h>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"

namespace hrvm::fs::xfs {
namespace {

constexpr std::size_t smallest_room = 8, own_place = 2;

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

bool can_be_name(std::string_view name) {
  return !name.empty() && name.find('/') == name.npos && name.find('\0') == name.npos;
}

}  // namespace

// A count, how many of the numbers are wide (or none), the parent; then the names.
ShortNames::ShortNames(const Volume& volume, const Inode& folder)
    : volume_(volume), folder_(folder), rest_(folder.bytes(Fork::data)) {
  const auto header = take(2);
  left_ = unsigned(header[0]);
  is_wide_ = header[1] != std::byte{};
  if (is_wide_) left_ = std::max(left_, unsigned(header[1]));
  take_inode();
}

std::span<const std::byte> ShortNames::take(std::size_t count) {
  if (count > rest_.size())
    throw volume_.corrupt(fmt::format("folder {} has a name that leaves its inode", folder_.number()),
                          folder_.offset());
  const auto taken = rest_.first(count);
  rest_ = rest_.subspan(count);
  return taken;
}

std::uint64_t ShortNames::take_inode() {
  if (is_wide_) return base::load<base::be64>(take(8));
  return base::load<base::be32>(take(4));
}

// Length and cookie, the name, its type where there are types, the inode.
std::optional<Name> ShortNames::next() {
  if (left_ == 0) return std::nullopt;
  --left_;
  const auto length = std::size_t(take(3)[0]);
  Name name{text_of(take(length)), 0, 0};
  if (!can_be_name(name.text))
    throw volume_.corrupt(fmt::format("folder {} has a name that cannot be", folder_.number()), folder_.offset());
  if (volume_.has_file_types()) name.type = std::uint8_t(take(1)[0]);
  name.inode = take_inode();
  return name;
}

base::Error NameBlock::corrupt(std::size_t place) const {
  const auto in_file = offset_ + place;
  const auto extent = map_.at_or_after(offset_ >> volume_.block_log());
  return volume_.corrupt(
      fmt::format("folder {} has an entry that cannot be at {:#x} of its data", folder_.number(), in_file),
      extent ? extent->offset : folder_.offset());
}

void NameBlock::read(std::uint64_t offset) {
  block_.resize(std::size_t(volume_.directory_block_bytes()));
  offset_ = base::round_down(offset, block_.size());
  map_.read(volume_.metadata(), offset_, block_);
  const std::uint32_t magic = base::load<base::be32>(block_);
  const bool is_new = magic == block_magic_5 || magic == data_magic_5;
  const bool is_whole = magic == block_magic_4 || magic == block_magic_5;
  place_ = is_new ? data_header_5 : data_header_4;
  end_ = block_.size();
  leaf_entries_ = {};
  if (!is_new && !is_whole && magic != data_magic_4) throw corrupt(0);
  if (is_whole) find_leaf_entries();
}

void NameBlock::find_leaf_entries() {
  const auto tail = base::load<BlockTail>(block_, block_.size() - sizeof(BlockTail));
  const std::uint64_t bytes = std::uint64_t(tail.count) * sizeof(HashEntry), room = block_.size() - sizeof(BlockTail);
  if (bytes > room - place_) throw corrupt(block_.size() - sizeof(BlockTail));
  end_ = std::size_t(room - bytes);
  leaf_entries_ = std::span(block_).subspan(end_, std::size_t(bytes));
}

std::optional<Name> NameBlock::next() {
  while (end_ - place_ >= smallest_room) {
    const auto room = base::load<FreeRoom>(block_, place_);
    if (room.tag != free_tag) return name_at(place_, place_);
    if (room.length < smallest_room || room.length > end_ - place_) throw corrupt(place_);
    place_ += room.length;
  }
  return std::nullopt;
}

Name NameBlock::at(std::uint64_t offset) {
  if (block_.empty() || base::round_down(offset, block_.size()) != offset_) read(offset);
  std::size_t end = 0;
  return name_at(std::size_t(offset - offset_), end);
}

Name NameBlock::name_at(std::size_t place, std::size_t& end) const {
  if (place + sizeof(NameHeader) > end_) throw corrupt(place);
  const auto header = base::load<NameHeader>(block_, place);
  const std::size_t name = place + sizeof(NameHeader), type = volume_.has_file_types() ? 1 : 0;
  end = place + base::round_up(sizeof(NameHeader) + header.length + type + own_place, 8);
  if (end > end_) throw corrupt(place);
  const auto text = text_of(std::span(block_).subspan(name, header.length));
  if (!can_be_name(text)) throw corrupt(place);
  return {text, header.inode, type ? std::uint8_t(block_[name + header.length]) : std::uint8_t(0)};
}

}  // namespace hrvm::fs::xfs
