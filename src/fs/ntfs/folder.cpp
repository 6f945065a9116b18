#include "fs/ntfs/folder.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "fs/ntfs/format.hpp"
#include "fs/ntfs/name.hpp"
#include "hrvm/base/error.hpp"

#include "fs/ntfs/library.hpp"

namespace hrvm::fs::ntfs {
namespace {

constexpr std::size_t most_slots = 512;       // of the index, read at a time
constexpr std::uint64_t least_bitmap = 4096;  // bytes
// Where libntfs-3g counts from, behind "." and "..".
constexpr s64 first_position = 2;

Node node_of(MFT_REF reference) { return {0, MREF(reference), MSEQNO(reference)}; }

std::shared_ptr<File> open_folder(Volume& volume, Node node) {
  auto folder = volume.open(node);
  if (folder->kind != FileKind::directory) throw volume.not_there(node, "is no folder");
  return folder;
}

// nullopt where it is not there; throws where the folder is damaged.
std::optional<Node> look_up(Volume& volume, const File& folder, const Name& name) {
  const MFT_REF found = ntfs_inode_lookup_by_name(folder.inode.get(), name.data(), int(name.size()));
  if (found != MFT_REF(-1)) return node_of(found);
  if (errno == ENOENT) return std::nullopt;
  throw volume.cannot_read(folder.node, errno);
}

std::optional<Node> look_up_in_any_case(Volume& volume, const File& folder, const Name& name) {
  struct AnyCase {  // for looking up alone: libntfs-3g would list in lower case
    explicit AnyCase(ntfs_volume* which) : volume(which) { NVolClearCaseSensitive(volume); }
    ~AnyCase() { NVolSetCaseSensitive(volume); }
    AnyCase(const AnyCase&) = delete;
    AnyCase& operator=(const AnyCase&) = delete;
    ntfs_volume* volume;
  } any_case(volume.library());
  return look_up(volume, folder, name);
}

// Where libntfs-3g goes on in a folder: it counts bytes, first of the index's root and then of its blocks.
class Positions {
 public:
  Positions(Volume& volume, const File& folder) : blocks_(volume.library()->mft_record_size) {
    const AttributeHandle root = open(folder, AT_INDEX_ROOT), index = open(folder, AT_INDEX_ALLOCATION);
    IndexRoot read{};
    if (!root || ntfs_attr_pread(root.get(), 0, sizeof read, &read) != sizeof read)
      throw volume.cannot_read(folder.node, errno);
    step_ = std::max<s64>(read.block_bytes, NTFS_BLOCK_SIZE) * bits_per_byte;
    if (index) check(volume, folder, std::uint64_t(index->data_size));
  }

  // A position before this one, or this one, from which it goes on rightly: in its bitmap of the blocks that are in use
  // it begins with the first bit of a byte, whichever it asks for.
  s64 before(s64 position) const { return position - (position < blocks_ ? 0 : (position - blocks_) % step_); }

 private:
  static constexpr s64 bits_per_byte = 8;

  static AttributeHandle open(const File& folder, ATTR_TYPES type) {
    return AttributeHandle(ntfs_attr_open(folder.inode.get(), type, NTFS_INDEX_I30, 4));
  }

  // It walks through all of the bitmap, also where that is a hole.
  void check(Volume& volume, const File& folder, std::uint64_t index_bytes) const {
    const AttributeHandle bitmap = open(folder, AT_BITMAP);
    const std::uint64_t most = least_bitmap + index_bytes / std::uint64_t(step_);
    if (index_bytes > volume.device().size() || (bitmap && std::uint64_t(bitmap->data_size) > most))
      throw volume.cannot_read(folder.node, EIO);
  }

  s64 blocks_, step_ = 0;
};

struct Slot {
  std::string name;
  Node node;
  unsigned told = NTFS_DT_UNKNOWN;
};

// Some slots from a position on, as libntfs-3g gives them.
struct Batch {
  s64 from = 0;
  std::vector<Slot> slots;
  std::size_t seen = 0;
  bool is_full = false;

  static int add(void* data, const ntfschar* text, int length, int type, s64 position, MFT_REF reference,
                 unsigned told) {
    auto& batch = *static_cast<Batch*>(data);
    if (position < batch.from) return 0;
    batch.is_full = batch.seen++ == most_slots;
    if (batch.is_full) return -1;  // it is given again
    if (type == FILE_NAME_DOS || MREF(reference) < first_user_record) return 0;
    auto name = to_utf8({text, std::size_t(length)});
    if (name && is_plain(*name)) batch.slots.push_back({std::move(*name), node_of(reference), told});
    return 0;
  }
};

FileKind kind_of(Volume& volume, const Slot& slot) {
  if (slot.told == NTFS_DT_DIR) return FileKind::directory;
  if (slot.told == NTFS_DT_REG) return FileKind::regular;
  try {
    return volume.open(slot.node)->kind;
  } catch (const base::Error& error) {
    if (error.kind() != base::ErrorKind::not_found && error.kind() != base::ErrorKind::corrupt) throw;
    return FileKind::other;
  }
}

bool give(Volume& volume, const Batch& batch, const EntryVisitor& visitor) {
  return std::ranges::all_of(batch.slots, [&](const Slot& slot) {
    return visitor({slot.name, slot.node, kind_of(volume, slot)});
  });
}

}  // namespace

std::optional<Node> find_in_folder(Volume& volume, Node node, std::string_view name) {
  const auto folder = open_folder(volume, node);
  const auto wanted = is_plain(name) ? to_utf16(name) : std::nullopt;
  if (!wanted) return std::nullopt;
  auto found = look_up(volume, *folder, *wanted);
  if (!found) found = look_up_in_any_case(volume, *folder, *wanted);
  return found;
}

// The visitor is called from here and not from within libntfs-3g, so that it may throw, and read other files.
void visit_folder(Volume& volume, Node node, const EntryVisitor& visitor) {
  const Positions positions(volume, *open_folder(volume, node));
  for (s64 position = first_position;;) {
    const auto folder = open_folder(volume, node);
    Batch batch{position, {}};
    position = positions.before(position);
    const int result = ntfs_readdir(folder->inode.get(), &position, &batch, Batch::add);
    const int cause = errno;
    const bool is_end = result == 0, goes_on = batch.is_full && position > batch.from;
    std::optional<base::Error> error;
    if (!is_end && !goes_on) error = volume.cannot_read(node, batch.is_full ? EIO : cause);
    if (!give(volume, batch, visitor)) return;
    if (error) throw *error;
    if (is_end) return;
  }
}

}  // namespace hrvm::fs::ntfs
