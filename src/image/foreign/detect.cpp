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

// One that grows begins with its footer. That of a fixed one counts where all of it is sound: a raw disk may end in a
// copy of anything.
bool is_vhd(block::BlockDevice& file) {
  if (begins_with(file, vhd_cookie)) return true;
  if (file.size() < sizeof(VhdFooter)) return false;
  const auto end = file.size() - sizeof(VhdFooter);
  const auto last = block::read_structure<VhdFooter>(file, end);
  return last && is_sound(*last) && (last->type != vhd_fixed || last->current_bytes == end);
}

}  // namespace

ImageFormat detect_format(block::BlockDevice& file) {
  const auto vdi = block::read_structure<VdiHeader>(file, 0);
  if (vdi && vdi->magic == vdi_magic) return ImageFormat::vdi;
  if (begins_with(file, vhdx_magic)) return ImageFormat::vhdx;
  if (begins_with(file, vmdk_magic)) return ImageFormat::vmdk;
  return is_vhd(file) ? ImageFormat::vpc : ImageFormat::raw;
}

}  // namespace hrvm::image::foreign
