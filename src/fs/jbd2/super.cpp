#include "fs/jbd2/super.hpp"

#include <fmt/core.h>

#include "fs/crc32c.hpp"
#include "hrvm/base/error.hpp"

namespace hrvm::fs::jbd2 {
namespace {

using base::Error, base::ErrorKind;

Error refused(std::string why) { return Error(ErrorKind::corrupt, "the superblock of the journal " + std::move(why)); }

void check_size(const JournalSuper& super, const JournalBlocks& blocks) {
  if (super.header.magic != journal_magic) throw refused("has no magic");
  if (super.header.type != journal_super_1 && super.header.type != journal_super_2) throw refused("is of another kind");
  if (super.block_bytes != blocks.block_bytes()) throw refused("tells other blocks than the filesystem's");
  if (super.blocks > blocks.count())
    throw refused(fmt::format("claims {} blocks of {}", std::uint32_t(super.blocks), blocks.count()));
  if (super.first == 0 || super.first >= super.blocks) throw refused("tells a log that starts behind its end");
  if (super.start >= super.blocks) throw refused("tells a transaction behind the log's end");
}

bool is_intact(JournalSuper super) {
  const std::uint32_t told = std::exchange(super.checksum, 0);
  return crc32c(~0u, std::as_bytes(std::span(&super, 1))) == told;
}

void check_features(const JournalSuper& super) {
  const std::uint32_t incompatible = super.incompatible;
  if ((incompatible & ~journal_known_incompatible) || super.read_only_compatible != 0)
    throw Error(ErrorKind::unsupported, "the journal has features that are not known");
  const bool has_2 = incompatible & journal_checksum_2, has_3 = incompatible & journal_checksum_3;
  if (!has_2 && !has_3) return;
  if ((has_2 && has_3) || super.compatible & compatible_checksum) throw refused("tells two kinds of checksums");
  if (super.checksum_type != journal_crc32c) throw refused("tells checksums of an unknown kind");
  if (!is_intact(super)) throw refused("does not match its checksum");
}

void add_features(JournalLayout& layout, const JournalSuper& super) {
  const std::uint32_t incompatible = super.incompatible;
  layout.has_64_bit = incompatible & journal_64_bit;
  layout.has_async_commit = incompatible & journal_async_commit;
  layout.has_transaction_checksum = super.compatible & compatible_checksum;
  layout.has_checksum_2 = incompatible & journal_checksum_2;
  layout.has_checksum_3 = incompatible & journal_checksum_3;
  layout.checksum_seed = crc32c(~0u, super.uuid);
}

// The block between the ring and the fast commits belongs to neither.
void add_fast_commits(JournalLayout& layout, const JournalSuper& super) {
  if (!(super.incompatible & journal_fast_commit)) return;
  const std::uint32_t told = super.fast_commit_blocks, blocks = told == 0 ? default_fast_commit_blocks : told;
  if (blocks > layout.end || layout.end - blocks < fewest_log_blocks) throw refused("leaves no room for the log");
  layout.fast_end = layout.end;
  layout.end -= blocks;
  layout.fast_first = layout.end + 1;
  if (layout.first >= layout.end || layout.start >= layout.end) throw refused("tells a log that starts behind its end");
}

}  // namespace

std::size_t JournalLayout::tag_bytes() const {
  if (has_checksum_3) return sizeof(Tag3);
  const std::size_t unused = has_checksum_2 ? 2 : 0;
  return unused + (has_64_bit ? sizeof(Tag) : offsetof(Tag, block_high));
}

JournalLayout read_journal_layout(JournalBlocks& blocks) {
  const auto super = base::load<JournalSuper>(blocks.read(0));
  check_size(super, blocks);
  JournalLayout layout{super.first, super.blocks, super.start, super.sequence};
  if (super.header.type == journal_super_1) return layout;
  check_features(super);
  add_features(layout, super);
  add_fast_commits(layout, super);
  return layout;
}

}  // namespace hrvm::fs::jbd2
