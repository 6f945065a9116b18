// Members of arrays whose superblocks are the fuzzer's, with the checksum that they should have. Each array that they
// make is read at both ends and in between.
#include <algorithm>

#include "hrvm/base/error.hpp"
#include "hrvm/block/devices.hpp"
#include "hrvm/volume/volumes.hpp"
#include "support/md_disk.hpp"

using namespace hrvm;
using volume::test::Bytes;

namespace {

constexpr std::size_t device_bytes = 192 * base::KiB, most_members = 4;

// Version 1 at 4 KiB, or 0.90 at the end. The first byte says which.
Bytes member(std::span<const std::byte> super) {
  Bytes bytes(device_bytes);
  const bool is_old = super[0] == std::byte{0};
  super = super.subspan(1);
  const std::size_t at = is_old ? device_bytes - 65536 : 4096;
  const auto out = std::span(bytes).subspan(at, volume::md::super_bytes);
  std::ranges::copy(super, out.begin());
  const auto field =
      is_old ? offsetof(volume::md::AnySuperBlock090, checksum) : offsetof(volume::md::SuperBlock1, checksum);
  const auto roles = base::load<volume::md::SuperBlock1>(out).roles;
  base::store(out, field, base::le32(0));
  const auto length = is_old ? out.size() : std::min<std::size_t>(256 + 2 * std::size_t(roles), out.size());
  base::store(out, field, base::le32(volume::test::md_sum<base::ByteOrder::little>(out.first(length))));
  return bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto rest = std::as_bytes(std::span(data, size));
  std::vector<std::unique_ptr<block::BlockDevice>> devices;
  std::vector<volume::Member> members;
  constexpr std::size_t step = 1 + 256 + 16;  // a superblock of version 1 and eight roles
  while (rest.size() > 1 && devices.size() < most_members) {
    const bool is_old = rest[0] == std::byte{0};
    const auto length = std::min(rest.size(), is_old ? 1 + volume::md::super_bytes : step);
    devices.push_back(block::memory_device(member(rest.first(length)), "fuzz"));
    members.push_back({devices.back().get(), "p"});
    rest = rest.subspan(length);
  }
  const auto assembly = volume::assemble_md(members);
  for (const auto& volume : assembly.volumes) try {
      if (!volume.device || volume.device->size() < 512) continue;
      const auto end = volume.device->size();
      for (const auto at : {std::uint64_t(0), end / 2, end / 3, end - 512}) {
        volume.device->extent_at(at);
        volume.device->read(at, 512);
      }
    } catch (const base::Error&) {
    }
  return 0;
}
