#include "fs/jbd2/fast_commit.hpp"

#include "fs/crc32c.hpp"
#include "hrvm/base/error.hpp"

namespace hrvm::fs::jbd2 {
namespace {

enum class Verdict { go_on, end };

constexpr std::uint16_t any_length = 0xffff;
constexpr std::uint16_t most_name_bytes = 255;

// Records go on over blocks; each block begins with a new one. They count up to the last tail that is sound.
class FastScan {
 public:
  explicit FastScan(std::uint32_t sequence) : sequence_(sequence) {}

  std::vector<std::byte> take() {
    records_.resize(sound_bytes_);
    return std::move(records_);
  }

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
  static bool is_known(const FastCommitRecord& record) {
    struct Length {
      std::uint16_t least, most;
    };
    constexpr std::uint16_t name = sizeof(FastCommitName);
    static constexpr Length of_name = {name + 1, name + most_name_bytes};
    static constexpr std::array<Length, 10> lengths = {{{any_length, 0},
                                                        {sizeof(FastCommitAddRange), sizeof(FastCommitAddRange)},
                                                        {sizeof(FastCommitDelRange), sizeof(FastCommitDelRange)},
                                                        of_name,
                                                        of_name,
                                                        of_name,
                                                        {sizeof(FastCommitInode) + fewest_inode_bytes, any_length},
                                                        {0, any_length},
                                                        {sizeof(FastCommitTail), any_length},
                                                        {sizeof(FastCommitHead), sizeof(FastCommitHead)}}};
    if (record.type >= lengths.size()) return false;
    const Length& length = lengths[record.type];
    return record.bytes >= length.least && record.bytes <= length.most;
  }

  Verdict on_record(std::uint16_t type, std::span<const std::byte> bytes) {
    if (type == fast_head) return on_head(bytes);
    if (type == fast_tail) return on_tail(bytes);
    crc_ = crc32c(crc_, bytes);
    if (type != fast_padding) keep(bytes);
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
    sound_bytes_ = records_.size();
    return Verdict::go_on;
  }

  void keep(std::span<const std::byte> record) {
    if (record.size() > most_fast_commit_bytes - records_.size())
      throw base::Error(base::ErrorKind::unsupported, "the journal has too many fast commits");
    records_.insert(records_.end(), record.begin(), record.end());
  }

  // Behind one that is sound it is what an older round left.
  Verdict damaged() const {
    if (!has_any_) throw base::Error(base::ErrorKind::corrupt, "the journal's fast commits are damaged");
    return Verdict::end;
  }

  std::uint32_t sequence_, crc_ = 0;
  bool has_any_ = false;
  std::vector<std::byte> records_;
  std::size_t sound_bytes_ = 0;  // of them, up to the last tail
};

}  // namespace

std::vector<std::byte> read_fast_commits(JournalBlocks& blocks, const JournalLayout& layout, std::uint32_t sequence) {
  FastScan scan(sequence);
  for (std::uint32_t at = layout.fast_first; at < layout.fast_end; ++at) {
    const auto bytes = blocks.read(at);
    if (at == layout.fast_first && base::load<FastCommitRecord>(bytes).type != fast_head) return {};
    if (scan.on_block(bytes) == Verdict::end) return scan.take();
  }
  if (layout.fast_first == layout.fast_end) return {};
  // Linux looks for the end of those that fill their area behind it, and then refuses the journal.
  throw base::Error(base::ErrorKind::corrupt, "the journal's fast commits have no end");
}

}  // namespace hrvm::fs::jbd2
