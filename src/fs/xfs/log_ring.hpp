// The log is a ring of sectors. Each bears in its first four bytes the number of the round in which it was written, so
// that the head is where the number falls; a record's first sector bears a magic there, and the number behind it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "fs/xfs/log_format.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/block/block_device.hpp"

namespace hrvm::fs::xfs {

// A record's body, with the first words of its sectors as they were.
struct Record {
  RecordHeader header;
  std::vector<std::byte> body;
};

using RecordVisitor = std::function<void(const Record&)>;

class LogRing {
 public:
  // `sectors` is at least 8. The device must outlive it. With `must_sum` a record without a checksum is damaged.
  LogRing(block::BlockDevice& device, std::uint64_t offset, std::uint64_t sectors, bool must_sum)
      : device_(device), offset_(offset), sectors_(sectors), must_sum_(must_sum) {}

  // Whether the last record says that the filesystem was unmounted.
  bool is_clean();
  // The records that a mount would replay, the oldest first. What a crash left half written at the head is none of
  // them. Error{corrupt} where one is damaged.
  void visit(const RecordVisitor& visitor);

 private:
  struct Place {
    std::uint64_t at = 0;  // sector
    RecordHeader header;
    unsigned header_sectors = 1;
    std::uint64_t sectors() const { return header_sectors + (header.bytes + log_sector - 1) / log_sector; }
  };
  struct Range {
    std::uint64_t tail = 0, head = 0;
  };

  std::vector<std::byte> read(std::uint64_t first, std::uint64_t count);
  std::uint32_t cycle(std::uint64_t at);
  std::uint64_t newest_end();
  std::optional<std::uint64_t> first_hole(std::uint64_t begin, std::uint64_t end, std::uint32_t expected);
  std::uint64_t find_head();
  std::optional<Place> place_at(std::uint64_t at);
  std::optional<Place> last_before(std::uint64_t head);
  std::optional<Record> whole_record(const Place& place);
  bool has_sum(const RecordHeader& header, std::span<const std::byte> headers, std::span<const std::byte> body) const;
  const Range& range();
  Range find_range();
  base::Error damaged(std::string_view what, std::uint64_t at) const;

  block::BlockDevice& device_;
  std::uint64_t offset_, sectors_;
  bool must_sum_;
  std::optional<Range> range_;
};

}  // namespace hrvm::fs::xfs
