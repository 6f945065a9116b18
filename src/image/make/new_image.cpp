#include "image/make/new_image.hpp"

#include <fmt/core.h>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/image/disk_image.hpp"

namespace hrvm::image {
namespace {

using base::be16;
using base::be64;
using base::Error;
using base::ErrorKind;

void check_size(const NewImage& image, const ClusterGeometry& geometry, const std::string& path) {
  if (image.virtual_bytes % 512 != 0) {
    throw Error(ErrorKind::usage, fmt::format("a disk of {} bytes has no whole number of sectors", image.virtual_bytes))
        .on(path)
        .hint("give a multiple of 512");
  }
  if (geometry.l1_entries(image.virtual_bytes) > max_l1_bytes / 8) {
    throw Error(ErrorKind::unsupported,
                fmt::format("a disk of {} is too large for clusters of {}", base::format_bytes(image.virtual_bytes),
                            base::format_bytes(geometry.cluster_bytes())))
        .on(path)
        .hint("use larger clusters");
  }
}

void check_backing(const BackingReference& backing, const std::string& path) {
  if (!backing.path.empty() && backing.path.size() <= max_backing_path && !backing.format.empty()) return;
  throw Error(ErrorKind::usage, fmt::format("{} cannot name a backing file with a path of {} bytes and format \"{}\"",
                                            path, backing.path.size(), backing.format))
      .on(path)
      .hint(fmt::format("a path has 1 to {} bytes, a format is {}", max_backing_path,
                        base::one_of(base::all_words<ImageFormat>())));
}

}  // namespace

ImageHeader plan_header(const NewImage& image, const std::string& path) {
  ImageHeader header;
  header.geometry = checked_geometry(image.geometry);
  check_size(image, header.geometry, path);
  if (image.backing) check_backing(*image.backing, path);
  header.virtual_bytes = image.virtual_bytes;
  header.l1_entries = std::uint32_t(header.geometry.l1_entries(image.virtual_bytes));
  header.refcount_order = new_refcount_order;
  header.backing = image.backing;
  return header;
}

RefcountSpace refcount_space(const ClusterGeometry& geometry, std::uint64_t clusters) {
  RefcountSpace space;
  for (;;) {
    auto all = clusters + space.table_clusters + space.blocks;
    auto blocks = (all + refcounts_per_block(geometry) - 1) / refcounts_per_block(geometry);
    auto table_clusters = geometry.clusters(blocks * sizeof(be64));
    if (blocks == space.blocks && table_clusters == space.table_clusters) return space;
    space = {table_clusters, blocks};
  }
}

std::vector<std::byte> refcount_block(std::uint64_t count) {
  std::vector<std::byte> bytes(count * sizeof(be16));
  for (std::uint64_t i = 0; i < count; ++i) base::store(bytes, i * sizeof(be16), be16(1));
  return bytes;
}

std::vector<std::byte> consecutive_entries(const ClusterGeometry& geometry, std::uint64_t offset, std::uint64_t count) {
  std::vector<std::byte> bytes(count * sizeof(be64));
  for (std::uint64_t i = 0; i < count; ++i) {
    base::store(bytes, i * sizeof(be64), be64(offset + (i << geometry.cluster_bits)));
  }
  return bytes;
}

}  // namespace hrvm::image
