// ImageMap: which image of a chain stores each piece of the disk that a guest sees, and where in its file.
//
// The map is given piece by piece in the order of the disk, in steps of bounded work: a disk of any size needs no more
// memory than its DiskImage does. What is damaged is Error{corrupt}, as when it is read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hrvm/image/disk_image.hpp"

namespace hrvm::image {

class Qcow2Device;

struct MapExtent {
  enum class Kind {
    data,  // stored in the layer
    zero,  // the layer says that it reads as zeros, whatever lies below
    hole,  // no layer stores anything: it reads as zeros
  };
  std::uint64_t offset = 0;  // of the disk
  std::uint64_t length = 0;  // never 0
  Kind kind = Kind::data;
  unsigned layer = 0;  // in ImageMap::layers(); of a hole, the lowest one that reaches so far
  std::optional<std::uint64_t> host_offset =
      std::nullopt;  // of data: where it lies in the layer's file, unless compressed

  std::uint64_t end() const { return offset + length; }
  friend bool operator==(const MapExtent&, const MapExtent&) = default;
};
std::string_view word(MapExtent::Kind kind);

// Adds `next`, which begins where the last one of `extents` ends, and joins the two where they are of one kind in one
// layer, data also side by side in its file.
void add_extent(std::vector<MapExtent>& extents, const MapExtent& next);

class ImageMap {
 public:
  explicit ImageMap(const std::filesystem::path& file, std::optional<ImageFormat> format = std::nullopt);
  ImageMap(ImageMap&&) noexcept;
  ~ImageMap();

  struct Layer {
    std::string path;
    ImageFormat format = ImageFormat::raw;
  };
  const std::vector<Layer>& layers() const { return layers_; }  // the image itself comes first
  std::uint64_t virtual_bytes() const { return device_->size(); }

  // Adds what lies from `from` (< virtual_bytes()) on, as far as one step goes: 16 GiB of the disk or 4096 pieces.
  // Where it ends, which is behind `from`.
  std::uint64_t add_step(std::vector<MapExtent>& extents, std::uint64_t from);

 private:
  std::unique_ptr<block::BlockDevice> device_;
  Qcow2Device* image_;  // the same, where it is one
  std::vector<Layer> layers_;
};

}  // namespace hrvm::image
