#include "probe/systems/windows_hibernation.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <span>

#include "hrvm/base/endian.hpp"
#include "hrvm/base/error.hpp"

namespace hrvm::probe {
namespace {

// The structure PO_MEMORY_IMAGE as it starts on 64-bit Windows. How it goes on differs, and its own length says how.
struct MemoryImage {
  std::array<char, 4> signature;
  base::le32 image_type, checksum, length;
};
static_assert(sizeof(MemoryImage) == 16);

// Where its member Hiberboot lies, by its length: the public symbols of the kernels have it.
struct Layout {
  std::uint32_t length;
  std::size_t hiberboot;
};
constexpr Layout layouts[] = {
    {0x360, 0x2fc},  // Windows 8
    {0x3b0, 0x34c},  // Windows 8.1, 10 until 1507
    {0x3c8, 0x354},  // Windows 10 until 1607
    {0x3d8, 0x364},  // Windows 10 until 1809
    {0x3e0, 0x364},  // Windows 10 until 22H2
    {0x448, 0x3cc},  // Windows 11 until 23H2
    {0x4d8, 0x464},  // Windows 11 24H2
};

}  // namespace

Hibernation hibernation_in(std::string_view header) {
  constexpr std::string_view live[] = {"hibr", "HIBR", "HORM"};  // Windows 7, later ones, and embedded ones
  if (header.size() < sizeof(MemoryImage)) return Hibernation::none;
  if (std::ranges::find(live, header.substr(0, 4)) == std::end(live)) return Hibernation::none;
  const auto image = base::load<MemoryImage>(std::as_bytes(std::span(header)));
  const auto* layout = std::ranges::find(layouts, std::uint32_t(image.length), &Layout::length);
  const bool shut_down = layout != std::end(layouts) && header.size() > layout->hiberboot &&
                         (static_cast<unsigned char>(header[layout->hiberboot]) & 1) != 0;
  return shut_down ? Hibernation::fast_startup : Hibernation::hibernated;
}

Hibernation hibernation_of(fs::FileSystem& root) try {
  constexpr std::string_view path = "/hiberfil.sys";
  const auto info = root.info(path);
  if (!info || info->kind != fs::FileKind::regular) return Hibernation::none;
  return hibernation_in(root.read(path, 0, 4096));
} catch (const base::Error&) {
  return Hibernation::none;
}

}  // namespace hrvm::probe
