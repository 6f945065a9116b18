#include "probe/boot/unified_image.hpp"

#include <algorithm>
#include <span>
#include <string_view>
#include <vector>

#include "hrvm/base/endian.hpp"
#include "hrvm/base/text.hpp"
#include "probe/boot/boot_entry.hpp"
#include "probe/boot/pe_format.hpp"

namespace hrvm::probe {
namespace {

constexpr std::size_t most_sections = 96;  // as Windows has it; real images have a dozen
constexpr std::size_t longest_os_release = 64 << 10;

struct Section {
  std::string name;
  UnifiedImage::Part part;
};

std::string_view name_of(const PeSection& section) {
  const std::string_view name(section.name.data(), section.name.size());
  return name.substr(0, name.find('\0'));
}

template <typename Header>
std::optional<Header> load_at(fs::FileSystem& files, const std::string& path, std::uint64_t offset) {
  const std::string bytes = files.read(path, offset, sizeof(Header));
  if (bytes.size() < sizeof(Header)) return std::nullopt;
  return base::load<Header>(std::as_bytes(std::span(bytes)));
}

// Up to the first that belongs to a profile that has to be chosen. Empty for what is no PE file for x86-64.
std::vector<Section> read_sections(fs::FileSystem& files, const std::string& path, std::uint64_t file_bytes) {
  if (files.read(path, 0, dos_magic.size()) != dos_magic) return {};
  const auto place = load_at<base::le32>(files, path, pe_place);
  const auto header = place ? load_at<PeHeader>(files, path, *place) : std::nullopt;
  if (!header || std::string_view(header->magic.data(), header->magic.size()) != pe_magic ||
      header->machine != pe_machine_x86_64 || header->sections > most_sections)
    return {};
  const std::uint64_t table = *place + sizeof(PeHeader) + header->optional_header_bytes;
  const std::string bytes = files.read(path, table, header->sections * sizeof(PeSection));
  std::vector<Section> sections;
  for (std::size_t at = 0; at + sizeof(PeSection) <= bytes.size(); at += sizeof(PeSection)) {
    const auto section = base::load<PeSection>(std::as_bytes(std::span(bytes)), at);
    if (name_of(section) == ".profile") break;
    const std::uint64_t offset = section.file_offset;
    const std::uint64_t size = std::min<std::uint32_t>(section.virtual_bytes, section.file_bytes);
    if (offset <= file_bytes && size <= file_bytes - offset)
      sections.push_back({std::string(name_of(section)), {offset, size}});
  }
  return sections;
}

class Image {
 public:
  Image(fs::FileSystem& files, const std::string& path, std::vector<Section> sections)
      : files_(files), path_(path), sections_(std::move(sections)) {}

  std::optional<UnifiedImage> read() {
    if (find(".linux") == nullptr) return std::nullopt;
    UnifiedImage image;
    if (const Section* initramfs = find(".initrd")) image.initramfs = initramfs->part;
    image.command_line = text(".cmdline", longest_text);
    image.os_release = text(".osrel", longest_os_release);
    image.version = text(".uname", longest_text);
    return image;
  }

 private:
  const Section* find(std::string_view name) const {
    const auto found = std::ranges::find(sections_, name, &Section::name);
    return found == sections_.end() ? nullptr : &*found;
  }

  // Empty where there is none, or one that is too long to be meant.
  std::string text(std::string_view name, std::size_t longest) const {
    const Section* section = find(name);
    if (section == nullptr || section->part.size_bytes > longest) return {};
    const std::string bytes = files_.read(path_, section->part.offset, std::size_t(section->part.size_bytes));
    return std::string(base::trim(std::string_view(bytes).substr(0, bytes.find('\0'))));
  }

  fs::FileSystem& files_;
  const std::string& path_;
  std::vector<Section> sections_;
};

}  // namespace

std::optional<UnifiedImage> read_unified_image(fs::FileSystem& files, const std::string& path) {
  const auto place = fs::resolve(files, path);
  const auto info = place ? files.info(*place) : std::nullopt;
  if (!info || info->kind != fs::FileKind::regular) return std::nullopt;
  return Image(files, *place, read_sections(files, *place, info->size_bytes)).read();
}

}  // namespace hrvm::probe
