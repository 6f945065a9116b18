#include "fs/xfs/link.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "fs/xfs/extents.hpp"
#include "hrvm/base/error.hpp"

namespace hrvm::fs::xfs {
namespace {

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

base::Error corrupt(const Volume& volume, const Inode& link) {
  return volume.corrupt(fmt::format("link {} has a target that cannot be", link.number()), link.offset());
}

// What an extent holds of the target. In version 5 it has one header, however many blocks it has.
std::string part(Volume& volume, const Extent& extent, std::size_t length) {
  const std::size_t header = volume.is_version_5() ? link_header_5 : 0;
  const std::uint64_t room = (extent.blocks << volume.block_log()) - header;
  const auto bytes = volume.metadata().read(extent.offset + header, std::size_t(std::min<std::uint64_t>(room, length)));
  return std::string(text_of(bytes));
}

}  // namespace

std::string read_target(Volume& volume, const Inode& link) {
  const std::uint64_t size = link.core().size;
  if (size > longest_link) throw corrupt(volume, link);
  if (link.format(Fork::data) == format_local) {
    const auto bytes = link.bytes(Fork::data);
    if (size > bytes.size()) throw corrupt(volume, link);
    return std::string(text_of(bytes.first(std::size_t(size))));
  }
  ExtentMap map(volume, link);
  std::string target;
  for (std::uint64_t block = 0; target.size() < size;) {
    const auto extent = map.at_or_after(block);
    if (!extent || extent->file_block != block || !extent->written) throw corrupt(volume, link);
    target += part(volume, *extent, std::size_t(size - target.size()));
    block = extent->end();
  }
  return target;
}

}  // namespace hrvm::fs::xfs
