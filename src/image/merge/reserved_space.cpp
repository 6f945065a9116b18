// The end of what an image uses of its file, by its refcounts.
#include <algorithm>
#include <vector>

#include "hrvm/base/endian.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/block/devices.hpp"
#include "hrvm/block/image_lock.hpp"
#include "hrvm/block/output_file.hpp"
#include "hrvm/image/merge.hpp"
#include "hrvm/sys/fd.hpp"
#include "hrvm/sys/files.hpp"
#include "image/qcow2/header.hpp"
#include "image/qcow2/refcount_block.hpp"

namespace hrvm::image {
namespace {

using base::be64;

// Behind the last count of a block that is not 0; nullopt: there is none.
std::optional<std::uint64_t> counted_end(block::BlockDevice& file, const ImageHeader& header, std::uint64_t index,
                                         std::uint64_t offset) {
  const auto bytes = header.geometry.cluster_bytes();
  if (header.geometry.offset_in_cluster(offset) != 0 || offset > file.size() || bytes > file.size() - offset)
    throw base::Error(base::ErrorKind::corrupt, "a refcount block does not lie in the file").on(file.name());
  const auto block = file.read(offset, std::size_t(bytes));
  const auto per_block = (bytes * 8) >> header.refcount_order;
  for (auto i = per_block; i-- > 0;)
    if (refcount_at(block, header.refcount_order, i) != 0) return (index * per_block + i + 1) * bytes;
  return std::nullopt;
}

std::uint64_t counted_end(block::BlockDevice& file, const ImageHeader& header) {
  const auto table_bytes = std::uint64_t(header.refcount_table_clusters) << header.geometry.cluster_bits;
  if (table_bytes > max_refcount_table_bytes)
    throw base::Error(base::ErrorKind::corrupt, "the refcount table is too large").on(file.name());
  const auto table = file.read(header.refcount_table_offset, std::size_t(table_bytes));
  for (auto index = table_bytes / sizeof(be64); index-- > 0;) {
    const auto offset = base::load<be64>(table, index * sizeof(be64)) & qcow2::offset_mask;
    if (offset == 0) continue;
    if (const auto end = counted_end(file, header, index, offset)) return *end;
  }
  throw base::Error(base::ErrorKind::corrupt, "no cluster is counted").on(file.name());
}

bool are_counts_trusted(const ImageHeader& header) {
  return !(header.incompatible_features & (qcow2::dirty | qcow2::corrupt));
}

std::uint64_t cut(int fd, const std::filesystem::path& image, std::uint64_t least_bytes) {
  const auto file = block::open_device(image);
  const auto header = read_header(*file);
  if (!are_counts_trusted(header)) return 0;
  const auto end = std::max(counted_end(*file, header), least_bytes);
  if (end >= file->size()) return 0;
  block::OutputFile(fd, image.string()).set_size(end);
  return file->size() - end;
}

}  // namespace

std::uint64_t give_back_reserved(const std::filesystem::path& image, std::uint64_t least_bytes) {
  try {
    const auto fd = sys::open_for_update(image);
    block::lock_image_exclusively(fd.get(), image);
    return cut(fd.get(), image, least_bytes);
  } catch (const base::Error& error) {
    if (error.kind() == base::ErrorKind::interrupted) throw;
    return 0;  // it takes more space than it has to, which is no reason to fail
  }
}

}  // namespace hrvm::image
