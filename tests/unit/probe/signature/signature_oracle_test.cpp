// hrvm shows libblkid parts of a device: its answer must be the one that it gives when it is given all of it.
#include <blkid/blkid.h>
#include <catch2/catch.hpp>

#include <algorithm>
#include <random>

#include "hrvm/probe/signature.hpp"
#include "support/mapped_device.hpp"
#include "support/md_disk.hpp"
#include "support/run_program.hpp"
#include "support/temporary_directory.hpp"
#include "support/zfs_device.hpp"
#include "unit/probe/table/partition_fixture.hpp"

using namespace hrvm;
using namespace hrvm::probe;

namespace {

using Answer = std::vector<std::string>;  // type, usage, label, uuid, version; empty for none

Answer answer(const std::optional<Signature>& signature) {
  if (!signature) return {};
  return {signature->type, signature->usage, signature->label, signature->uuid, signature->version};
}

Answer libblkid_says(const std::filesystem::path& path) {
  const std::unique_ptr<blkid_struct_probe, void (*)(blkid_probe)> probe(blkid_new_probe_from_filename(path.c_str()),
                                                                         blkid_free_probe);
  REQUIRE(probe);
  blkid_probe_enable_superblocks(probe.get(), 1);
  blkid_probe_set_superblocks_flags(probe.get(), BLKID_SUBLKS_TYPE | BLKID_SUBLKS_USAGE | BLKID_SUBLKS_LABEL |
                                                     BLKID_SUBLKS_UUID | BLKID_SUBLKS_VERSION);
  if (blkid_do_safeprobe(probe.get()) != 0) return {};
  Answer said;
  for (const char* name : {"TYPE", "USAGE", "LABEL", "UUID", "VERSION"}) {
    const char* value = nullptr;
    said.emplace_back(blkid_probe_lookup_value(probe.get(), name, &value, nullptr) == 0 ? value : "");
  }
  return said;
}

// What both views of an image say, held against libblkid's own.
Answer check_image(const std::filesystem::path& image) {
  const Answer expected = libblkid_says(image);
  const auto device = block::open_device(image);
  test::Mapped mapped(*device);
  CHECK(answer(read_signature(*device)) == expected);
  CHECK(answer(read_signature(mapped)) == expected);
  return expected;
}

Answer check_bytes(const std::vector<std::byte>& bytes) {
  const test::TemporaryDirectory folder;
  const auto image = folder / "image";
  test::set_size(image, bytes.size());
  test::write_at(image, 0, std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  return check_image(image);
}

std::vector<std::byte> noise(std::size_t size, unsigned seed) {
  std::vector<std::byte> bytes(size);
  std::mt19937 random(seed);
  for (auto& byte : bytes) byte = std::byte(random());
  return bytes;
}

void put(std::vector<std::byte>& bytes, std::uint64_t at, std::string_view text) {
  std::ranges::transform(text, bytes.begin() + std::ptrdiff_t(at), [](char c) { return std::byte(c); });
}

constexpr const char* uuid = "0b2f8a52-3b1c-4b0e-9d5e-0123456789ab";

struct Made {
  std::string type;
  test::Words command;
  std::uint64_t mebibytes = 64;
};
const Made made_by_tools[] = {
    {"ext2", {"mke2fs", "-q", "-F", "-t", "ext2", "-L", "two"}},
    {"ext3", {"mke2fs", "-q", "-F", "-t", "ext3", "-L", "three", "-U", uuid}},
    {"ext4", {"mke2fs", "-q", "-F", "-t", "ext4", "-b", "1024", "-L", "four"}},
    {"jbd", {"mke2fs", "-q", "-F", "-O", "journal_dev"}},
    {"xfs", {"mkfs.xfs", "-q", "-f", "-L", "root"}, 512},
    {"btrfs", {"mkfs.btrfs", "-q", "-f", "-L", "root"}, 256},
    {"vfat", {"mkfs.fat", "-F", "12", "-n", "TWELVE"}, 4},
    {"vfat", {"mkfs.fat", "-F", "16", "-n", "SIXTEEN"}},
    {"vfat", {"mkfs.fat", "-F", "32", "-n", "ESP", "-i", "12345678"}, 128},
    {"vfat", {"mkfs.fat", "-F", "32", "-s", "8", "-R", "9000", "-n", "FAR"}, 512},
    {"ntfs", {"mkntfs", "-q", "-F", "-f", "-L", "Windows"}},
    {"swap", {"mkswap", "-L", "swp", "-U", uuid}},
    {"swap", {"mkswap", "-p", "65536", "-L", "large"}},
    {"minix", {"mkfs.minix"}, 16},
    {"bfs", {"mkfs.bfs", "-V", "volume"}, 4},
};

}  // namespace

TEST_CASE("what is on a filesystem is told as libblkid tells it, whichever tool made it") {
  for (const Made& made : made_by_tools) {
    CAPTURE(made.command);
    const test::TemporaryDirectory folder;
    const auto image = folder / "image";
    test::set_size(image, made.mebibytes * mib);
    auto command = made.command;
    command.push_back(image);
    test::run_program(command);
    const Answer said = check_image(image);
    REQUIRE_FALSE(said.empty());
    CHECK(said[0] == made.type);
  }
}

TEST_CASE("a filesystem made over another is told as libblkid tells it") {
  const test::TemporaryDirectory folder;
  const auto image = folder / "image";
  test::set_size(image, 512 * mib);
  for (const Made& made : made_by_tools) {
    CAPTURE(made.command);
    auto command = made.command;
    command.push_back(image);
    if (test::try_program(command)) check_image(image);
  }
}

TEST_CASE("members of arrays are told as libblkid tells them, whatever the metadata's version") {
  for (const unsigned version : {0u, 1u, 2u, 90u})
    for (const std::uint64_t more : {0u, 512u, 4096u, 61 * 1024u}) {
      CAPTURE(version, more);
      volume::test::MadeMember member{.version = version};
      member.device = 4 * mib + more;
      const Answer said = check_bytes(volume::test::member_bytes(member));
      REQUIRE_FALSE(said.empty());
      CHECK(said[0] == "linux_raid_member");
    }
}

TEST_CASE("a member of a pool is told as libblkid tells it, as long as one label is left") {
  const auto config = volume::test::NvPacker().text("name", "tank").number("pool_guid", 7).number("guid", 8).packed();
  const auto labels = volume::test::zfs_device(config);
  const auto half = std::ptrdiff_t(labels.size() / 2);
  for (unsigned left = 0; left < 4; ++left) {
    CAPTURE(left);
    std::vector<std::byte> bytes(64 * mib);  // libblkid believes in no smaller ones
    std::copy(labels.begin(), labels.begin() + half, bytes.begin());
    std::copy(labels.begin() + half, labels.end(), bytes.end() - half);
    for (unsigned label = 0; label < 4; ++label) {
      const std::size_t at = label < 2 ? label * 256 * 1024 : bytes.size() - (4 - label) * 256 * 1024;
      if (label != left) std::fill_n(bytes.begin() + std::ptrdiff_t(at), 256 * 1024, std::byte());
    }
    const Answer said = check_bytes(bytes);
    REQUIRE_FALSE(said.empty());
    CHECK(said[0] == "zfs_member");
  }
}

TEST_CASE("a log of XFS is told as libblkid tells it, wherever in its reach it begins") {
  for (const std::size_t sector : {0u, 1u, 300u, 500u}) {
    CAPTURE(sector);
    std::vector<std::byte> bytes(2 * mib);
    const std::size_t at = sector * 512;
    put(bytes, at, std::string_view("\xfe\xed\xba\xbe\0\0\0\1\0\0\0\2\0\0\2\0", 16));
    put(bytes, at + 300, std::string_view("\0\0\0\1", 4));
    check_bytes(bytes);
  }
}

// Bytes that libblkid takes for something, or for the start of something, in the midst of what means nothing.
TEST_CASE("marks among noise are told as libblkid tells them") {
  using namespace std::string_view_literals;
  struct Mark {
    std::uint64_t offset;
    std::string_view bytes;
  };
  const std::uint64_t size = 6 * mib;
  const Mark marks[] = {{0x438, "\x53\xef"sv},
                        {0, "XFSB"sv},
                        {0x10040, "_BHRfS_M"sv},
                        {4086, "SWAPSPACE2"sv},
                        {65526, "SWAPSPACE2"sv},
                        {0, "LUKS\xba\xbe\0\2"sv},
                        {0x4000, "SKUL\xba\xbe\0\2"sv},
                        {0x80000, "SKUL\xba\xbe\0\2"sv},
                        {0x400000, "SKUL\xba\xbe\0\2"sv},
                        {512, "LABELONE"sv},
                        {0, "hsqs"sv},
                        {0x400, "\x10\x20\xf5\xf2"sv},
                        {0x8001, "CD001"sv},
                        {0x8000, "JFS1"sv},
                        {0x10034, "ReIsErFs"sv},
                        {0x10000, "\x01\x16\x19\x70"sv},
                        {0x400, "H+"sv},
                        {0x400, "BD"sv},
                        {3, "NTFS    "sv},
                        {3, "EXFAT   "sv},
                        {3, "-FVE-FS-"sv},
                        {0x3e, "VXFS"sv},
                        {0x406, "\x34\x34"sv},
                        {256 * 1024 + 0x55c, "\x54\x19\x01\0"sv},
                        {0x100000, "\x0d\xd0\x01\xc0"sv},
                        {0x200000, "\x5e\xf1\xab\x2f"sv},
                        {0x1018, "\xc6\x85\x73\xf6\x4e\x1a\x45\xca"sv},
                        {size - 512, "\xb6\xd7\x1a\x15"sv},
                        {size - 4096 + 6, "\x34\x34"sv}};
  for (const Mark& mark : marks)
    for (unsigned seed = 0; seed < 2; ++seed) {
      CAPTURE(mark.offset, seed);
      auto bytes = seed == 0 ? std::vector<std::byte>(size) : noise(size, seed);
      put(bytes, mark.offset, mark.bytes);
      check_bytes(bytes);
    }
}

TEST_CASE("little devices and odd ones bear what libblkid sees on them") {
  for (const std::size_t size : {1u, 511u, 4096u, 65'537u, 132u * 1024, 276u * 1024 + 5, 1'100'001u}) {
    CAPTURE(size);
    check_bytes(std::vector<std::byte>(size));
    check_bytes(noise(size, unsigned(size)));
  }
}
