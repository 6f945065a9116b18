#include "hrvm/image/map.hpp"

#include <algorithm>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/block/devices.hpp"
#include "image/foreign/block_table.hpp"
#include "image/qcow2/device.hpp"

namespace hrvm::image {
namespace {

constexpr std::uint64_t longest_step = 16 * base::GiB;
constexpr unsigned most_pieces = 4096;

bool continues(const MapExtent& extent, const MapExtent& next) {
  if (extent.kind != next.kind || extent.layer != next.layer) return false;
  if (!extent.host_offset || !next.host_offset) return extent.host_offset == next.host_offset;
  return *extent.host_offset + extent.length == *next.host_offset;
}

std::unique_ptr<block::BlockDevice> open(const std::filesystem::path& file, std::optional<ImageFormat> format) {
  return open_image(file, format ? *format : detect_format(*block::open_device(file)));
}

std::vector<ImageMap::Layer> layers_of(const block::BlockDevice* device) {
  std::vector<ImageMap::Layer> layers;
  while (device != nullptr) {
    const auto* image = dynamic_cast<const Qcow2Device*>(device);
    layers.push_back({device->name(), image ? ImageFormat::qcow2 : foreign::format_of(device)});
    device = image ? image->backing() : nullptr;
  }
  return layers;
}

}  // namespace

std::string_view word(MapExtent::Kind kind) {
  constexpr std::string_view words[] = {"data", "zero", "hole"};
  return words[std::size_t(kind)];
}

void add_extent(std::vector<MapExtent>& extents, const MapExtent& next) {
  if (!extents.empty() && continues(extents.back(), next)) {
    extents.back().length += next.length;
  } else {
    extents.push_back(next);
  }
}

ImageMap::ImageMap(const std::filesystem::path& file, std::optional<ImageFormat> format)
    : device_(open(file, format)),
      image_(dynamic_cast<Qcow2Device*>(device_.get())),
      layers_(layers_of(device_.get())) {}
ImageMap::ImageMap(ImageMap&&) noexcept = default;
ImageMap::~ImageMap() = default;

std::uint64_t ImageMap::add_step(std::vector<MapExtent>& extents, std::uint64_t from) {
  unsigned pieces = 0;
  const auto take = [&](const MapExtent& piece) {
    add_extent(extents, piece);
    from = piece.end();
    return ++pieces < most_pieces;
  };
  const auto length = std::min(longest_step, device_->size() - from);
  if (image_) {
    image_->visit(from, length, 0, take);
  } else {
    take(stored_below(*device_, device_->extent_at(from), 0));
  }
  return from;
}

}  // namespace hrvm::image
