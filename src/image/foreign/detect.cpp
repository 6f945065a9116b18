#include <string_view>

#include "hrvm/block/read_structure.hpp"
#include "hrvm/image/foreign_formats.hpp"
#include "image/foreign/formats.hpp"

namespace hrvm::image::foreign {
namespace {

bool begins_with(block::BlockDevice& file, std::string_view magic) {
  if (file.size() < magic.size()) return false;
  const auto begin = file.read(0, magic.size());
  for (std::size_t i = 0; i < magic.size(); ++i)
    if (char(begin[i]) != magic[i]) return false;
  return true;
}

}  // namespace

ImageFormat detect_format(block::BlockDevice& file) {
  const auto vdi = block::read_structure<VdiHeader>(file, 0);
  if (vdi && vdi->magic == vdi_magic) return ImageFormat::vdi;
  if (begins_with(file, vhdx_magic)) return ImageFormat::vhdx;
  if (begins_with(file, vmdk_magic)) return ImageFormat::vmdk;
  return find_vhd_footer(file) ? ImageFormat::vpc : ImageFormat::raw;
}

}  // namespace hrvm::image::foreign
