#include "fs/ntfs/attributes.hpp"

#include <memory>

#include "fs/ntfs/library.hpp"

namespace hrvm::fs::ntfs {
namespace {

struct PutContext {
  void operator()(ntfs_attr_search_ctx* context) const { ntfs_attr_put_search_ctx(context); }
};

std::span<const std::byte> bytes_of(const ntfs_attr_search_ctx& context) {
  const std::span record(reinterpret_cast<const std::byte*>(context.mrec), context.ntfs_ino->vol->mft_record_size);
  const auto offset = reinterpret_cast<const std::byte*>(context.attr) - record.data();
  if (offset < 0 || std::size_t(offset) > record.size()) return {};
  const auto rest = record.subspan(std::size_t(offset));
  const auto header = part_of<AttributeHeader>(rest);
  return rest.first(header ? std::min<std::size_t>(header->length, rest.size()) : 0);
}

}  // namespace

bool each_attribute(ntfs_inode* inode, std::uint32_t type, const std::function<void(const AttributePlace&)>& visit) {
  const std::unique_ptr<ntfs_attr_search_ctx, PutContext> context(ntfs_attr_get_search_ctx(inode, nullptr));
  if (!context) return false;
  while (ntfs_attr_lookup(ATTR_TYPES(type), nullptr, 0, CASE_SENSITIVE, 0, nullptr, 0, context.get()) == 0)
    visit({bytes_of(*context), context->ntfs_ino->mft_no});
  return errno == ENOENT;
}

}  // namespace hrvm::fs::ntfs
