#include "launch/firmware/device_path.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "hrvm/base/endian.hpp"
#include "hrvm/base/guid.hpp"
#include "hrvm/base/text.hpp"

namespace hrvm::launch {

namespace {

using base::le16;
using base::le32;
using base::le64;
using Bytes = std::span<const std::byte>;
using GuidBytes = std::array<std::byte, 16>;

struct NodeHeader {
  std::uint8_t type;
  std::uint8_t subtype;
  le16 length;  // of the node with this header
};
static_assert(sizeof(NodeHeader) == 4);

// HARDDRIVE_DEVICE_PATH, 10.3.5.1
struct HardDrive {
  NodeHeader header;
  le32 partition;
  le64 start;
  le64 size;
  GuidBytes signature;
  std::uint8_t format;          // 1: MBR, 2: GPT
  std::uint8_t signature_type;  // 1: the MBR's 32 bits, 2: a GUID
};
static_assert(sizeof(HardDrive) == 42);

constexpr std::uint8_t media = 4, hard_drive = 1, file_path = 4, end_of_path = 0x7f;
constexpr std::uint8_t mbr = 1, gpt = 2;

template <typename T>
std::string bytes_of(const T& value) {
  std::string bytes(sizeof value, '\0');
  base::store(std::as_writable_bytes(std::span(bytes)), 0, value);
  return bytes;
}

// A DOS partition is "<signature>-<number>".
GuidBytes signature_of(const BootEntry& entry) {
  if (entry.table == probe::TableKind::gpt)
    return base::Guid::parse(entry.partuuid).value_or(base::Guid{}).to_mixed_endian();
  GuidBytes bytes{};
  const auto number = base::parse_unsigned(entry.partuuid.substr(0, entry.partuuid.find('-')), 16);
  base::store(std::span<std::byte>(bytes), 0, le32(std::uint32_t(number.value_or(0))));
  return bytes;
}

std::string hard_drive_node(const BootEntry& entry) {
  HardDrive node{};
  node.header = {media, hard_drive, sizeof node};
  node.partition = entry.partition;
  node.start = entry.start_sectors;
  node.size = entry.size_sectors;
  node.signature = signature_of(entry);
  node.format = node.signature_type = entry.table == probe::TableKind::gpt ? gpt : mbr;
  return bytes_of(node);
}

std::string file_node(std::string path) {
  std::ranges::replace(path, '/', '\\');
  const auto name = base::to_utf16le(path) + std::string(2, '\0');
  return bytes_of(NodeHeader{media, file_path, std::uint16_t(sizeof(NodeHeader) + name.size())}) + name;
}

std::string text_of_drive(Bytes node) {
  if (node.size() < sizeof(HardDrive)) return "HD(?)";
  const auto drive = base::load<HardDrive>(node);
  const auto partition = std::uint32_t(drive.partition);
  if (drive.signature_type == gpt)
    return fmt::format("HD({},GPT,{})", partition, base::Guid::from_mixed_endian(drive.signature).text());
  return fmt::format("HD({},MBR,{:#x})", partition, std::uint32_t(base::load<le32>(drive.signature)));
}

std::string characters(Bytes bytes) {
  std::string text(bytes.size(), '\0');
  std::ranges::transform(bytes, text.begin(), [](std::byte byte) { return char(byte); });
  return text;
}

std::string text_of_file(Bytes node) { return base::from_utf16le(characters(node.subspan(sizeof(NodeHeader)))); }

template <char... name>
std::string text_of_guid(Bytes node) {
  if (node.size() < sizeof(NodeHeader) + 16) return "?";
  return std::string{name...} + "(" +
         base::Guid::from_mixed_endian(node.subspan(sizeof(NodeHeader)).first<16>()).text() + ")";
}

std::string text_of_pci(Bytes node) {
  if (node.size() < 6) return "Pci(?)";
  return fmt::format("Pci({:#x},{:#x})", unsigned(node[5]), unsigned(node[4]));
}

struct KnownNode {
  std::uint8_t type, subtype;
  std::string (*text)(Bytes node);
};
constexpr KnownNode known_nodes[] = {
    {1, 1, text_of_pci},
    {2, 1, [](Bytes) { return std::string("PciRoot(0x0)"); }},
    {3, 18, [](Bytes) { return std::string("Sata"); }},
    {3, 2, [](Bytes) { return std::string("Scsi"); }},
    {3, 23, [](Bytes) { return std::string("NVMe"); }},
    {3, 11, [](Bytes) { return std::string("MAC"); }},
    {media, hard_drive, text_of_drive},
    {media, file_path, text_of_file},
    {media, 6, text_of_guid<'F', 'v', 'F', 'i', 'l', 'e'>},
    {media, 7, text_of_guid<'F', 'v'>},
};

std::string text_of(const NodeHeader& header, Bytes node) {
  for (const auto& known : known_nodes)
    if (known.type == header.type && known.subtype == header.subtype) return known.text(node);
  return fmt::format("Path({},{})", header.type, header.subtype);
}

}  // namespace

std::string device_path(const BootEntry& entry) {
  return hard_drive_node(entry) + file_node(entry.path) +
         bytes_of(NodeHeader{end_of_path, 0xff, std::uint16_t(sizeof(NodeHeader))});
}

std::string device_path_text(Bytes path) {
  std::vector<std::string> parts;
  while (path.size() >= sizeof(NodeHeader)) {
    const auto header = base::load<NodeHeader>(path);
    if (header.type == end_of_path) return base::join(parts, "/");
    if (header.length < sizeof header || header.length > path.size()) break;
    parts.push_back(text_of(header, path.first(header.length)));
    path = path.subspan(header.length);
  }
  parts.push_back("…");
  return base::join(parts, "/");
}

}  // namespace hrvm::launch
