#include "fs/jbd2/log.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "fs/crc32c.hpp"
#include "fs/jbd2/crc32_be.hpp"
#include "hrvm/base/error.hpp"

namespace hrvm::fs::jbd2 {
namespace {

using base::Error, base::ErrorKind;

// The CRC of a block as if the four bytes at `hole` were zeros.
std::uint32_t crc_without(std::uint32_t seed, std::span<const std::byte> block, std::size_t hole) {
  constexpr std::array<std::byte, sizeof(base::be32)> zeros{};
  const std::uint32_t crc = crc32c(crc32c(seed, block.first(hole)), zeros);
  return crc32c(crc, block.subspan(hole + zeros.size()));
}

class Scan {
 public:
  Scan(JournalBlocks& blocks, const JournalLayout& layout)
      : blocks_(blocks), layout_(layout), next_(layout.start), sequence_(layout.sequence) {}

  LogContents run() {
    while (go_on()) {
    }
    found_.end = end_.value_or(sequence_);
    const auto is_not_whole = [&](const auto& each) { return !is_before(each.sequence, found_.end); };
    std::erase_if(found_.blocks, is_not_whole);
    std::erase_if(found_.revokes, is_not_whole);
    return std::move(found_);
  }

 private:
  std::uint32_t take() {
    ++taken_;
    return std::exchange(next_, layout_.after(next_));
  }

  // False at the log's end. A transaction that fills the ring and has no commit yet can have none.
  bool go_on() {
    if (taken_ > layout_.ring_blocks()) return false;
    const std::uint32_t at = take();
    const auto bytes = blocks_.read(at);
    const auto header = base::load<JournalHeader>(bytes);
    if (header.magic != journal_magic || header.sequence != sequence_) return false;
    switch (header.type) {
      case journal_descriptor:
        return on_descriptor(bytes);
      case journal_commit:
        return on_commit(bytes);
      case journal_revoke:
        doubts_ = doubts_ || !has_sound_tail(bytes);
        found_.revokes.push_back({at, sequence_});
        return true;
      default:
        return false;
    }
  }

  // What a checksum that does not match means is only known at the transaction's commit: a block of an older round
  // of the log is its end, one of this round is damage.
  bool on_descriptor(std::span<const std::byte> bytes) {
    doubts_ = doubts_ || !has_sound_tail(bytes);
    const bool sums = layout_.has_transaction_checksum && !end_;
    if (sums) transaction_crc_ = crc32_be(transaction_crc_, bytes);
    const std::size_t first = found_.blocks.size();
    add_tags(bytes);
    if (sums) add_to_crc(std::span(found_.blocks).subspan(first));
    return true;
  }

  void add_tags(std::span<const std::byte> bytes) {
    const std::size_t end = bytes.size() - layout_.tail_bytes(), tag_bytes = layout_.tag_bytes();
    std::uint16_t flags = 0;
    for (std::size_t at = sizeof(JournalHeader); at + tag_bytes <= end && !(flags & tag_last);) {
      flags = add_tag(bytes.subspan(at, tag_bytes));
      at += tag_bytes + (flags & tag_same_uuid ? 0 : tag_uuid_bytes);
    }
  }

  // Its flags.
  std::uint16_t add_tag(std::span<const std::byte> bytes) {
    Tag tag;
    std::memcpy(&tag, bytes.data(), std::min(sizeof tag, bytes.size()));
    LoggedBlock logged{tag.block, take(), sequence_, tag.checksum, bool(tag.flags & tag_escaped)};
    if (layout_.has_64_bit) logged.block |= std::uint64_t(tag.block_high) << 32;
    if (layout_.has_checksum_3) logged.checksum = base::load<Tag3>(bytes).checksum;
    found_.blocks.push_back(logged);
    return tag.flags;
  }

  void add_to_crc(std::span<const LoggedBlock> logged) {
    for (const LoggedBlock& each : logged) transaction_crc_ = crc32_be(transaction_crc_, blocks_.read(each.log_block));
  }

  bool on_commit(std::span<const std::byte> bytes) {
    const auto commit = base::load<CommitHeader>(bytes);
    if (doubts_) {
      if (commit.seconds < last_commit_) return false;
      throw Error(ErrorKind::corrupt, "the journal is damaged within its log");
    }
    if (layout_.has_transaction_checksum && end_) return true;
    if (!is_sound(commit, bytes)) {
      if (commit.seconds < last_commit_) return false;
      // With asynchronous commits the next may have come before this one was on the disk. Without them this is damage:
      // Linux writes back the transactions before it, and then refuses the mount.
      if (!layout_.has_async_commit)
        throw Error(ErrorKind::corrupt, fmt::format("the journal's transaction {} is damaged", sequence_));
      end_ = sequence_;
    }
    transaction_crc_ = ~0u;
    last_commit_ = commit.seconds;
    ++sequence_;
    return true;
  }

  bool is_sound(const CommitHeader& commit, std::span<const std::byte> bytes) const {
    const std::uint32_t told = commit.checksum[0];
    if (layout_.has_transaction_checksum) {
      const bool is_unused = commit.checksum_type == 0 && commit.checksum_bytes == 0 && told == 0;
      return is_unused || (commit.checksum_type == journal_crc32 && commit.checksum_bytes == sizeof(base::be32) &&
                           told == transaction_crc_);
    }
    if (!layout_.has_block_checksums()) return true;
    constexpr std::size_t hole = offsetof(CommitHeader, checksum);
    return crc_without(layout_.checksum_seed, bytes, hole) == told || is_sound_alone(commit, bytes.size());
  }

  // A commit of which only the first sector was written: what is behind it should be zeros.
  bool is_sound_alone(const CommitHeader& commit, std::size_t block_bytes) const {
    std::vector<std::byte> whole(block_bytes);
    base::store(whole, 0, commit);
    return crc_without(layout_.checksum_seed, whole, offsetof(CommitHeader, checksum)) == commit.checksum[0];
  }

  bool has_sound_tail(std::span<const std::byte> bytes) const {
    if (!layout_.has_block_checksums()) return true;
    const std::size_t tail = bytes.size() - sizeof(BlockTail);
    return crc_without(layout_.checksum_seed, bytes, tail) == base::load<BlockTail>(bytes, tail).checksum;
  }

  JournalBlocks& blocks_;
  const JournalLayout& layout_;
  LogContents found_;
  std::uint32_t next_, sequence_, taken_ = 0;
  std::optional<std::uint32_t> end_;  // where it is known before the log's
  bool doubts_ = false;               // a checksum did not match
  std::uint32_t transaction_crc_ = ~0u;
  std::uint64_t last_commit_ = 0;  // seconds
};

}  // namespace

LogContents scan_log(JournalBlocks& blocks, const JournalLayout& layout) { return Scan(blocks, layout).run(); }

}  // namespace hrvm::fs::jbd2
