// Several marks on one device: the filesystem whose own structures hold is read, and the other mark is told.
#include "probe/settle_signature.hpp"

#include <catch2/catch.hpp>

#include "hrvm/block/devices.hpp"
#include "hrvm/probe/survey.hpp"
#include "probe/signature/own_structures.hpp"
#include "support/md_disk.hpp"
#include "support/run_program.hpp"
#include "support/temporary_directory.hpp"
#include "support/zfs_device.hpp"
#include "unit/probe/table/partition_fixture.hpp"

using namespace hrvm;
using namespace hrvm::probe;
using Catch::Matchers::Contains;

namespace {

struct Image {
  test::TemporaryDirectory folder;
  std::filesystem::path path = folder / "image";

  explicit Image(std::uint64_t bytes) { test::set_size(path, bytes); }
  explicit Image(const std::vector<std::byte>& bytes) : Image(bytes.size()) { put(0, bytes); }

  void put(std::uint64_t at, std::span<const std::byte> bytes) const { test::write_at(path, at, bytes); }
  void put(std::uint64_t at, std::string_view text) const { test::write_at(path, at, text); }
  // What is there stays, where the tool does not write.
  void ext4(const std::string& blocks = "") const {
    test::Words words = {"mke2fs", "-q", "-F", "-t", "ext4", "-E", "nodiscard", path};
    if (!blocks.empty()) words.push_back(blocks);
    test::run_program(words);
  }
  std::unique_ptr<block::BlockDevice> open() const { return block::open_device(path); }
};

constexpr std::uint64_t size = 64 * mib, half_of_labels = 512 << 10, begin_of_config = 16 << 10;

// A device of a pool, each of whose labels is sound at its place.
std::vector<std::byte> pool() {
  namespace zfs = volume::zfs;
  const auto config = volume::test::NvPacker().text("name", "tank").number("pool_guid", 7).number("guid", 8).packed();
  std::vector<std::byte> device(size);
  for (const auto label : {std::uint64_t(0), zfs::label_bytes, size - 2 * zfs::label_bytes, size - zfs::label_bytes}) {
    const auto region = std::span(device).subspan(label + zfs::config_offset, zfs::config_bytes);
    std::memcpy(region.data(), config.data(), config.size());
    volume::test::seal(region, label + zfs::config_offset);
    for (unsigned slot = 0; slot < 8; ++slot) volume::test::put_uberblock(device, label, slot, 35 + slot);
  }
  return device;
}

void put_front(const Image& image, std::span<const std::byte> from) {
  image.put(begin_of_config, from.subspan(begin_of_config, half_of_labels - begin_of_config));
}
void put_end(const Image& image, std::span<const std::byte> from) {
  image.put(size - half_of_labels, from.subspan(size - half_of_labels));
}

struct XfsWithIso : Image {
  XfsWithIso() : Image(512 * mib) {
    test::run_program({"mkfs.xfs", "-q", "-f", "-L", "root", path});
    put(32768, std::string_view("\1CD001\1\0", 8));  // a free block
  }
};

}  // namespace

TEST_CASE("an XFS with an ISO's mark in a free block is read, and the mark is told with its place") {
  const XfsWithIso image;
  const auto device = image.open();
  CHECK_FALSE(read_signature(*device));
  const auto settled = settle_signature(*device);
  REQUIRE(settled.signature);
  CHECK(settled.signature->type == "xfs");
  CHECK(settled.signature->label == "root");
  CHECK(settled.holds);
  CHECK(settled.files);
  REQUIRE(settled.others.size() == 1);
  CHECK(settled.others[0].signature.type == "iso9660");
  CHECK(settled.others[0].offset == 32769);

  const auto contents = read_contents(*device);
  REQUIRE(contents.volumes.size() == 1);
  CHECK(contents.volumes[0].filesystem == "xfs");
  const auto finding = std::ranges::find(contents.findings, "second-signature", &base::Finding::id);
  REQUIRE(finding != contents.findings.end());
  CHECK(finding->severity == base::Severity::warning);
  CHECK_THAT(finding->message,
             Contains("it is xfs") && Contains("iso9660 at byte 32769") && Contains("mount may refuse"));
}

TEST_CASE("where the structures of none hold, the marks are told, and it is not told as empty") {
  const Image image(16 * mib);
  image.ext4();
  image.put(4086, "SWAPSPACE2");
  image.put(1024, std::string_view("\1\0\0\0\xff\x0f\0\0", 8));  // in both: the ext4's checksum is wrong now
  const auto device = image.open();
  CHECK_FALSE(read_signature(*device));
  const auto settled = settle_signature(*device);
  CHECK_FALSE(settled.holds);
  REQUIRE(settled.others.size() == 1);
  const auto contents = read_contents(*device);
  CHECK_FALSE(contents.is_blank());
  const auto finding = std::ranges::find(contents.findings, "second-signature", &base::Finding::id);
  REQUIRE(finding != contents.findings.end());
  CHECK_THAT(finding->message, Contains("ext4") && Contains("swap") && Contains("the structures of neither hold"));
}

