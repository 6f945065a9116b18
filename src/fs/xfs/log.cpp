// The log (fs/xfs/libxfs/xfs_log_format.h) is a ring of sectors. Each bears in its first four bytes the number of the
// round in which it was written, so that the head is where the number falls; a record's first sector bears a magic
// there, and the number behind it.
#include "fs/xfs/log.hpp"

#include <algorithm>
#include <optional>

namespace hrvm::fs::xfs {
namespace {

constexpr std::uint64_t sector = 512;
constexpr std::uint32_t record_magic = 0xfeedbabe;
constexpr std::uint64_t longest_record = 1024;  // sectors: headers and 256 KiB, and as much to spare
constexpr std::uint8_t unmount_flag = 0x20;

struct RecordHeader {
  base::be32 magic, cycle, version, bytes;
  base::be64 place, tail;  // cycle and sector in the halves
  base::le32 crc;
  base::be32 previous, operations;
};
static_assert(sizeof(RecordHeader) == 44);

struct Operation {
  base::be32 transaction, bytes;
  std::uint8_t client, flags;
  base::be16 reserved;
};
static_assert(sizeof(Operation) == 12);

class Log {
 public:
  Log(block::BlockDevice& device, std::uint64_t offset, std::uint64_t sectors)
      : device_(device), offset_(offset), sectors_(sectors) {}

  bool is_clean() {
    const auto head = find_head();
    const auto record = last_record(head);
    if (!record) return false;
    const auto header = base::load<RecordHeader>(read(*record, 1));
    const auto version = std::uint32_t(header.version);
    // Version 2 has a header for each 32 KiB; an unmount record is smaller.
    if (header.operations != 1 || header.bytes > 32768 || (version != 1 && version != 2)) return false;
    const auto operation = base::load<Operation>(read((*record + 1) % sectors_, 1));
    return operation.flags & unmount_flag;
  }

 private:
  std::vector<std::byte> read(std::uint64_t first, std::uint64_t count) {
    return device_.read(offset_ + first * sector, std::size_t(count * sector));
  }

  static std::uint32_t cycle_in(std::span<const std::byte> bytes) {
    const std::uint32_t first = base::load<base::be32>(bytes);
    return first == record_magic ? std::uint32_t(base::load<base::be32>(bytes, 4)) : first;
  }
  std::uint32_t cycle(std::uint64_t at) { return cycle_in(read(at, 1)); }

  // The first sector of an older round than the log's first; 0 where the last round has just filled it.
  std::uint64_t find_head() {
    const auto newest = cycle(0);
    if (cycle(sectors_ - 1) == newest) return 0;
    std::uint64_t low = 0, high = sectors_ - 1;  // of the newest round, and not
    while (high - low > 1) {
      const auto middle = low + (high - low) / 2;
      (cycle(middle) == newest ? low : high) = middle;
    }
    return high;
  }

  std::optional<std::uint64_t> last_record(std::uint64_t head) {
    const auto count = std::min(longest_record, sectors_);
    for (std::uint64_t back = 1; back <= count; ++back) {
      const auto at = (head + sectors_ - back) % sectors_;
      if (base::load<base::be32>(read(at, 1)) == record_magic) return at;
    }
    return std::nullopt;
  }

  block::BlockDevice& device_;
  std::uint64_t offset_, sectors_;
};

}  // namespace

bool has_log_to_replay(Volume& volume) {
  const auto& super = volume.super();
  if (super.log_start == 0) return false;
  const auto offset = volume.offset_of(super.log_start);
  const auto bytes = super.log_blocks * volume.block_bytes();
  if (bytes < 4 * sector || offset + bytes > volume.device().size()) return true;
  return !Log(volume.device(), offset, bytes / sector).is_clean();
}

}  // namespace hrvm::fs::xfs
