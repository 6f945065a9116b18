#include "fs/ntfs/extent.hpp"

#include <algorithm>
#include <optional>

#include "fs/ntfs/attributes.hpp"
#include "fs/ntfs/format.hpp"
#include "hrvm/base/error.hpp"

#include "fs/ntfs/library.hpp"

namespace hrvm::fs::ntfs {
namespace {

constexpr std::uint64_t encrypted_block = 512;  // each by itself

// Clusters of a file that lie side by side, or are a hole.
struct Run {
  std::uint64_t clusters = 0;
  std::optional<std::uint64_t> start;  // on the device, in clusters; nullopt for a hole
};

// What the clusters of a compressed file that are packed together are stored in.
struct StoredUnit {
  std::uint64_t start = 0, clusters = 0;  // no clusters: it is a hole
  bool is_one_piece = true;
};

class Extents {
 public:
  Extents(Volume& volume, const File& file, ntfs_attr& data)
      : volume_(volume), file_(file), data_(data), cluster_bits_(volume.library()->cluster_size_bits) {}

  FileExtent at(std::uint64_t offset, std::uint64_t limit) {
    if (!NAttrNonResident(&data_)) return {offset, limit, Stored::inside, record_place(), 0, 0};
    const auto initialized = std::uint64_t(std::max<s64>(data_.initialized_size, 0));
    if (offset >= initialized) return {offset, limit, Stored::zeros, 0, 0, 0};
    limit = std::min(limit, initialized - offset);
    if (NAttrEncrypted(&data_)) return encrypted(offset, limit);
    return data_.data_flags & ATTR_COMPRESSION_MASK ? compressed(offset, limit) : plain(offset, limit);
  }

 private:
  std::uint64_t bytes(std::uint64_t clusters) const { return clusters << cluster_bits_; }

  Run run_at(std::uint64_t cluster) {
    const runlist_element* run = ntfs_attr_find_vcn(&data_, VCN(cluster));
    if (!run) throw volume_.cannot_read(file_.node, errno);
    const std::uint64_t skipped = cluster - std::uint64_t(run->vcn);
    if (skipped >= std::uint64_t(run->length)) throw volume_.cannot_read(file_.node, EIO);
    if (run->lcn < 0) return {std::uint64_t(run->length) - skipped, std::nullopt};
    return {std::uint64_t(run->length) - skipped, std::uint64_t(run->lcn) + skipped};
  }

  // In bytes, of what lies on the device.
  std::uint64_t place_of(std::uint64_t cluster, std::uint64_t within = 0) const {
    const std::uint64_t size = volume_.device().size();
    if (cluster > size >> cluster_bits_ || bytes(cluster) + within >= size) throw volume_.cannot_read(file_.node, EIO);
    return bytes(cluster) + within;
  }

  FileExtent plain(std::uint64_t offset, std::uint64_t limit) {
    const Run run = run_at(offset >> cluster_bits_);
    const std::uint64_t within = offset & (bytes(1) - 1);
    if (run.clusters <= (limit >> cluster_bits_) + 1) limit = std::min(limit, bytes(run.clusters) - within);
    if (!run.start) return {offset, limit, Stored::zeros, 0, 0, 0};
    const std::uint64_t place = place_of(*run.start, within);
    return {offset, std::min(limit, volume_.device().size() - place), Stored::plain, place, 0, 0};
  }

  FileExtent encrypted(std::uint64_t offset, std::uint64_t limit) {
    FileExtent extent = plain(offset, limit);
    if (extent.stored != Stored::plain) return extent;
    const std::uint64_t before = extent.device_offset % encrypted_block;
    extent.stored = Stored::packed;
    extent.device_offset -= before;
    extent.stored_bytes = (before + extent.length + encrypted_block - 1) / encrypted_block * encrypted_block;
    return extent;
  }

  FileExtent compressed(std::uint64_t offset, std::uint64_t limit) {
    const std::uint64_t unit = data_.compression_block_clusters;
    if (unit == 0) throw volume_.cannot_read(file_.node, EIO);
    const std::uint64_t first = (offset >> cluster_bits_) / unit * unit;
    limit = std::min(limit, bytes(first + unit) - offset);
    const StoredUnit stored = unit_at(first, unit);
    if (stored.clusters == 0) return {offset, limit, Stored::zeros, 0, 0, 0};
    if (stored.clusters == unit) return plain(offset, limit);
    place_of(stored.start + stored.clusters - 1);
    const std::uint64_t length = stored.is_one_piece ? bytes(stored.clusters) : 0;
    return {offset, limit, Stored::packed, place_of(stored.start), length, 0};
  }

  StoredUnit unit_at(std::uint64_t first, std::uint64_t unit) {
    StoredUnit stored;
    while (stored.clusters < unit) {
      const Run run = run_at(first + stored.clusters);
      if (!run.start) break;
      if (stored.clusters == 0) stored.start = *run.start;
      if (*run.start != stored.start + stored.clusters) stored.is_one_piece = false;
      stored.clusters += std::min(run.clusters, unit - stored.clusters);
    }
    return stored;
  }

  // Of the record that the data lie in.
  std::uint64_t record_place() {
    std::uint64_t record = file_.node.id;
    each_attribute(file_.inode.get(), attribute_data, [&](const AttributePlace& place) {
      const auto header = part_of<AttributeHeader>(place.bytes);
      if (header && header->name_length == 0) record = place.record;
    });
    const std::uint64_t offset = record << volume_.library()->mft_record_size_bits;
    const LCN cluster = ntfs_attr_vcn_to_lcn(volume_.library()->mft_na, VCN(offset >> cluster_bits_));
    if (cluster < 0) throw volume_.cannot_read(file_.node, EIO);
    return place_of(std::uint64_t(cluster), offset & (bytes(1) - 1));
  }

  Volume& volume_;
  const File& file_;
  ntfs_attr& data_;
  unsigned cluster_bits_;
};

}  // namespace

FileExtent extent_of(Volume& volume, const File& file, ntfs_attr& data, std::uint64_t offset, std::uint64_t limit) {
  return Extents(volume, file, data).at(offset, limit);
}

}  // namespace hrvm::fs::ntfs
