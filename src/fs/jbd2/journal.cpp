#include "fs/jbd2/journal.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <unordered_map>

#include "fs/crc32c.hpp"
#include "fs/jbd2/fast_commit.hpp"
#include "fs/jbd2/log.hpp"
#include "hrvm/base/error.hpp"

namespace hrvm::fs::jbd2 {
namespace {

using base::Error, base::ErrorKind;

// By block, the last transaction up to which its copies in the log must not be written back: the block was freed, and
// may be a file's data since.
using Revoked = std::unordered_map<std::uint64_t, std::uint32_t>;

class Replaying {
 public:
  Replaying(block::BlockDevice& device, const JournalPlace& place)
      : place_(place), device_blocks_(device.size() / place.block_bytes), blocks_(device, place) {}

  Replay run() {
    layout_ = read_journal_layout(blocks_);
    if (layout_.start == 0) return {};
    const LogContents log = scan_log(blocks_, layout_);
    for (const RevokeBlock& each : log.revokes) add_revokes(each);
    Replay replay{JournalState::replayed};
    for (const LoggedBlock& each : log.blocks) add(replay.newer, each);
    replay.fast_commits = read_fast_commits(blocks_, layout_, log.end);
    return replay;
  }

 private:
  void add_revokes(const RevokeBlock& revoke) {
    const auto bytes = blocks_.read(revoke.log_block);
    const std::size_t used = base::load<RevokeHeader>(bytes).bytes;
    if (used > bytes.size() - layout_.tail_bytes())
      throw Error(ErrorKind::corrupt, "the journal revokes more than a block can hold");
    const std::size_t length = layout_.has_64_bit ? sizeof(base::be64) : sizeof(base::be32);
    for (std::size_t at = sizeof(RevokeHeader); at + length <= used; at += length) {
      const auto block = layout_.has_64_bit ? std::uint64_t(base::load<base::be64>(bytes, at))
                                            : std::uint64_t(base::load<base::be32>(bytes, at));
      const auto [known, is_new] = revoked_.emplace(block, revoke.sequence);
      if (!is_new && is_before(known->second, revoke.sequence)) known->second = revoke.sequence;
    }
  }

  bool is_revoked(const LoggedBlock& logged) const {
    const auto found = revoked_.find(logged.block);
    return found != revoked_.end() && !is_before(found->second, logged.sequence);
  }

  void add(block::NewerBlocks& newer, const LoggedBlock& logged) {
    if (is_revoked(logged)) return;
    check(logged);
    // A device that was cut off has no place for it.
    if (logged.block >= device_blocks_) return;
    newer.moved.push_back({logged.block, blocks_.place_of(logged.log_block)});
    newer.heads.erase(logged.block);
    if (logged.is_escaped) newer.heads[logged.block] = escaped_head();
  }

  static std::vector<std::byte> escaped_head() {
    std::vector<std::byte> head(sizeof(base::be32));
    base::store(head, 0, base::be32(journal_magic));
    return head;
  }

  void check(const LoggedBlock& logged) {
    if (logged.block >= place_.filesystem_blocks)
      throw Error(ErrorKind::corrupt, fmt::format("the journal writes block {}, beyond the filesystem", logged.block));
    if (!layout_.has_block_checksums()) return;
    std::array<std::byte, sizeof(base::be32)> sequence;
    base::store(sequence, 0, base::be32(logged.sequence));
    const std::uint32_t crc = crc32c(crc32c(layout_.checksum_seed, sequence), blocks_.read(logged.log_block));
    if ((layout_.has_checksum_3 ? crc : crc & 0xffff) != logged.checksum)
      throw Error(ErrorKind::corrupt, fmt::format("the journal's copy of block {} is damaged", logged.block));
  }

  const JournalPlace& place_;
  std::uint64_t device_blocks_;
  JournalBlocks blocks_;
  JournalLayout layout_;
  Revoked revoked_;
};

}  // namespace

Replay replay_journal(block::BlockDevice& device, const JournalPlace& place) {
  try {
    return Replaying(device, place).run();
  } catch (const Error& error) {
    return {JournalState::ignored, error.message()};
  }
}

}  // namespace hrvm::fs::jbd2
