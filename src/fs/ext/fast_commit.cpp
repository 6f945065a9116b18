#include "fs/ext/fast_commit.hpp"

#include "fs/crc32c.hpp"
#include "hrvm/base/error.hpp"

namespace hrvm::fs::ext {
namespace {

enum class Verdict { go_on, end };

// Records go on over blocks; each block begins with a new one. They count up to the last tail that is sound.
class FastScan {
 public:
  explicit FastScan(std::uint32_t sequence) : sequence_(sequence) {}

  bool has_any() const { return has_any_; }

  Verdict on_block(std::span<const std::byte> bytes) {
    while (bytes.size() >= sizeof(FastCommitRecord)) {
      const auto record = base::load<FastCommitRecord>(bytes);
      const std::size_t length = sizeof record + record.bytes;
      if (length > bytes.size() || !is_known(record)) return damaged();
      if (on_record(record.type, bytes.first(length)) == Verdict::end) return Verdict::end;
      bytes = bytes.subspan(length);
    }
    return Verdict::go_on;
  }

 private:
  // The shortest of each type, and whether it may be longer.
  static bool is_known(const FastCommitRecord& record) {
    struct Length {
      std::uint16_t least;
      bool is_exact;
    };
    static constexpr std::array<Length, 10> lengths = {{{0xffff, true},
                                                        {16, true},
                                                        {12, true},
                                                        {9, false},
                                                        {9, false},
                                                        {9, false},
                                                        {132, false},
                                                        {0, false},
                                                        {sizeof(FastCommitTail), false},
                                                        {sizeof(FastCommitHead), true}}};
    if (record.type >= lengths.size()) return false;
    const Length& length = lengths[record.type];
    return length.is_exact ? record.bytes == length.least : record.bytes >= length.least;
  }

  Verdict on_record(std::uint16_t type, std::span<const std::byte> bytes) {
    if (type == fast_head) return on_head(bytes);
    if (type == fast_tail) return on_tail(bytes);
    crc_ = crc32c(crc_, bytes);
    return Verdict::go_on;
  }

  Verdict on_head(std::span<const std::byte> bytes) {
    const auto head = base::load<FastCommitHead>(bytes, sizeof(FastCommitRecord));
    if (head.features != 0)
      throw base::Error(base::ErrorKind::unsupported, "the journal's fast commits have features that are not known");
    if (head.sequence != sequence_) return Verdict::end;
    crc_ = crc32c(crc_, bytes);
    return Verdict::go_on;
  }

  Verdict on_tail(std::span<const std::byte> bytes) {
    const auto tail = base::load<FastCommitTail>(bytes, sizeof(FastCommitRecord));
    const auto crc = crc32c(std::exchange(crc_, 0), bytes.first(sizeof(FastCommitRecord) + sizeof tail.sequence));
    if (tail.sequence != sequence_ || tail.checksum != crc) return damaged();
    has_any_ = true;
    return Verdict::go_on;
  }

  // Behind one that is sound it is what an older round left.
  Verdict damaged() const {
    if (!has_any_) throw base::Error(base::ErrorKind::corrupt, "the journal's fast commits are damaged");
    return Verdict::end;
  }

  std::uint32_t sequence_, crc_ = 0;
  bool has_any_ = false;
};

}  // namespace

bool has_fast_commits(JournalBlocks& blocks, const JournalLayout& layout, std::uint32_t sequence) {
  FastScan scan(sequence);
  for (std::uint32_t at = layout.fast_first; at < layout.fast_end; ++at) {
    const auto bytes = blocks.read(at);
    if (at == layout.fast_first && base::load<FastCommitRecord>(bytes).type != fast_head) return false;
    if (scan.on_block(bytes) == Verdict::end) break;
  }
  return scan.has_any();
}

}  // namespace hrvm::fs::ext
