#include <array>

#include "header.hpp"
#include "hrvm/base/endian.hpp"
#include "hrvm/block/devices.hpp"
#include "hrvm/image/disk_image.hpp"
#include "hrvm/sys/files.hpp"

namespace hrvm::image {

std::string_view word(ImageFormat format) {
  return format == ImageFormat::raw ? "raw" : "qcow2";
}

ImageFormat detect_format(block::BlockDevice& file) {
  std::array<std::byte, sizeof(base::be32)> first{};
  if (file.size() < first.size()) return ImageFormat::raw;
  file.read(0, first);
  return base::load<base::be32>(first) == qcow2::magic ? ImageFormat::qcow2 : ImageFormat::raw;
}

ImageInfo read_info(const std::filesystem::path& path, std::optional<ImageFormat> format) {
  auto file = block::open_device(path);
  ImageInfo info;
  info.format = format ? *format : detect_format(*file);
  info.virtual_bytes = file->size();
  info.allocated_bytes = sys::status(path).allocated_bytes;
  if (info.format == ImageFormat::raw) return info;
  auto header = read_header(*file);
  info.virtual_bytes = header.virtual_bytes;
  info.cluster_bytes = std::uint32_t(header.geometry.cluster_bytes());
  info.subclusters = header.geometry.extended_l2;
  info.backing = header.backing;
  return info;
}

}  // namespace hrvm::image
