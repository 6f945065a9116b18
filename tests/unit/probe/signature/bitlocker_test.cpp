// BitLocker volumes as Windows leaves them, as far as they lie in the clear.
#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "hrvm/base/guid.hpp"
#include "hrvm/block/devices.hpp"
#include "hrvm/probe/signature.hpp"
#include "probe/signature/bitlocker.hpp"

namespace hrvm::probe {
namespace {

const std::string volume_uuid = "0d7eb1c4-52f8-4a9d-8d3e-0123456789ab";
constexpr std::uint64_t metadata = 0x20000;

void put(std::vector<std::byte>& bytes, std::size_t offset, const std::string& text) {
  std::memcpy(bytes.data() + offset, text.data(), text.size());
}

void put_guid(std::vector<std::byte>& bytes, std::size_t offset, const std::string& text) {
  const auto guid = base::Guid::parse(text)->to_mixed_endian();
  std::memcpy(bytes.data() + offset, guid.data(), guid.size());
}

std::vector<std::byte> volume(std::size_t identifier, const std::string& oem) {
  std::vector<std::byte> bytes(1 << 20);
  put(bytes, 0, "\xeb\x58\x90" + oem);
  put(bytes, 11, std::string("\x00\x02\x08", 3));
  put(bytes, 510, "\x55\xaa");
  put_guid(bytes, identifier, "4967d63b-2e29-4ad8-8399-f6a339e3d001");
  for (int i = 0; i < 3; ++i) put(bytes, identifier + 16 + 8 * i, std::string("\0\0\2\0\0\0\0\0", 8));
  put(bytes, metadata, "-FVE-FS-" + std::string("\x50\0\2\0", 4));
  put_guid(bytes, metadata + 80, volume_uuid);
  return bytes;
}

std::optional<BitLockerVolume> read(std::vector<std::byte> bytes) {
  return read_bitlocker(*block::memory_device(std::move(bytes), "volume"));
}

}  // namespace

TEST_CASE("a BitLocker volume is named by the identifier for which Windows asks a recovery key") {
  const auto device = block::memory_device(volume(160, "-FVE-FS-"), "volume");
  const auto signature = read_signature(*device);
  REQUIRE(signature);
  CHECK(signature->type == "BitLocker");
  CHECK(signature->uuid == volume_uuid);
  CHECK(signature->version == "2");
  const auto to_go = read(volume(424, "MSWIN4.1"));
  REQUIRE(to_go);
  CHECK(to_go->uuid == volume_uuid);
}

TEST_CASE("BitLocker of Windows Vista gives its metadata's place in clusters") {
  auto bytes = volume(300, "-FVE-FS-");
  put_guid(bytes, 300, "00000000-0000-0000-0000-000000000000");
  put(bytes, 56, std::string("\x20\0\0\0\0\0\0\0", 8));  // clusters of 4 KiB
  put(bytes, metadata + 10, "\x01");
  const auto found = read(std::move(bytes));
  REQUIRE(found);
  CHECK(found->version == "1");
  CHECK(found->uuid == volume_uuid);
}

TEST_CASE("BitLocker whose metadata are not where its header says is not told further") {
  auto beyond = volume(160, "-FVE-FS-");
  put(beyond, 176, std::string(8, '\x7f'));
  CHECK_FALSE(read(std::move(beyond)));
  auto elsewhere = volume(160, "-FVE-FS-");
  put(elsewhere, metadata, "xxxxxxxx");
  CHECK_FALSE(read(std::move(elsewhere)));
  CHECK_FALSE(read(std::vector<std::byte>(4096)));
  CHECK_FALSE(read(std::vector<std::byte>(100)));
}

}  // namespace hrvm::probe
