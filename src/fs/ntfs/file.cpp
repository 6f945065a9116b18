#include "fs/ntfs/file.hpp"

#include <algorithm>
#include <map>

#include "fs/ntfs/attributes.hpp"
#include "fs/ntfs/name.hpp"

#include "fs/ntfs/library.hpp"

namespace hrvm::fs::ntfs {
namespace {

constexpr std::int64_t ticks_per_second = 10'000'000, nanoseconds_per_tick = 100, seconds_from_1601 = 11'644'473'600;

// libntfs-3g has flags as enumerations, of which a disk may hold any value.
template <typename Integer, typename Structure>
Integer integer_in(const Structure& structure, std::size_t offset) {
  return base::load<Integer>(std::as_bytes(std::span(&structure, 1)), offset);
}

std::uint32_t flags_of(const ntfs_inode& inode) { return integer_in<base::le32>(inode, offsetof(ntfs_inode, flags)); }

RecordHeader header_of(const ntfs_inode& inode) { return integer_in<RecordHeader>(*inode.mrec, 0); }

AttributeHandle open_attribute(ntfs_inode* inode, ATTR_TYPES type) {
  return AttributeHandle(ntfs_attr_open(inode, type, AT_UNNAMED, 0));
}

ReparsePoint read_reparse_point(ntfs_inode* inode) {
  const AttributeHandle point = open_attribute(inode, AT_REPARSE_POINT);
  if (!point) return {};
  std::string value(std::size_t(std::clamp<s64>(point->data_size, 0, longest_reparse_point)), '\0');
  if (ntfs_attr_pread(point.get(), 0, s64(value.size()), value.data()) != s64(value.size())) return {};
  return parse_reparse_point(value);
}

FileKind kind_of(const File& file, bool is_directory) {
  const FileKind plain = is_directory ? FileKind::directory : FileKind::regular;
  if (!file.is_reparse_point || file.point.kind == ReparseKind::stored) return plain;
  return file.point.kind == ReparseKind::link ? FileKind::symlink : FileKind::other;
}

Time time_of(std::uint64_t since_1601) {
  const auto ticks = std::int64_t(since_1601);
  std::int64_t seconds = ticks / ticks_per_second, rest = ticks % ticks_per_second;
  if (rest < 0) {
    --seconds;
    rest += ticks_per_second;
  }
  return {seconds - seconds_from_1601, std::uint32_t(rest * nanoseconds_per_tick)};
}

// What marks a folder as read-only makes Windows look for its icon, and keeps nobody from writing.
std::uint32_t mode_of(const File& file) {
  if (file.kind == FileKind::symlink) return 0777;
  if (header_of(*file.inode).flags & record_is_directory) return 0755;
  return flags_of(*file.inode) & file_is_read_only ? 0444 : 0644;
}

// What a file has beside its name for Windows to be called by DOS is no link of its own.
std::optional<std::uint64_t> links_of(const File& file) {
  if (header_of(*file.inode).links <= 1) return 1;
  std::uint64_t links = 0;
  const bool is_sound = each_attribute(file.inode.get(), AT_FILE_NAME, [&](const AttributePlace& place) {
    const auto attribute = part_of<ResidentAttribute>(place.bytes);
    const auto name = attribute ? part_of<FileName>(place.bytes, attribute->value_offset) : std::nullopt;
    if (name && name->type != name_for_dos) ++links;
  });
  if (!is_sound) return std::nullopt;
  return std::max<std::uint64_t>(links, 1);
}

std::uint64_t allocated_bytes(File& file) {
  if (file.kind == FileKind::directory) {
    const AttributeHandle index(ntfs_attr_open(file.inode.get(), AT_INDEX_ALLOCATION, NTFS_INDEX_I30, 4));
    return index ? std::uint64_t(std::max<s64>(index->allocated_size, 0)) : 0;
  }
  const ntfs_attr* data = data_of(file);
  if (!data || !NAttrNonResident(data)) return 0;
  return std::uint64_t(std::max<s64>(file.inode->allocated_size, 0));
}

// Its name, and its size where this is where it begins.
std::optional<Stream> stream_in(std::span<const std::byte> bytes) {
  const auto header = part_of<AttributeHeader>(bytes);
  if (!header || header->name_length == 0) return std::nullopt;
  Name name(header->name_length);
  const std::size_t length = name.size() * sizeof(Name::value_type), offset = header->name_offset;
  if (offset > bytes.size() || length > bytes.size() - offset) return std::nullopt;
  std::memcpy(name.data(), bytes.data() + offset, length);
  auto text = to_utf8(name);
  if (!text) return std::nullopt;
  if (const auto resident = header->non_resident ? std::nullopt : part_of<ResidentAttribute>(bytes))
    return Stream{std::move(*text), resident->value_length};
  const auto runs = header->non_resident ? part_of<NonResidentAttribute>(bytes) : std::nullopt;
  if (!runs || runs->first_cluster != 0) return std::nullopt;
  return Stream{std::move(*text), runs->bytes};
}

}  // namespace

std::shared_ptr<File> open_file(ntfs_volume* volume, std::uint64_t record) {
  auto file = std::make_shared<File>();
  file->inode.reset(ntfs_inode_open(volume, record));
  if (!file->inode) return nullptr;
  const RecordHeader header = header_of(*file->inode);
  file->node = {0, record, header.sequence};
  file->is_reparse_point = flags_of(*file->inode) & file_is_reparse_point;
  if (file->is_reparse_point) file->point = read_reparse_point(file->inode.get());
  file->kind = kind_of(*file, header.flags & record_is_directory);
  return file;
}

std::uint64_t continued_bytes(const File& file) {
  return std::uint64_t(std::max(file.inode->nr_extents, 0)) * file.inode->vol->mft_record_size;
}

// Asked for a file's own data, libntfs-3g opens those of a stream where there are no other.
ntfs_attr* data_of(File& file, std::string_view stream) {
  OpenData& open = stream.empty() ? file.data : file.stream;
  if (open.attribute && open.stream == stream) return open.attribute.get();
  auto name = to_utf16(stream);
  if (!stream.empty() && !name) {
    errno = ENOENT;
    return nullptr;
  }
  ntfschar* const text = name ? name->data() : AT_UNNAMED;
  const auto length = std::uint32_t(name ? name->size() : 0);
  open.attribute.reset(ntfs_attr_open(file.inode.get(), AT_DATA, text, length));
  if (open.attribute && open.attribute->name_len != length) {
    open.attribute.reset();
    errno = ENOENT;
  }
  open.stream = stream;
  return open.attribute.get();
}

std::optional<Stat> stat_of(File& file) {
  const ntfs_inode& inode = *file.inode;
  const auto links = links_of(file);
  if (!links) return std::nullopt;
  Stat stat;
  stat.node = file.node;
  stat.kind = file.kind;
  stat.mode = mode_of(file);
  stat.links = *links;
  if (file.kind == FileKind::regular) stat.size_bytes = std::uint64_t(std::max<s64>(inode.data_size, 0));
  if (file.kind == FileKind::symlink) stat.size_bytes = file.point.target.size();
  stat.allocated_bytes = allocated_bytes(file);
  stat.times.modified = time_of(inode.last_data_change_time);
  stat.times.changed = time_of(inode.last_mft_change_time);
  stat.times.accessed = time_of(inode.last_access_time);
  stat.times.created = time_of(inode.creation_time);
  return stat;
}

std::optional<std::vector<Stream>> streams_of(const File& file) {
  std::map<std::string, std::uint64_t> by_name;
  const bool is_sound = each_attribute(file.inode.get(), AT_DATA, [&](const AttributePlace& place) {
    if (auto stream = stream_in(place.bytes)) by_name.emplace(std::move(stream->name), stream->size_bytes);
  });
  if (!is_sound) return std::nullopt;
  std::vector<Stream> streams;
  for (const auto& [name, size] : by_name) streams.push_back({name, size});
  return streams;
}

}  // namespace hrvm::fs::ntfs
