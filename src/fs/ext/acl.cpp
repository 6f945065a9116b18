#include "fs/ext/acl.hpp"

#include "hrvm/base/endian.hpp"

namespace hrvm::fs::ext {
namespace {

constexpr std::uint32_t stored_version = 1, portable_version = 2;
constexpr std::uint16_t named_user = 0x02, named_group = 0x08;  // the only ones with an id on disk

struct StoredEntry {
  base::le16 tag, permissions;
};
struct PortableEntry {
  base::le16 tag, permissions;
  base::le32 id = ~0u;
};
static_assert(sizeof(StoredEntry) == 4 && sizeof(PortableEntry) == 8);

template <typename T>
void append(std::string& text, const T& value) {
  const auto at = text.size();
  text.resize(at + sizeof value);
  base::store(std::as_writable_bytes(std::span(text)), at, value);
}

}  // namespace

std::string portable_acl(const Volume& volume, std::string_view stored) {
  auto left = std::as_bytes(std::span(stored));
  const auto take = [&]<typename T>(T& value) {
    if (left.size() < sizeof value) throw volume.corrupt("it has an ACL that ends early");
    value = base::load<T>(left);
    left = left.subspan(sizeof value);
  };
  base::le32 version;
  take(version);
  if (version != stored_version) throw volume.corrupt("it has an ACL of a version that is not known");
  std::string portable;
  append(portable, base::le32(portable_version));
  while (!left.empty()) {
    StoredEntry entry;
    take(entry);
    PortableEntry told{entry.tag, entry.permissions, ~0u};
    if (entry.tag == named_user || entry.tag == named_group) take(told.id);
    append(portable, told);
  }
  return portable;
}

}  // namespace hrvm::fs::ext
