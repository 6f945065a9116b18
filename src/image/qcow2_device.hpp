// A qcow2 file and what backs it, as the guest sees them. It works over any BlockDevice that holds the file's bytes.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "cluster_map.hpp"
#include "header.hpp"
#include "hrvm/block/block_device.hpp"

namespace hrvm::image {

class Qcow2Device : public block::BlockDevice {
 public:
  // `backing` is null where the image has none; where it ends earlier than the image, zeros follow.
  Qcow2Device(std::unique_ptr<block::BlockDevice> file, const ImageHeader& header,
              std::unique_ptr<block::BlockDevice> backing);

  using BlockDevice::read;
  std::uint64_t size() const override { return header_.virtual_bytes; }
  void read(std::uint64_t offset, std::span<std::byte> out) override;
  block::Extent extent_at(std::uint64_t offset) override;
  block::SectorSizes sector_sizes() const override;
  const std::string& name() const override { return file_->name(); }

  ClusterMap& map() { return map_; }
  const ImageHeader& header() const { return header_; }

 private:
  void read_compressed(std::uint64_t offset, std::span<std::byte> out);
  void read_piece(std::uint64_t offset, const Mapping& piece, std::span<std::byte> out);
  // Tells what is known of [offset, offset + length) in pieces, in order, until `visit` returns false; false then.
  using Visitor = std::function<bool(const block::Extent&)>;
  bool visit(std::uint64_t offset, std::uint64_t length, const Visitor& visit_piece);
  bool visit_backing(std::uint64_t offset, std::uint64_t length, const Visitor& visit_piece);

  std::unique_ptr<block::BlockDevice> file_;
  ImageHeader header_;
  std::unique_ptr<block::BlockDevice> backing_;
  Qcow2Device* backing_image_;  // the same, where it is one: a chain is then walked once, whatever its depth
  ClusterMap map_;
  CompressedClusters compressed_;
};

}  // namespace hrvm::image
