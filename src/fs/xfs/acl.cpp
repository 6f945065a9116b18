#include "fs/xfs/acl.hpp"

#include <array>
#include <span>

#include "fs/xfs/directory_format.hpp"

namespace hrvm::fs::xfs {
namespace {

constexpr std::uint32_t named_user = 0x02, named_group = 0x08;
constexpr std::uint32_t no_id = 0xffffffff;

// include/uapi/linux/posix_acl_xattr.h
constexpr base::le32 version = 2;
struct Entry {
  base::le16 tag, permissions;
  base::le32 id;
};
static_assert(sizeof(Entry) == 8);

struct Kind {
  std::string_view stored, told;
};
constexpr std::array kinds = {
    Kind{"trusted.SGI_ACL_FILE", "system.posix_acl_access"},
    Kind{"trusted.SGI_ACL_DEFAULT", "system.posix_acl_default"},
};

template <typename T>
void append(std::string& text, const T& value) {
  text.append(reinterpret_cast<const char*>(&value), sizeof value);
}

std::optional<std::string> converted(std::span<const std::byte> stored) {
  if (stored.size() < sizeof(base::be32)) return std::nullopt;
  const std::uint64_t count = base::load<base::be32>(stored);
  const auto entries = stored.subspan(sizeof(base::be32));
  if (count > entries.size() / sizeof(AclEntry)) return std::nullopt;
  std::string told;
  append(told, version);
  for (std::size_t i = 0; i < count; ++i) {
    const auto entry = base::load<AclEntry>(entries, i * sizeof(AclEntry));
    const bool has_id = entry.tag == named_user || entry.tag == named_group;
    append(told,
           Entry{std::uint16_t(entry.tag), std::uint16_t(entry.permissions), has_id ? std::uint32_t(entry.id) : no_id});
  }
  return told;
}

}  // namespace

void take_as_acl(Attribute& attribute) {
  for (const auto& kind : kinds) {
    if (attribute.name != kind.stored) continue;
    if (auto value = converted(std::as_bytes(std::span(attribute.value)))) attribute = {std::string(kind.told), *value};
    return;
  }
}

}  // namespace hrvm::fs::xfs
