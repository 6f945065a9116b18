// An ext4 that the kernel left with fast commits, whose records are the fuzzer's: a byte for the type, one for the
// length of what is variable in it, then its fields. Lengths and checksums are made right, so that each record is
// carried out.
#include <algorithm>
#include <array>

#include "fuzz/file_system_walk.hpp"
#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/endian.hpp"
#include "hrvm/sys/files.hpp"
#include "support/fast_commits.hpp"
#include "support/few_blocks.hpp"

using namespace hrvm;
using fs::test::FewBlocks, fs::test::packed_block_bytes, hrvm::test::FastCommits;

namespace {

constexpr std::uint64_t disk_bytes = 2560 * base::KiB;
constexpr std::size_t block_bytes = 1024;
constexpr std::uint64_t area = 1'076'224, area_blocks = 60;  // where the fast commits lie
constexpr std::uint32_t sequence = 3;

FewBlocks left_by_the_kernel() {
  const auto packed = sys::read_file(HRVM_SOURCE_DIR "/tests/corpus/ext_disks/fast-commits.packed", base::MiB);
  return {std::as_bytes(std::span(packed)), disk_bytes};
}

class Input {
 public:
  explicit Input(std::span<const std::byte> bytes) : left_(bytes) {}
  bool is_empty() const { return left_.empty(); }
  std::uint8_t byte() { return left_.empty() ? 0 : std::to_integer<std::uint8_t>(take(1)[0]); }
  // Of few bits mostly: what the filesystem has, more often than what it has not.
  std::uint32_t word() {
    const auto kind = byte();
    return kind & 0x80 ? byte() | byte() << 8 | byte() << 16 | std::uint32_t(byte()) << 24 : kind;
  }
  std::span<const std::byte> take(std::size_t bytes) {
    const auto taken = left_.first(std::min(bytes, left_.size()));
    left_ = left_.subspan(taken.size());
    return taken;
  }

 private:
  std::span<const std::byte> left_;
};

void add_inode(FastCommits& commits, Input& input) {
  std::array<std::byte, 160> raw = {};
  const auto number = input.word();
  std::ranges::copy(input.take(raw.size()), raw.begin());
  commits.inode(number, std::span(raw).first(128 + input.byte() % 33));
}

void add_record(FastCommits& commits, Input& input) {
  const auto type = input.byte() % 6;
  if (type == 5) return add_inode(commits, input);
  const auto inode = input.word(), first = input.word(), second = input.word();
  if (type == 0) return void(commits.add_range(inode, first, second, input.word()));
  if (type == 1) return void(commits.del_range(inode, first, second));
  const auto bytes = input.take(1 + second % 16);
  const std::string_view name(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (name.empty()) return;
  if (type == 2) commits.create(first, inode, name);
  if (type == 3) commits.link(first, inode, name);
  if (type == 4) commits.unlink(first, inode, name);
}

// One commit a block.
std::vector<std::byte> commit_of(Input& input) {
  constexpr std::size_t longest_record = 200;
  FastCommits commits;
  commits.head(sequence);
  while (!input.is_empty() && commits.bytes().size() + longest_record < block_bytes) add_record(commits, input);
  return commits.tail(sequence, block_bytes).bytes();
}

void put(FewBlocks& disk, std::uint64_t offset, std::span<const std::byte> bytes) {
  const auto block = disk.block(std::uint32_t(offset / packed_block_bytes));
  std::ranges::copy(bytes, block.begin() + std::ptrdiff_t(offset % packed_block_bytes));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const FewBlocks seed = left_by_the_kernel();
  FewBlocks disk = seed;
  Input input(std::as_bytes(std::span(data, size)));
  const std::array<std::byte, block_bytes> nothing = {};
  for (std::uint64_t at = 0; at < area_blocks; ++at)
    put(disk, area + at * block_bytes,
        input.is_empty() ? std::span<const std::byte>(nothing) : std::span<const std::byte>(commit_of(input)));
  fuzz::walk(disk, fs::open_ext);
  return 0;
}
