#include "probe/disk/vmdk.hpp"

#include <algorithm>
#include <array>

#include <fmt/core.h>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/block/devices.hpp"
#include "hrvm/block/read_structure.hpp"
#include "hrvm/image/foreign_formats.hpp"
#include "hrvm/image/vmdk_descriptor.hpp"
#include "hrvm/sys/files.hpp"
#include "probe/disk/conversion.hpp"

namespace hrvm::probe {
namespace {

using image::VmdkDescriptor;

constexpr std::string_view ending = ".vmdk";

std::string text_at_begin(block::BlockDevice& file, std::size_t most) {
  const auto bytes = file.read(0, std::size_t(std::min<std::uint64_t>(file.size(), most)));
  std::string text(bytes.size(), '\0');
  std::transform(bytes.begin(), bytes.end(), text.begin(), [](std::byte byte) { return char(byte); });
  return text;
}

std::string beside(const std::string& path, const std::string& name) {
  return (sys::Path(path).parent_path() / name).string();
}

bool is_there(const std::string& path) { return sys::status(path).type == sys::FileType::regular; }

// Where one names other folders, what is converted may hold files of this host that are not its own.
std::string files_elsewhere(const VmdkDescriptor& descriptor) {
  std::vector<std::string> names;
  const auto add = [&](const std::string& name) {
    if (name.find_first_of("/\\:") != name.npos && names.size() < 4) names.push_back(base::printable(name));
  };
  for (const auto& extent : descriptor.extents) add(extent.file);
  add(descriptor.parent);
  return base::join(names, ", ");
}

std::string missing_extent(const std::string& path, const VmdkDescriptor& descriptor) {
  for (const auto& extent : descriptor.extents)
    if (!extent.file.empty() && !is_there(beside(path, extent.file))) return base::printable(extent.file);
  return {};
}

// The one extent that is a raw disk, where it lies beside the descriptor.
std::string raw_disk(const std::string& path, const VmdkDescriptor& descriptor) {
  if (descriptor.has_parent || descriptor.extents.size() != 1) return {};
  const auto& extent = descriptor.extents.front();
  const bool is_raw = (extent.type == "FLAT" || extent.type == "VMFS") && extent.offset_sectors == 0;
  const auto file = beside(path, extent.file);
  return is_raw && is_there(file) ? file : std::string();
}

// The same, where all of it is the disk.
std::string whole_raw_disk(const std::string& path, const VmdkDescriptor& descriptor) {
  if (!files_elsewhere(descriptor).empty()) return {};
  auto raw = raw_disk(path, descriptor);
  if (raw.empty() || sys::is_same_file(raw, path)) return {};
  return sys::status(raw).size_bytes / 512 == descriptor.extents.front().sectors ? raw : std::string();
}

std::string remedy_of(const std::string& path, const VmdkDescriptor& descriptor) {
  if (const auto elsewhere = files_elsewhere(descriptor); !elsewhere.empty())
    return fmt::format("it takes its data from {}; if that is its own, {}", elsewhere, convert(path, "vmdk"));
  if (const auto raw = raw_disk(path, descriptor); !raw.empty())
    return "import the raw disk that it describes: hrvm import " + base::shell_quote(raw);
  if (const auto missing = missing_extent(path, descriptor); !missing.empty())
    return fmt::format("put {} beside it, then {}", missing, convert(path, "vmdk"));
  return convert(path, "vmdk");
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// "x-s001.vmdk", "x-f001.vmdk", "x-delta.vmdk", "x-sesparse.vmdk" belong to "x.vmdk"; empty for other names.
std::string descriptor_of_part(std::string_view path) {
  if (!path.ends_with(ending)) return {};
  auto stem = path.substr(0, path.size() - ending.size());
  const auto hyphen = stem.rfind('-');
  if (hyphen == stem.npos) return {};
  const auto part = stem.substr(hyphen + 1);
  const bool is_numbered =
      part.size() >= 4 && (part[0] == 's' || part[0] == 'f') && std::ranges::all_of(part.substr(1), is_digit);
  if (!is_numbered && part != "delta" && part != "sesparse") return {};
  return std::string(stem.substr(0, hyphen)) + std::string(ending);
}

ForeignFile part_of_disk(const std::string& path) {
  const auto descriptor = descriptor_of_part(path);
  if (descriptor.empty() || !is_there(descriptor))
    return {"a part of a VMDK disk image (VMware)",
            "its descriptor, a small .vmdk that names its parts, is not beside it: put it and all parts into one "
            "folder, and hrvm discover of the descriptor tells the line that converts it"};
  const auto to = free_name(descriptor, ".qcow2");
  return {fmt::format("a part of the VMDK disk image {} (VMware)", descriptor),
          fmt::format("convert the whole, and import what comes out: {} && hrvm import {}",
                      qemu_conversion(descriptor, "vmdk", to), base::shell_quote(to))};
}

std::optional<ForeignFile> find_sparse_extent(block::BlockDevice& file) {
  const auto header = block::read_structure<image::VmdkHeader>(file, 0);
  if (!header || std::string_view(header->magic.data(), header->magic.size()) != image::vmdk_magic) return std::nullopt;
  if (header->descriptor_lba == 0) return part_of_disk(file.name());
  return ForeignFile{
      header->compression == 1 ? "a stream-optimized VMDK disk image (VMware)" : "a sparse VMDK disk image (VMware)",
      convert(file.name(), "vmdk"), image::ImageFormat::vmdk};
}

bool begins_as_descriptor(block::BlockDevice& file) {
  return base::starts_with_ignoring_case(text_at_begin(file, image::vmdk_descriptor_begin.size()),
                                         image::vmdk_descriptor_begin);
}

std::optional<VmdkDescriptor> descriptor_in(block::BlockDevice& file) {
  if (!begins_as_descriptor(file)) return std::nullopt;
  return image::read_vmdk_descriptor(text_at_begin(file, image::longest_vmdk_descriptor));
}

std::optional<VmdkDescriptor> descriptor_at(const std::string& path) try {
  if (!is_there(path)) return std::nullopt;
  return descriptor_in(*block::open_device(path));
} catch (const base::Error&) {
  return std::nullopt;  // who may not read it cannot convert by it
}

// Extents of ESX's own.
bool is_esx_extent(block::BlockDevice& file) {
  constexpr std::uint64_t space_efficient = 0xcafebabe;
  const auto magic = block::read_structure<base::le64>(file, 0);
  return magic && (*magic == space_efficient || text_at_begin(file, 4) == "COWD");
}

}  // namespace

std::optional<ForeignFile> find_vmdk(block::BlockDevice& file) {
  if (auto extent = find_sparse_extent(file)) return extent;
  if (const auto descriptor = descriptor_in(file))
    return ForeignFile{"a VMDK descriptor (VMware): the text that says where a disk's data lie",
                       remedy_of(file.name(), *descriptor)};
  if (is_esx_extent(file)) return part_of_disk(file.name());
  return std::nullopt;
}

// What a guest wrote at the begin of a raw disk must not lead to another file: a disk is larger than any description.
std::string described_disk(block::BlockDevice& file) {
  if (file.size() > image::longest_vmdk_descriptor) return {};
  const auto descriptor = descriptor_in(file);
  return descriptor ? whole_raw_disk(file.name(), *descriptor) : std::string();
}

std::optional<ForeignFile> find_raw_extent(block::BlockDevice& file) {
  const auto path = descriptor_of_part(file.name());
  if (path.empty()) return std::nullopt;
  const auto descriptor = descriptor_at(path);
  if (!descriptor || raw_disk(path, *descriptor) == file.name()) return std::nullopt;
  return part_of_disk(file.name());
}

std::string descriptor_of_flat(std::string_view path) {
  constexpr std::string_view flat = "-flat.vmdk";
  if (!path.ends_with(flat)) return {};
  return std::string(path.substr(0, path.size() - flat.size())) + std::string(ending);
}

}  // namespace hrvm::probe
