#include "probe/disk/foreign_file.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/core.h>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/block/devices.hpp"
#include "hrvm/block/read_structure.hpp"
#include "hrvm/image/foreign_formats.hpp"
#include "hrvm/sys/files.hpp"
#include "probe/disk/conversion.hpp"
#include "probe/disk/tar.hpp"
#include "probe/disk/vhd.hpp"
#include "probe/disk/vmdk.hpp"
#include "probe/table/dos.hpp"

namespace hrvm::probe {
namespace {

using namespace std::string_view_literals;

struct Magic {
  std::string_view bytes;
  std::string_view what;
  std::string_view way = {};  // the format's name to QEMU, or the command that unpacks it
};

constexpr std::array qemu_formats{
    Magic{"vhdxfile"sv, "a VHDX disk image (Hyper-V)", "vhdx"},
    Magic{"QED\0"sv, "a QED disk image (QEMU)", "qed"},
    Magic{"QFI\xfb\0\0\0\1"sv, "a qcow disk image of version 1 (QEMU)", "qcow"},
    Magic{"WithoutFreeSpace"sv, "a Parallels disk image", "parallels"},
    Magic{"WithouFreSpacExt"sv, "a Parallels disk image", "parallels"},
    Magic{"#!/bin/sh\n#V2.0 Format\n"sv, "a cloop disk image, which is packed (Knoppix)", "cloop"},
};

constexpr std::array packers{
    Magic{"\x1f\x8b\x08"sv, "a file packed by gzip", "gzip -dc"},
    Magic{"\xfd"
          "7zXZ\0"sv,
          "a file packed by xz", "xz -dc"},
    Magic{"\x28\xb5\x2f\xfd"sv, "a file packed by zstd", "zstd -dc"},
    Magic{"BZh"sv, "a file packed by bzip2", "bzip2 -dc"},
    Magic{"\x04\x22\x4d\x18"sv, "a file packed by lz4", "lz4 -dc"},
    Magic{"\x89LZO\0\r\n\x1a\n"sv, "a file packed by lzop", "lzop -dc"},
};

constexpr std::array archives{
    Magic{"PK\3\4"sv, "a zip archive", "unzip -d {1} {0}"},
    Magic{"7z\xbc\xaf\x27\x1c"sv, "a 7z archive", "7z x -o{1} {0}"},
    Magic{"VMA\0"sv, "an archive of Proxmox VE's vzdump", "vma extract {0} {1}"},
};

// What people name by mistake, and what is kept beside disks.
constexpr std::array no_disks{
    Magic{"\x89PNG\r\n\x1a\n"sv, "a PNG picture"},
    Magic{"\xff\xd8\xff"sv, "a JPEG picture"},
    Magic{"GIF8"sv, "a GIF picture"},
    Magic{"%PDF-"sv, "a PDF document"},
    Magic{"\x7f"
          "ELF"sv,
          "an ELF program or library"},
    Magic{"!<arch>\n"sv, "a Debian package, or a library"},
    Magic{"\xed\xab\xee\xdb"sv, "an RPM package"},
    Magic{"SQLite format 3\0"sv, "an SQLite database"},
    Magic{"MSWIM\0\0\0"sv, "a WIM archive (Windows' setup)"},
    Magic{"partclone-image"sv, "a partition as Partclone or Clonezilla saves it"},
    Magic{"\x1a\x45\xdf\xa3"sv, "a Matroska or WebM film"},
    Magic{"RIFF"sv, "a sound, film or picture (RIFF)"},
    Magic{"OggS"sv, "a sound or film (Ogg)"},
    Magic{"ID3"sv, "a sound (MP3)"},
    Magic{"070701"sv, "a cpio archive, as an initramfs is"},
};

std::string begin_of(block::BlockDevice& file, std::size_t most) {
  const auto bytes = file.read(0, std::size_t(std::min<std::uint64_t>(file.size(), most)));
  std::string text(bytes.size(), '\0');
  std::transform(bytes.begin(), bytes.end(), text.begin(), [](std::byte byte) { return char(byte); });
  return text;
}

template <std::size_t count>
const Magic* find(const std::array<Magic, count>& magics, std::string_view begin) {
  const auto found = std::ranges::find_if(magics, [&](const Magic& magic) { return begin.starts_with(magic.bytes); });
  return found == magics.end() ? nullptr : &*found;
}

bool has_table(block::BlockDevice& file) {
  const auto sector = block::read_structure<BootSector>(file, 0);
  return sector && sector->magic == boot_sector_magic && (has_protective_entry(*sector) || holds_dos_table(*sector));
}

std::optional<ForeignFile> find_vdi(block::BlockDevice& file) {
  const auto header = block::read_structure<image::VdiHeader>(file, 0);
  if (!header || header->magic != image::vdi_magic) return std::nullopt;
  if (header->type != image::vdi_differencing)
    return ForeignFile{"a VDI disk image (VirtualBox)", convert(file.name(), "vdi"), image::ImageFormat::vdi};
  return ForeignFile{
      "a differencing VDI disk image (VirtualBox): what changed since a snapshot",
      fmt::format(
          "where its parent is, make one image of both: VBoxManage clonemedium disk {} NEW.vdi; and convert that",
          base::shell_quote(file.name()))};
}

// What three bytes promise is looked at once more: methods and flags that there are.
bool is_sound(const Magic& packer, std::string_view begin) {
  if (packer.bytes.starts_with('\x1f')) return begin.size() >= 10 && (std::uint8_t(begin[3]) & 0xe0) == 0;
  if (packer.bytes != "BZh") return true;
  const auto first_block = begin.substr(std::min<std::size_t>(begin.size(), 4), 6);
  return begin.size() >= 10 && begin[3] >= '1' && begin[3] <= '9' &&
         (first_block == "\x31\x41\x59\x26\x53\x59"sv || first_block == "\x17\x72\x45\x38\x50\x90"sv);
}

bool is_plain_name(std::string_view name) {
  return !name.empty() &&
         std::ranges::all_of(name, [](char c) { return c > ' ' && c < '\x7f' && c != '/' && c != ','; });
}

bool is_disk_image(std::string_view name) {
  constexpr std::array endings{".vmdk"sv, ".vhd"sv, ".vhdx"sv, ".vdi"sv, ".qcow2"sv, ".img"sv, ".raw"sv};
  const auto lower = base::lower(name);
  return is_plain_name(name) && std::ranges::any_of(endings, [&](auto ending) { return lower.ends_with(ending); });
}

std::optional<ForeignFile> find_tar(block::BlockDevice& file) {
  auto names = list_tar(file);
  if (!names) return std::nullopt;
  const bool is_appliance = !names->empty() && base::lower(names->front()).ends_with(".ovf");
  std::erase_if(*names, [](const std::string& name) { return !is_disk_image(name); });
  if (is_appliance && !names->empty())
    return ForeignFile{"an OVA appliance, a tar archive of disks and their description",
                       extract_appliance(file.name(), *names)};
  return ForeignFile{is_appliance ? "an OVA appliance, a tar archive" : "a tar archive",
                     extract(file.name(), "mkdir {1} && tar -xf {0} -C {1}")};
}

// "disk.img" and 2 of "disk.img.002".
struct NumberedName {
  std::string stem;
  unsigned number = 0;
};

std::optional<NumberedName> numbered_name(const std::string& path) {
  constexpr std::size_t digits = 3;
  if (path.size() < digits + 2 || path[path.size() - digits - 1] != '.') return std::nullopt;
  const auto number = base::parse_unsigned(path.substr(path.size() - digits));
  if (!number) return std::nullopt;
  return NumberedName{path.substr(0, path.size() - digits - 1), unsigned(*number)};
}

std::string name_of(const std::string& stem, unsigned number) { return fmt::format("{}.{:03}", stem, number); }

bool is_file(const std::string& path) { return sys::status(path).type == sys::FileType::regular; }

// Kept versions of an image are numbered as well, and begin alike.
bool begin_alike(block::BlockDevice& first, block::BlockDevice& second) {
  constexpr std::size_t magic_bytes = 4;
  const auto begin = begin_of(first, magic_bytes);
  const bool is_magic = begin.find_first_not_of('\0') != begin.npos;
  return has_table(second) || (is_magic && begin == begin_of(second, magic_bytes));
}

std::optional<ForeignFile> find_part(block::BlockDevice& file) try {
  const auto name = numbered_name(file.name());
  if (!name) return std::nullopt;
  for (const unsigned first : {0u, 1u}) {
    const auto begin = name_of(name->stem, first), next = name_of(name->stem, first + 1);
    if (name->number < first || !is_file(begin) || !is_file(next)) continue;
    if (begin_alike(*block::open_device(begin), *block::open_device(next))) return std::nullopt;
    return ForeignFile{fmt::format("part {} of an image that is split into several files", name->number + 1 - first),
                       put_together(name->stem)};
  }
  return std::nullopt;
} catch (const base::Error&) {
  return std::nullopt;  // who may not read the other parts is told so by what puts them together
}

bool is_text(std::string_view begin) {
  return !begin.empty() && std::ranges::all_of(begin, [](char c) {
    const auto byte = std::uint8_t(c);
    return byte >= 0x80 || (byte >= ' ' && byte != 0x7f) || c == '\t' || c == '\n' || c == '\r' || c == '\f';
  });
}

bool is_windows_program(std::string_view begin) {
  constexpr std::size_t place_of_header = 60;
  if (!begin.starts_with("MZ") || begin.size() < place_of_header + 4) return false;
  const auto at = base::load<base::le32>(std::as_bytes(std::span(begin)), place_of_header);
  return at < begin.size() && begin.substr(at).starts_with("PE\0\0"sv);
}

}  // namespace

std::optional<ForeignFile> find_container(block::BlockDevice& file) {
  if (auto part = find_part(file)) return part;
  if (auto vhd = find_vhd(file)) return vhd;
  if (auto extent = find_raw_extent(file)) return extent;
  if (has_table(file)) return std::nullopt;
  if (auto vdi = find_vdi(file)) return vdi;
  if (auto vmdk = find_vmdk(file)) return vmdk;
  constexpr std::size_t enough = 64;
  const auto begin = begin_of(file, enough);
  if (const auto* image = find(qemu_formats, begin))
    return ForeignFile{std::string(image->what), convert(file.name(), image->way),
                       base::from_word<image::ImageFormat>(image->way)};
  if (const auto* packer = find(packers, begin); packer != nullptr && is_sound(*packer, begin))
    return ForeignFile{std::string(packer->what), unpack(file.name(), packer->way)};
  if (const auto* archive = find(archives, begin))
    return ForeignFile{std::string(archive->what), extract(file.name(), archive->way)};
  return find_tar(file);
}

std::string looks_like(block::BlockDevice& file) {
  constexpr std::size_t enough = 4096;
  const auto begin = begin_of(file, enough);
  if (const auto* known = find(no_disks, begin)) return std::string(known->what);
  if (is_windows_program(begin)) return "a program for Windows or UEFI";
  return is_text(begin) ? "a text" : "";
}

}  // namespace hrvm::probe
