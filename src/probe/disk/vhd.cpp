#include "probe/disk/vhd.hpp"

#include <fmt/core.h>

#include "hrvm/base/text.hpp"
#include "hrvm/image/foreign_formats.hpp"
#include "probe/disk/conversion.hpp"

namespace hrvm::probe {
namespace {

using image::VhdFooter;

// As a value among QEMU's options, where a comma ends one.
std::string option_value(const std::string& path) {
  std::string value;
  for (const char c : path) value.append(c == ',' ? 2 : 1, c);
  return value;
}

// QEMU takes the size of some makers' images from their cylinders, which can be less than there is of the disk.
std::string conversion(const std::string& path, const VhdFooter& footer) {
  if (image::is_taken_whole(footer)) return convert(path, "vpc");
  const auto to = base::shell_quote(free_name(path, ".qcow2"));
  return fmt::format(
      "convert it, and import what comes out: qemu-img convert --image-opts -O qcow2 {} {} && hrvm import {}",
      base::shell_quote("driver=vpc,force_size_calc=current_size,file.driver=file,file.filename=" + option_value(path)),
      to, to);
}

ForeignFile told(const std::string& path, const VhdFooter& footer) {
  switch (footer.type) {
    case image::vhd_fixed:
      return {"a fixed VHD disk image: a raw disk with a footer of 512 bytes behind it", conversion(path, footer),
              image::ImageFormat::vpc};
    case image::vhd_differencing:
      return {"a differencing VHD disk image: what changed since its parent was made",
              "merge it with its parent where it was made (Hyper-V: Merge-VHD), and convert what comes out"};
    default:
      return {"a dynamic VHD disk image (Hyper-V, Virtual PC, Azure)", conversion(path, footer),
              image::ImageFormat::vpc};
  }
}

}  // namespace

std::optional<ForeignFile> find_vhd(block::BlockDevice& file) {
  const auto footer = image::find_vhd_footer(file);
  return footer ? std::optional(told(file.name(), *footer)) : std::nullopt;
}

}  // namespace hrvm::probe