TEST_CASE("an ext4 over a former pool's last labels is read") {
  const Image image(size);
  put_end(image, pool());
  image.ext4();
  const auto settled = settle_signature(*image.open());
  REQUIRE(settled.signature);
  CHECK(settled.signature->type == "ext4");
  REQUIRE(settled.others.size() == 1);
  CHECK(settled.others[0].signature.type == "zfs_member");
  CHECK(settled.others[0].offset > 63 * mib);
}

TEST_CASE("a pool counts by the labels at its front, whatever filesystem was there before") {
  const Image image(size);
  image.ext4();
  const auto labels = pool();
  put_front(image, labels);
  put_end(image, labels);
  const auto settled = settle_signature(*image.open());
  REQUIRE(settled.signature);
  CHECK(settled.signature->type == "zfs_member");
  REQUIRE(settled.others.size() == 1);
  CHECK(settled.others[0].signature.type == "ext4");
  CHECK_THAT(second_signature(settled, "p1")->remedy, Contains("zpool import"));
}

TEST_CASE("a label of a pool that lies at another place than its checksum says does not count") {
  const Image image(size);
  image.ext4();
  auto labels = pool();
  std::rotate(labels.begin(), labels.begin() + 4096, labels.begin() + std::ptrdiff_t(half_of_labels));
  put_front(image, labels);
  const auto settled = settle_signature(*image.open());
  REQUIRE(settled.signature);
  CHECK(settled.signature->type != "zfs_member");
}

TEST_CASE("an ext4 that covers a former array's superblock is read, and the mirror that bears one stays a member") {
  volume::test::MadeMember member{.version = 0};
  member.device = 16 * mib;
  const auto bytes = volume::test::member_bytes(member);
  const Image image(bytes);
  CHECK(read_signature(*image.open())->type == "linux_raid_member");
  SECTION("made on the whole device") {
    image.ext4();  // which wipes the end: other tools do not
    image.put(15 * mib, std::span(bytes).subspan(15 * mib));
    const auto settled = settle_signature(*image.open());
    CHECK(settled.signature->type == "ext4");
    CHECK(settled.files);
    REQUIRE(settled.others.size() == 1);
    CHECK(settled.others[0].signature.type == "linux_raid_member");
    CHECK(read_signature(*image.open())->type == "linux_raid_member");  // fingerprints are made by libblkid's word
  }
  SECTION("made in the array") {
    image.ext4("15M");
    const auto settled = settle_signature(*image.open());
    CHECK(settled.signature->type == "linux_raid_member");
    CHECK(settled.others.empty());
    CHECK_FALSE(settled.files);
    CHECK_FALSE(second_signature(settled, "p1"));
  }
}

TEST_CASE("a filesystem that is larger than its device, or has a wrong checksum, does not count") {
  const Image image(size);
  put_end(image, pool());
  image.ext4();
  CHECK(told_size("ext4", *image.open()) == 64 * mib);
  image.put(1024 + 0x150, "\1");  // the high half of its blocks
  CHECK_FALSE(told_size("ext4", *image.open()));
  CHECK(settle_signature(*image.open()).signature->type == "zfs_member");
}

TEST_CASE("each filesystem tells its size, and what is cut off tells none") {
  struct Case {
    std::string type;
    test::Words command;
    std::uint64_t mebibytes;
  };
  for (const auto& [type, command, mebibytes] :
       {Case{"ext2", {"mke2fs", "-q", "-F", "-t", "ext2"}, 16}, Case{"xfs", {"mkfs.xfs", "-q", "-f"}, 512},
        Case{"btrfs", {"mkfs.btrfs", "-q", "-f"}, 256}, Case{"vfat", {"mkfs.fat", "-F", "32"}, 128},
        Case{"vfat", {"mkfs.fat", "-F", "12"}, 4}}) {
    CAPTURE(command);
    const Image image(mebibytes * mib);
    auto words = command;
    words.push_back(image.path);
    test::run_program(words);
    CHECK(told_size(type, *image.open()) == mebibytes * mib);
  }
  const Image ntfs(64 * mib);
  test::run_program({"mkntfs", "-q", "-F", "-f", ntfs.path});
  CHECK(told_size("ntfs", *ntfs.open()) == 64 * mib - 512);  // the last sector is a copy of the first
  CHECK_FALSE(told_size("iso9660", *ntfs.open()));
  CHECK_FALSE(told_size("btrfs", *block::memory_device(std::vector<std::byte>(4096), "short")));
  CHECK_FALSE(told_size("xfs", *block::memory_device(std::vector<std::byte>(4096), "zeros")));
}
