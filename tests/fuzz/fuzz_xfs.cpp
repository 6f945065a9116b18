// An XFS with some of its bytes replaced. The first of the fuzzer's bytes says which: one that mkfs.xfs has filled, or
// one that a kernel left with its log to be replayed (corpus/xfs_disks). Each eight of the others say which of the
// sectors that are not empty, where in it, and by what. The reader verifies no checksums but those of the log's
// records, which are made right.
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include <unistd.h>

#include "fs/xfs/log_format.hpp"
#include "fuzz/file_system_walk.hpp"
#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/crc32.hpp"
#include "hrvm/base/endian.hpp"
#include "hrvm/block/copy.hpp"
#include "hrvm/sys/files.hpp"
#include "hrvm/sys/runner.hpp"
#include "support/few_blocks.hpp"

using namespace hrvm;
using fs::test::FewBlocks, fs::test::few_blocks_of, fs::test::packed_block_bytes;
using namespace fs::xfs;

namespace {

constexpr std::uint64_t dirty_bytes = 300 * base::MiB;
constexpr std::size_t sectors_per_block = packed_block_bytes / log_sector;

const char* const make_image = R"(
set -e; cd "$1"; mkdir -p tree/etc tree/many
echo ID=debian > tree/etc/os-release; ln -s ../etc/os-release tree/many/link; head -c 70000 /dev/urandom > tree/etc/large
{ printf 'none\n0 0\nd--755 0 0\netc d--755 0 0\nos-release ---644 0 0 %s\nlarge ---644 0 0 %s\n$\nmany d--755 0 0\n' \
    "$1/tree/etc/os-release" "$1/tree/etc/large"
  for i in $(seq 200); do echo "a-file-with-a-long-name-$i l--777 0 0 ../etc/os-release"; done
  printf '$\n$\n'; } > prototype
truncate -s 320M image; mkfs.xfs -q -p prototype image
)";

FewBlocks filled_by_mkfs() {
  const auto folder = std::filesystem::temp_directory_path() / ("fuzz-xfs-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  const auto made =
      sys::make_process_runner()->run({{"bash", "-c", make_image, "-", folder}, {}, {}}, std::chrono::minutes(1));
  if (made.exit_status != 0) std::abort();
  const auto image = block::open_device(folder / "image");
  auto few = few_blocks_of(*image);
  std::filesystem::remove_all(folder);
  return few;
}

FewBlocks left_by_the_kernel() {
  const auto packed = sys::read_file(HRVM_SOURCE_DIR "/tests/corpus/xfs_disks/dirty-log.packed", base::MiB);
  return {std::as_bytes(std::span(packed)), dirty_bytes};
}

std::span<std::byte> sector(FewBlocks& disk, std::uint64_t number) {
  const auto block = disk.block(std::uint32_t(number / sectors_per_block));
  return block.subspan(number % sectors_per_block * log_sector, log_sector);
}

struct Seed {
  explicit Seed(FewBlocks blocks) : disk(std::move(blocks)) {
    for (auto& [number, block] : disk.blocks())
      for (std::size_t i = 0; i < sectors_per_block; ++i) {
        const auto bytes = std::span(block).subspan(i * log_sector, log_sector);
        if (block::is_zero(bytes)) continue;
        places.push_back(number * sectors_per_block + i);
        if (base::load<base::be32>(bytes) == record_magic) records.push_back(places.back());
      }
  }

  FewBlocks disk;
  std::vector<std::uint64_t> places, records;  // numbers of sectors
};

// Of records that one header tells of, as those of the seed are.
void put_right(FewBlocks& disk, std::uint64_t number) {
  const auto first = sector(disk, number);
  auto header = base::load<RecordHeader>(first);
  if (header.bytes > bytes_of_a_header) return;
  const auto add = [](std::uint32_t crc, std::span<const std::byte> bytes) {
    return base::crc32_register<base::CrcPolynomial::castagnoli>(crc, bytes);
  };
  base::store(first, offsetof(RecordHeader, crc), base::le32(0));
  const auto crc = add(~0u, first.first(summed_header_bytes[0]));
  const auto body = disk.read((number + 1) * log_sector, header.bytes);
  base::store(first, offsetof(RecordHeader, crc), base::le32(~add(crc, body)));
}

struct Patch {
  base::le16 sector, offset;
  base::be32 value;
};
static_assert(sizeof(Patch) == 8);

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Seed filled(filled_by_mkfs()), dirty(left_by_the_kernel());
  constexpr std::size_t most_patches = 64;
  if (size == 0) return 0;
  const Seed& seed = data[0] & 1 ? dirty : filled;
  auto disk = seed.disk;
  auto input = std::as_bytes(std::span(data, size)).subspan(1);
  for (input = input.first(std::min(input.size(), most_patches * sizeof(Patch))); input.size() >= sizeof(Patch);
       input = input.subspan(sizeof(Patch))) {
    const auto patch = base::load<Patch>(input);
    const auto bytes = sector(disk, seed.places[patch.sector % seed.places.size()]);
    base::store(bytes, patch.offset % (log_sector - sizeof patch.value), patch.value);
  }
  for (const auto record : seed.records) put_right(disk, record);
  fuzz::walk(disk, fs::open_xfs);
  return 0;
}
