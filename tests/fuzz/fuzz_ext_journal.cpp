// A device that is a journal and little else. The first bytes choose features, where the log starts, and how the
// journal lies in pieces; the others are its blocks. Checksums are made right where the first byte says so, so that
// what is behind them is reached.
#include <cstdint>
#include <cstring>
#include <vector>

#include "fs/crc32c.hpp"
#include "fs/jbd2/format.hpp"
#include "fs/jbd2/journal.hpp"
#include "hrvm/base/endian.hpp"
#include "hrvm/block/devices.hpp"

using namespace hrvm;
using namespace hrvm::fs::jbd2;

namespace {

constexpr std::uint32_t block_bytes = 1024, filesystem_blocks = 32, most_blocks = 64;
constexpr std::uint32_t sequence = 7;

struct Choice {
  std::uint8_t incompatible, compatible, start, flags;
};
enum : std::uint8_t { right_checksums = 1, right_headers = 2, two_pieces = 4 };

class Device {
 public:
  Device(Choice choice, std::span<const std::byte> blocks)
      : choice_(choice), bytes_((filesystem_blocks + most_blocks) * block_bytes) {
    std::memcpy(journal().data() + block_bytes, blocks.data(), std::min(blocks.size(), journal().size() - block_bytes));
    for (std::uint32_t number = 1; number < most_blocks; ++number) set_right(block(number));
    put_super();
  }

  std::vector<std::byte> take() { return std::move(bytes_); }

 private:
  std::span<std::byte> journal() { return std::span(bytes_).subspan(filesystem_blocks * block_bytes); }
  std::span<std::byte> block(std::uint32_t number) { return journal().subspan(number * block_bytes, block_bytes); }
  std::uint32_t seed() const { return fs::crc32c(~0u, std::vector<std::byte>(16)); }

  void seal(std::span<std::byte> bytes, std::size_t offset, std::uint32_t from) {
    base::store(bytes, offset, base::be32(0));
    base::store(bytes, offset, base::be32(fs::crc32c(from, bytes)));
  }

  // Blocks of which the first byte is small are of that type of the journal's own.
  void set_right(std::span<std::byte> bytes) {
    const auto type = std::uint8_t(bytes[0]);
    if (!(choice_.flags & right_headers) || type > 5) return;
    const auto skipped = std::uint8_t(bytes[1]) % 4;
    base::store(bytes, 0, JournalHeader{journal_magic, std::uint32_t(type), sequence + skipped});
    if (!(choice_.flags & right_checksums)) return;
    const bool is_commit = type == journal_commit;
    seal(bytes, is_commit ? offsetof(CommitHeader, checksum) : block_bytes - sizeof(BlockTail), seed());
  }

  void put_super() {
    JournalSuper super;
    super.header = {journal_magic, std::uint32_t(journal_super_2), 0};
    super.block_bytes = block_bytes;
    super.blocks = most_blocks;
    super.first = 1;
    super.sequence = sequence;
    super.start = choice_.start;
    super.compatible = choice_.compatible;
    super.incompatible = choice_.incompatible;
    super.checksum_type = journal_crc32c;
    base::store(block(0), 0, super);
    seal(block(0), offsetof(JournalSuper, checksum), ~0u);
  }

  Choice choice_;
  std::vector<std::byte> bytes_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto input = std::as_bytes(std::span(data, size));
  if (input.size() < sizeof(Choice)) return 0;
  const auto choice = base::load<Choice>(input);
  const auto device = block::memory_device(Device(choice, input.subspan(sizeof(Choice))).take(), "fuzz");
  JournalPlace place{block_bytes, filesystem_blocks + most_blocks, {{filesystem_blocks, most_blocks}}};
  if (choice.flags & two_pieces)
    place.extents = {{filesystem_blocks, most_blocks / 2}, {filesystem_blocks + most_blocks / 2, most_blocks / 2}};
  Replay replay = replay_journal(*device, place);
  if (replay.newer.moved.size() > most_blocks) __builtin_trap();
  block::BlockOverlay view(*device, block_bytes, std::move(replay.newer));
  std::vector<std::byte> whole(std::size_t(view.size()));
  view.read(0, std::span(whole));
  for (std::uint64_t at = 0; at < view.size();) at += view.stored_at(at, view.size()).extent.length;
  return 0;
}
