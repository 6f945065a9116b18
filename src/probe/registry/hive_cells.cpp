#include "probe/registry/hive_cells.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "probe/registry/hive_format.hpp"

namespace hrvm::probe {
namespace {

constexpr std::uint64_t block_bytes = 16 << 10;
constexpr std::size_t most_blocks = 64;

std::uint32_t checksum(std::string_view base_block) {
  std::uint32_t sum = 0;
  for (std::size_t at = 0; at < offsetof(regf::BaseBlock, checksum); at += 4)
    sum ^= base::load<base::le32>(std::as_bytes(std::span(base_block)), at);
  if (sum == 0xffffffff) return 0xfffffffe;
  return sum == 0 ? 1 : sum;
}

}  // namespace

HiveCells::HiveCells(fs::FileSystem& files, std::string path) : files_(files), path_(std::move(path)) {
  const auto info = files_.info(path_);
  if (!info || info->kind != fs::FileKind::regular)
    throw base::Error(base::ErrorKind::not_found, fmt::format("{} is no file", path_)).on(path_);
  const auto& head = block(0).bytes;
  if (head.size() < sizeof(regf::BaseBlock) || !head.starts_with("regf")) throw broken("it has no registry header", 0);
  const auto base = base::load<regf::BaseBlock>(std::as_bytes(std::span(head)));
  if (base.major != 1 || base.minor < 3 || base.minor > 6)
    throw broken(fmt::format("its version is {}.{}", std::uint32_t(base.major), std::uint32_t(base.minor)), 0);
  dirty_ = base.first_sequence != base.second_sequence || base.checksum != checksum(head);
  big_data_ = base.minor > 3;
  root_ = base.root_cell;
  end_ = std::min<std::uint64_t>(base.bins_bytes, info->size_bytes - std::min(info->size_bytes, regf::first_bin));
}

base::Error HiveCells::broken(std::string_view what, std::uint64_t offset) const {
  return base::Error(base::ErrorKind::corrupt, fmt::format("the registry hive {} is damaged: {}", path_, what))
      .on(path_)
      .at(offset);
}

const HiveCells::Block& HiveCells::block(std::uint64_t number) {
  auto found = std::ranges::find(blocks_, number, &Block::number);
  if (found == blocks_.end()) {
    auto bytes = files_.read(path_, number * block_bytes, block_bytes);
    if (blocks_.size() < most_blocks) blocks_.emplace_back();  // was never used, so it is the one to fill
    found = std::ranges::min_element(blocks_, {}, &Block::used);
    found->number = number;
    found->bytes = std::move(bytes);
  }
  found->used = ++clock_;
  return *found;
}

std::string HiveCells::bytes_at(std::uint64_t offset, std::size_t length) {
  if (offset > end_ || length > end_ - offset) throw broken("a cell leads out of it", regf::first_bin + offset);
  std::string bytes;
  for (std::uint64_t at = regf::first_bin + offset; bytes.size() < length;) {
    const auto& from = block(at / block_bytes).bytes;
    const auto part = std::string_view(from).substr(std::min<std::size_t>(at % block_bytes, from.size()));
    if (part.empty()) throw broken("it is shorter than its header says", at);
    bytes += part.substr(0, length - bytes.size());
    at = regf::first_bin + offset + bytes.size();
  }
  return bytes;
}

// A cell starts with its size, which is negative while it is in use.
std::string HiveCells::read(std::uint32_t offset, std::size_t most) {
  const auto head = bytes_at(offset, sizeof(base::le32));
  const auto size = std::int64_t(std::int32_t(base::load<base::le32>(std::as_bytes(std::span(head)))));
  if (size > -8) throw broken("a cell that is named is not in use", regf::first_bin + offset);
  if (std::uint64_t(-size) > end_ - offset) throw broken("a cell is larger than it", regf::first_bin + offset);
  return bytes_at(offset + sizeof(base::le32), std::min(most, std::size_t(-size) - sizeof(base::le32)));
}

}  // namespace hrvm::probe
