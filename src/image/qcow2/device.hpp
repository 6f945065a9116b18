// A qcow2 file and what backs it, as the guest sees them. It works over any BlockDevice that holds the file's bytes.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "hrvm/block/block_device.hpp"
#include "hrvm/image/map.hpp"
#include "image/qcow2/cluster_map.hpp"
#include "image/qcow2/header.hpp"

namespace hrvm::image {

// A piece of what a chain ends in, for its map: of a file without a format also where it lies.
MapExtent stored_below(const block::BlockDevice& device, const block::Extent& extent, unsigned layer);

class Qcow2Device : public block::BlockDevice {
 public:
  // `backing` is null where the image has none; where it ends earlier than the image, zeros follow.
  Qcow2Device(std::unique_ptr<block::BlockDevice> file, const ImageHeader& header,
              std::unique_ptr<block::BlockDevice> backing);

  using BlockDevice::read;
  std::uint64_t size() const override { return header_.virtual_bytes; }
  void read(std::uint64_t offset, std::span<std::byte> out) override;
  block::Extent extent_at(std::uint64_t offset) override;
  block::StoredExtent stored_at(std::uint64_t offset, std::uint64_t limit) override;
  block::SectorSizes sector_sizes() const override;
  const std::string& name() const override { return file_->name(); }

  ClusterMap& map() { return map_; }
  const ImageHeader& header() const { return header_; }
  const block::BlockDevice* backing() const { return backing_.get(); }  // null where there is none

  // Tells where [offset, offset + length) is stored in pieces, in order, until `visit` returns false; false then. This
  // image is `layer`, what backs it as those after it.
  using Visitor = std::function<bool(const MapExtent&)>;
  bool visit(std::uint64_t offset, std::uint64_t length, unsigned layer, const Visitor& visit_piece);

 private:
  void read_compressed(std::uint64_t offset, std::span<std::byte> out);
  block::StoredExtent data_at(std::uint64_t offset, const Mapping& run);
  block::StoredExtent backing_at(std::uint64_t offset, std::uint64_t length);
  void read_piece(std::uint64_t offset, const Mapping& piece, std::span<std::byte> out);
  bool visit_backing(std::uint64_t offset, std::uint64_t length, unsigned layer, const Visitor& visit_piece);
  block::Extent backing_extent(std::uint64_t offset);

  std::unique_ptr<block::BlockDevice> file_;
  ImageHeader header_;
  std::unique_ptr<block::BlockDevice> backing_;
  Qcow2Device* backing_image_;  // the same, where it is one: a chain is then walked once, whatever its depth
  ClusterMap map_;
  CompressedClusters compressed_;
  block::Extent known_backing_;  // what the kernel said last: often much more than was asked for
};

}  // namespace hrvm::image
