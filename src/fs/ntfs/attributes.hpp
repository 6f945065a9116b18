// The attributes of an open record, one by one, those in the records in which it continues included.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>

#include "fs/ntfs/format.hpp"
#include "hrvm/base/endian.hpp"

struct _ntfs_inode;

namespace hrvm::fs::ntfs {

struct AttributePlace {
  std::span<const std::byte> bytes;  // all of it, as far as it lies in its record; valid during the visit
  std::uint64_t record = 0;          // which that is
};

// False with errno where a record is damaged.
bool each_attribute(_ntfs_inode* inode, std::uint32_t type, const std::function<void(const AttributePlace&)>& visit);

// nullopt where it is too short to be one.
template <typename T>
std::optional<T> part_of(std::span<const std::byte> bytes, std::size_t offset = 0) {
  if (offset > bytes.size() || bytes.size() - offset < sizeof(T)) return std::nullopt;
  return base::load<T>(bytes, offset);
}

}  // namespace hrvm::fs::ntfs
