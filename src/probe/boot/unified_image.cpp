#include "probe/boot/unified_image.hpp"

#include <algorithm>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "hrvm/base/endian.hpp"
#include "hrvm/base/text.hpp"
#include "probe/boot/boot_entry.hpp"
#include "probe/boot/pe_format.hpp"

namespace hrvm::probe {
namespace {

constexpr std::size_t most_sections = 96;  // as Windows has it; real images have a dozen
constexpr std::size_t longest_os_release = 64 << 10;

constexpr std::size_t most_addons = 64;

using Part = UnifiedImage::Part;
struct Section {
  std::string name;
  std::optional<Part> part;  // nullopt where it leaves the file
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

// Empty for what is no PE file for x86-64.
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
    const std::uint64_t offset = section.file_offset;
    const std::uint64_t size = std::min<std::uint32_t>(section.virtual_bytes, section.file_bytes);
    const bool is_whole = offset <= file_bytes && size <= file_bytes - offset;
    sections.push_back({std::string(name_of(section)), is_whole ? std::optional(Part{offset, size}) : std::nullopt});
  }
  return sections;
}

class Image {
 public:
  Image(fs::FileSystem& files, const std::string& path) : files_(files) {
    const auto place = fs::resolve(files, path);
    const auto info = place ? files.info(*place) : std::nullopt;
    if (!info || info->kind != fs::FileKind::regular) return;
    path_ = *place;
    sections_ = read_sections(files, path_, info->size_bytes);
    first_profile_ = find_profile(0);
  }

  bool is_kernel() const {
    const Section* kernel = find(first_profile_, ".linux");
    return kernel != nullptr && kernel->part;
  }
  bool is_addon() const { return !sections_.empty() && find(first_profile_, ".linux") == nullptr; }

  std::vector<UnifiedImage> profiles() const {
    std::vector<UnifiedImage> all;
    for (std::size_t at = first_profile_; at < sections_.size(); at = find_profile(at + 1)) all.push_back(read(at));
    if (all.empty()) all.push_back(read(first_profile_));
    return all;
  }

  // Empty where there is none, or one that is too long to be meant.
  std::string text(std::size_t profile, std::string_view name, std::size_t longest) const {
    const Section* section = find(profile, name);
    if (section == nullptr || !section->part || section->part->size_bytes > longest) return {};
    const std::string bytes = files_.read(path_, section->part->offset, std::size_t(section->part->size_bytes));
    return std::string(base::trim(std::string_view(bytes).substr(0, bytes.find('\0'))));
  }

  std::size_t base_profile() const { return first_profile_; }

  // Of the profile that begins with the section there; behind the last section: of none.
  UnifiedImage read(std::size_t profile) const {
    UnifiedImage image;
    if (const Section* initramfs = find(profile, ".initrd")) image.initramfs = initramfs->part;
    image.command_line = text(profile, ".cmdline", longest_text);
    image.os_release = text(profile, ".osrel", longest_os_release);
    image.version = text(profile, ".uname", longest_text);
    image.profile = profile < sections_.size() ? text(profile, ".profile", longest_text) : std::string();
    return image;
  }

 private:
  std::size_t find_profile(std::size_t from) const {
    while (from < sections_.size() && sections_[from].name != ".profile") ++from;
    return std::min(from, sections_.size());
  }

  // Among those of the profile, then among those of all.
  const Section* find(std::size_t profile, std::string_view name) const {
    for (std::size_t at = profile; at < sections_.size() && (at == profile || sections_[at].name != ".profile"); ++at)
      if (sections_[at].name == name) return &sections_[at];
    for (std::size_t at = 0; at < first_profile_; ++at)
      if (sections_[at].name == name) return &sections_[at];
    return nullptr;
  }

  fs::FileSystem& files_;
  std::string path_;
  std::vector<Section> sections_;
  std::size_t first_profile_ = 0;  // where the base ends
};

void add_addons(fs::FileSystem& files, const std::string& folder, std::vector<std::string>& paths) {
  const auto place = fs::resolve(files, folder);
  const auto info = place ? files.info(*place) : std::nullopt;
  if (!info || info->kind != fs::FileKind::directory) return;
  std::vector<std::string> names;
  for (const fs::Entry& entry : files.list(*place, most_addons))
    if (base::lower(entry.name).ends_with(".addon.efi")) names.push_back(entry.name);
  std::ranges::sort(names);
  for (const std::string& name : names) paths.push_back(folder + "/" + name);
}

// Without the counter of tries: "/EFI/Linux/a.efi" of "/EFI/Linux/a+3-1.efi".
std::string uncounted(const std::string& image) {
  constexpr std::string_view extension = ".efi";
  const auto plus = image.rfind('+');
  if (plus == std::string::npos || image.size() < extension.size() || image.find('/', plus) != std::string::npos)
    return image;
  const auto end = image.size() - extension.size();
  if (plus > end || image.find_first_not_of("0123456789-", plus + 1) < end) return image;
  return image.substr(0, plus) + image.substr(end);
}

}  // namespace

std::vector<UnifiedImage> read_unified_images(fs::FileSystem& files, const std::string& path) {
  const Image image(files, path);
  return image.is_kernel() ? image.profiles() : std::vector<UnifiedImage>{};
}

std::optional<UnifiedImage> read_unified_image(fs::FileSystem& files, const std::string& path, unsigned profile) {
  auto all = read_unified_images(files, path);
  if (all.empty()) return std::nullopt;
  return std::move(all[profile < all.size() ? profile : 0]);
}

std::optional<UnifiedImage> read_addon(fs::FileSystem& files, const std::string& path) {
  const Image image(files, path);
  if (!image.is_addon()) return std::nullopt;
  return image.read(image.base_profile());
}

std::vector<std::string> find_addons(fs::FileSystem& files, const std::string& image) {
  std::vector<std::string> paths;
  add_addons(files, "/loader/addons", paths);
  add_addons(files, image + ".extra.d", paths);
  if (const auto plain = uncounted(image); plain != image) add_addons(files, plain + ".extra.d", paths);
  return paths;
}

bool is_systemd_boot(fs::FileSystem& files, const std::string& path) {
  const Image image(files, path);
  return image.text(image.base_profile(), ".sdmagic", 256).find("systemd-boot") != std::string::npos;
}

}  // namespace hrvm::probe
