#include "volume/thin/pool.hpp"

#include <algorithm>
#include <span>

#include <fmt/core.h>

#include "hrvm/base/crc32.hpp"
#include "hrvm/base/error.hpp"
#include "volume/thin/format.hpp"

namespace hrvm::volume {
namespace {

using base::Error, base::ErrorKind;
using namespace thin;

constexpr unsigned deepest = 16;  // 64 Ti entries need 6
constexpr std::size_t most_cached = 1024;
constexpr std::uint32_t most_block_sectors = 1u << 21;

std::uint32_t checksum(std::span<const std::byte> block, std::uint32_t salt) {
  return base::crc32_register<base::CrcPolynomial::castagnoli>(~0u, block.subspan(sizeof(base::le32))) ^ salt;
}

// A node of a tree of 8-byte values, whose counts are known to fit its block.
class NodeView {
 public:
  explicit NodeView(std::span<const std::byte> block) : block_(block), header_(base::load<Node>(block)) {}

  bool is_sound() const {
    const std::uint64_t room = (block_bytes - sizeof(Node)) / 16;
    return header_.value_bytes == 8 && header_.most_entries <= room && header_.entries <= header_.most_entries &&
           (header_.flags == node_internal || header_.flags == node_leaf);
  }
  bool is_leaf() const { return header_.flags == node_leaf; }
  std::size_t size() const { return header_.entries; }
  std::uint64_t key(std::size_t i) const { return at(i); }
  std::uint64_t value(std::size_t i) const { return at(header_.most_entries + i); }

  // How many keys are not behind `key`.
  std::size_t count_up_to(std::uint64_t key) const {
    std::size_t low = 0, high = size();
    while (low < high) {
      const auto middle = (low + high) / 2;
      this->key(middle) <= key ? low = middle + 1 : high = middle;
    }
    return low;
  }

 private:
  std::uint64_t at(std::size_t i) const { return base::load<base::le64>(block_, sizeof(Node) + i * 8); }

