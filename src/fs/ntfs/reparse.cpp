#include "fs/ntfs/reparse.hpp"

#include <algorithm>
#include <iterator>

#include "hrvm/base/endian.hpp"
#include "hrvm/base/text.hpp"

namespace hrvm::fs::ntfs {
namespace {

constexpr std::uint32_t tag_mount_point = 0xa0000003, tag_symlink = 0xa000000c, tag_linux_symlink = 0xa000001d;

struct Stored {
  std::uint32_t tag, mask;
  std::string_view why;
};
constexpr Stored stored[] = {
    {0x80000017, 0xffffffff, "it is compressed by Compact OS (WOF), which hrvm does not unpack"},
    {0x80000013, 0xffffffff, "it is deduplicated by Windows Server"},
    {0x9000001a, 0xffff0fff, "it is kept by a cloud service, such as OneDrive"},
    {0x80000018, 0xffffffff, "it belongs to a Windows container's base image"},
    {0x90001018, 0xffffffff, "it belongs to a Windows container's base image"},
    {0xc0000004, 0xffffffff, "it is kept by hierarchical storage management"},
    {0x80000006, 0xffffffff, "it is kept by hierarchical storage management"},
};

struct Header {
  base::le32 tag;
  base::le16 length, reserved;
};
static_assert(sizeof(Header) == 8);

// Offsets and lengths are bytes within what follows this structure, and for a symbolic link its flags.
struct LinkNames {
  base::le16 substitute_offset, substitute_length, print_offset, print_length;
};
static_assert(sizeof(LinkNames) == 8);
constexpr std::size_t symlink_flags = 4;

std::optional<std::string> substitute_name(std::string_view data, std::size_t flags) {
  if (data.size() < sizeof(LinkNames) + flags) return std::nullopt;
  const auto names = base::load<LinkNames>(std::as_bytes(std::span(data)));
  const auto buffer = data.substr(sizeof(LinkNames) + flags);
  const std::size_t offset = names.substitute_offset, length = names.substitute_length;
  if (offset > buffer.size() || length > buffer.size() - offset) return std::nullopt;
  return base::from_utf16le(buffer.substr(offset, length));
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// "\??\C:\Users" is /Users here; "\??\Volume{…}\" is elsewhere.
std::optional<std::string> path_of(std::string name) {
  constexpr std::string_view device = "\\??\\";
  if (name.starts_with(device)) {
    if (name.size() < device.size() + 2 || !is_letter(name[4]) || name[5] != ':') return std::nullopt;
    name.erase(0, device.size() + 2);
    if (!name.starts_with('\\')) name.insert(0, "\\");
  }
  if (name.empty() || name.starts_with("\\\\")) return std::nullopt;
  std::ranges::replace(name, '\\', '/');
  return name;
}

std::optional<std::string> target_of(std::uint32_t tag, std::string_view data) {
  if (tag == tag_linux_symlink) return data.size() > 4 ? std::optional(std::string(data.substr(4))) : std::nullopt;
  auto name = substitute_name(data, tag == tag_symlink ? symlink_flags : 0);
  return name ? path_of(std::move(*name)) : std::nullopt;
}

}  // namespace

ReparsePoint parse_reparse_point(std::string_view value) {
  if (value.size() < sizeof(Header)) return {};
  const auto header = base::load<Header>(std::as_bytes(std::span(value)));
  const std::uint32_t tag = header.tag;
  if (tag == tag_mount_point || tag == tag_symlink || tag == tag_linux_symlink) {
    auto target = target_of(tag, value.substr(sizeof(Header), header.length));
    if (!target || target->size() > longest_target) return {};
    return {ReparseKind::link, std::move(*target), {}};
  }
  const auto* found =
      std::ranges::find_if(stored, [&](const Stored& known) { return (tag & known.mask) == known.tag; });
  if (found == std::end(stored)) return {};
  return {ReparseKind::stored, {}, found->why};
}

}  // namespace hrvm::fs::ntfs
