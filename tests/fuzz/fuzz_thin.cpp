// A thin pool's metadata, block by block, with checksums and block numbers put right, which would keep a fuzzer out.
#include <algorithm>

#include "hrvm/base/crc32.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/block/devices.hpp"
#include "volume/thin_format.hpp"
#include "volume/thin_pool.hpp"

using namespace hrvm;
using volume::thin::block_bytes, volume::thin::Node, volume::thin::Superblock;

namespace {

void put_right(std::vector<std::byte>& bytes) {
  for (std::size_t at = 0; at < bytes.size(); at += block_bytes) {
    const auto block = std::span(bytes).subspan(at, block_bytes);
    if (at == 0) base::store(block, offsetof(Superblock, magic), base::le64(volume::thin::superblock_magic));
    base::store(block, offsetof(Node, block), base::le64(at / block_bytes));
    const auto salt = at == 0 ? volume::thin::superblock_salt : volume::thin::node_salt;
    const auto crc = base::crc32_register<base::CrcPolynomial::castagnoli>(~0u, block.subspan(4)) ^ salt;
    base::store(block, 0, base::le32(crc));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto input = std::as_bytes(std::span(data, std::min<std::size_t>(size, 16 * block_bytes)));
  std::vector<std::byte> bytes(input.begin(), input.end());
  bytes.resize((bytes.size() + block_bytes - 1) / block_bytes * block_bytes);
  put_right(bytes);
  const auto metadata = block::memory_device(std::move(bytes), "metadata");
  const auto store = block::memory_device(std::vector<std::byte>(1 << 20), "data");
  try {
    volume::ThinPool pool(*metadata, *store);
    const auto root = pool.root_of(1);
    if (!root) return 0;
    volume::ThinVolume thin(pool, *root, 1ull << 40, "thin");
    std::uint64_t at = 0;
    for (int pieces = 0; at < thin.size() && pieces < 1000; ++pieces) at += thin.extent_at(at).length;
    thin.read(0, 4096);
  } catch (const base::Error&) {
  }
  return 0;
}