  std::span<const std::byte> block_;
  Node header_;
};

bool follows(std::uint64_t value, std::uint64_t before) {
  return value >> mapping_time_bits == (before >> mapping_time_bits) + 1;
}

std::uint64_t run_length(const NodeView& leaf, std::size_t first) {
  auto i = first + 1;
  while (i < leaf.size() && leaf.key(i) == leaf.key(i - 1) + 1 && follows(leaf.value(i), leaf.value(i - 1))) ++i;
  return i - first;
}

}  // namespace

ThinPool::ThinPool(block::BlockDevice& metadata, block::BlockDevice& data) : metadata_(metadata), data_(data) {
  const auto fail = [&](ErrorKind kind, std::string what) {
    throw Error(kind, fmt::format("the thin pool's metadata {}", what)).on(metadata.name());
  };
  if (metadata.size() < thin::block_bytes) fail(ErrorKind::corrupt, "are too short");
  const auto block = metadata.read(0, thin::block_bytes);
  const auto super = base::load<Superblock>(block);
  if (super.magic != superblock_magic) fail(ErrorKind::corrupt, "have no superblock");
  if (checksum(block, superblock_salt) != super.crc)
    fail(ErrorKind::corrupt, "have a superblock with a wrong checksum");
  if (super.version < 1 || super.version > 2)
    fail(ErrorKind::unsupported, fmt::format("are of version {}", std::uint32_t(super.version)));
  if (super.metadata_block_sectors * 512ull != thin::block_bytes || super.data_block_sectors == 0 ||
      super.data_block_sectors > most_block_sectors)
    fail(ErrorKind::corrupt, "name sizes that cannot be");
  mapping_root_ = super.mapping_root;
  block_bytes_ = super.data_block_sectors * 512ull;
}

const ThinPool::Block& ThinPool::node(std::uint64_t number) {
  if (const auto found = cache_.find(number); found != cache_.end()) return found->second;
  const auto fail = [&](std::string_view what) {
    throw Error(ErrorKind::corrupt, fmt::format("a node of the thin pool's trees {}", what))
        .on(metadata_.name())
        .at(number * thin::block_bytes);
  };
  if (number >= metadata_.size() / thin::block_bytes) fail("lies outside of the metadata");
  auto block = metadata_.read(number * thin::block_bytes, thin::block_bytes);
  const auto header = base::load<Node>(block);
  if (checksum(block, node_salt) != header.crc || header.block != number) fail("is damaged");
  if (!NodeView(block).is_sound()) fail("cannot be");
  if (cache_.size() >= most_cached) cache_.clear();
  return cache_.emplace(number, std::move(block)).first->second;
}

ThinPool::Entry ThinPool::look_up(std::uint64_t root, std::uint64_t key) {
  Entry entry;
  for (unsigned depth = 0; depth < deepest; ++depth) {
    const NodeView view(node(root));
    const auto count = view.count_up_to(key);
    if (count < view.size()) entry.bound = std::max(view.key(count), key + 1);
    if (count == 0) return entry;
    const auto i = count - 1;
    if (!view.is_leaf()) {
      root = view.value(i);
      continue;
    }
    entry.is_there = view.key(i) == key;
    entry.value = view.value(i);
    entry.run = run_length(view, i);
    return entry;
  }
  throw Error(ErrorKind::corrupt, "a tree of the thin pool is too deep").on(metadata_.name());
}

std::optional<std::uint64_t> ThinPool::root_of(std::uint64_t device_id) {
  const auto entry = look_up(mapping_root_, device_id);
  return entry.is_there ? std::optional(entry.value) : std::nullopt;
}

ThinPool::Run ThinPool::find(std::uint64_t root, std::uint64_t block) {
  const auto entry = look_up(root, block);
  if (!entry.is_there) return {entry.bound ? *entry.bound - block : 0, std::nullopt};
  const auto data_block = entry.value >> mapping_time_bits;
  if (data_block >= data_.size() / block_bytes_)
    throw Error(ErrorKind::corrupt, "the thin pool's metadata lead outside of its data").on(data_.name());
  return {entry.run, data_block};
}

void ThinVolume::read(std::uint64_t offset, std::span<std::byte> out) {
  if (offset > size_ || out.size() > size_ - offset)
    throw Error(ErrorKind::corrupt, fmt::format("reading beyond the end of {}", name_)).on(name_).at(offset);
  while (!out.empty()) {
    const auto piece = piece_at(offset);
    const auto part = out.first(std::size_t(std::min<std::uint64_t>(piece.length, out.size())));
    if (piece.data_offset)
      pool_.data().read(*piece.data_offset, part);
    else
      std::ranges::fill(part, std::byte{0});
    out = out.subspan(part.size());
    offset += part.size();
  }
}

// From `offset` to the end of the run that it lies in.
ThinVolume::Piece ThinVolume::piece_at(std::uint64_t offset) {
  const auto block_bytes = pool_.block_bytes();
  const auto block = offset / block_bytes, within = offset % block_bytes;
  const auto run = pool_.find(root_, block);
  const auto left = size_ - offset;
  const auto blocks_left = (left + within + block_bytes - 1) / block_bytes;
  const auto blocks = run.blocks == 0 ? blocks_left : std::min(run.blocks, blocks_left);
  Piece piece{std::min(left, blocks * block_bytes - within), std::nullopt};
  if (run.data_block) piece.data_offset = *run.data_block * block_bytes + within;
  return piece;
}

block::Extent ThinVolume::extent_at(std::uint64_t offset) {
  const auto piece = piece_at(offset);
  return {offset, piece.length, piece.data_offset ? block::ExtentKind::data : block::ExtentKind::zero};
}

block::StoredExtent ThinVolume::stored_at(std::uint64_t offset, std::uint64_t limit) {
  const auto piece = piece_at(offset);
  const auto length = std::min(piece.length, limit);
  if (!piece.data_offset) return {{offset, length, block::ExtentKind::zero}, std::nullopt};
  if (*piece.data_offset >= pool_.data().size()) return {{offset, length, block::ExtentKind::data}, std::nullopt};
  auto below = pool_.data().stored_at(*piece.data_offset, std::min(length, pool_.data().size() - *piece.data_offset));
  below.extent.offset = offset;
  return below;
}

}  // namespace hrvm::volume
