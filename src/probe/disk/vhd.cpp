#include "probe/disk/vhd.hpp"

#include <fmt/core.h>

#include "hrvm/base/text.hpp"
#include "hrvm/block/read_structure.hpp"
#include "probe/disk/conversion.hpp"

namespace hrvm::probe {
namespace {

enum Type : std::uint32_t { fixed = 2, dynamic = 3, differencing = 4 };

bool has_cookie(const VhdFooter& footer) {
  return std::string_view(footer.cookie.data(), footer.cookie.size()) == "conectix";
}

bool is_sound(VhdFooter footer) {
  const std::uint32_t checksum = footer.checksum;
  footer.checksum = 0;
  std::uint32_t sum = 0;
  for (const std::byte byte : std::as_bytes(std::span(&footer, 1))) sum += std::uint32_t(byte);
  return has_cookie(footer) && ~sum == checksum;
}

// As a value among QEMU's options, where a comma ends one.
std::string option_value(const std::string& path) {
  std::string value;
  for (const char c : path) value.append(c == ',' ? 2 : 1, c);
  return value;
}

// QEMU takes the size of some makers' images from their cylinders, which can be less than there is of the disk.
std::string conversion(const std::string& path, const VhdFooter& footer) {
  const auto by_geometry = std::uint64_t(footer.cylinders) * footer.heads * footer.sectors * 512;
  if (by_geometry >= footer.current_bytes) return convert(path, "vpc");
  const auto to = base::shell_quote(free_name(path, ".qcow2"));
  return fmt::format(
      "convert it, and import what comes out: qemu-img convert --image-opts -O qcow2 {} {} && hrvm import {}",
      base::shell_quote("driver=vpc,force_size_calc=current_size,file.driver=file,file.filename=" + option_value(path)),
      to, to);
}

ForeignFile told(const std::string& path, const VhdFooter& footer) {
  switch (footer.type) {
    case fixed:
      return {"a fixed VHD disk image: a raw disk with a footer of 512 bytes behind it", conversion(path, footer)};
    case differencing:
      return {"a differencing VHD disk image: what changed since its parent was made",
              "merge it with its parent where it was made (Hyper-V: Merge-VHD), and convert what comes out"};
    default:
      return {"a dynamic VHD disk image (Hyper-V, Virtual PC, Azure)", conversion(path, footer)};
  }
}

}  // namespace

std::optional<ForeignFile> find_vhd(block::BlockDevice& file) {
  const auto first = block::read_structure<VhdFooter>(file, 0);
  if (!first) return std::nullopt;
  if (has_cookie(*first) && first->type != fixed) return told(file.name(), *first);
  const auto end = file.size() - sizeof(VhdFooter);
  const auto last = block::read_structure<VhdFooter>(file, end);
  if (!last || !is_sound(*last)) return std::nullopt;
  if (last->type == fixed && last->current_bytes != end) return std::nullopt;
  return told(file.name(), *last);
}

}  // namespace hrvm::probe
