#include <catch2/catch.hpp>

#include "hrvm/probe/signature.hpp"
#include "support/mapped_device.hpp"
#include "support/run_program.hpp"
#include "support/temporary_directory.hpp"
#include "unit/probe/table/partition_fixture.hpp"

using namespace hrvm;
using namespace hrvm::probe;

namespace {

constexpr const char* uuid = "0b2f8a52-3b1c-4b0e-9d5e-0123456789ab";

}  // namespace

TEST_CASE("signatures are named on a device, on a slice of it, and on a view without a place of its own") {
  const test::TemporaryDirectory folder;
  struct Case {
    test::Words command;
    std::string type, usage, label, uuid;
  };
  for (const Case& c :
       {Case{{"mke2fs", "-q", "-F", "-t", "ext4", "-L", "root", "-U", uuid}, "ext4", "filesystem", "root", uuid},
        Case{{"mkfs.fat", "-F", "32", "-n", "ESP", "-i", "12345678"}, "vfat", "filesystem", "ESP", "1234-5678"},
        Case{{"mkswap", "-L", "swp", "-U", uuid}, "swap", "other", "swp", uuid}}) {
    INFO(c.type);
    const auto image = folder / "fs.img";
    test::set_size(image, 128 * mib);
    auto command = c.command;
    command.push_back(image);
    test::run_program(command);
    const auto whole = block::open_device(image);
    test::Mapped mapped(*whole);

    test::set_size(folder / "disk.img", 130 * mib);
    test::run_program({"dd", "conv=notrunc,sparse", "bs=1M", "seek=1", "if=" + image.string(),
                       "of=" + (folder / "disk.img").string()});
    const auto disk = block::open_device(folder / "disk.img");
    const auto part = block::slice(*disk, mib, 128 * mib, "p1");

    for (block::BlockDevice* device : {whole.get(), part.get(), static_cast<block::BlockDevice*>(&mapped)}) {
      const auto signature = read_signature(*device);
      REQUIRE(signature);
      CHECK(signature->type == c.type);
      CHECK(signature->usage == c.usage);
      CHECK(signature->label == c.label);
      CHECK(signature->uuid == c.uuid);
    }
    CHECK_FALSE(read_signature(*disk));
    std::filesystem::remove(image);
    std::filesystem::remove(folder / "disk.img");
  }
}

TEST_CASE("bcachefs is known by its superblock, whatever libblkid is too old for") {
  const test::TemporaryDirectory folder;
  const auto image = folder / "fs.img";
  std::string bytes(64 << 10, '\0');
  const std::string magic = "\xc6\x85\x73\xf6\x66\xce\x90\xa9\xd9\x6a\x60\xcf\x80\x3d\xf7\xef";
  const std::string id = "\x0b\x2f\x8a\x52\x3b\x1c\x4b\x0e\x9d\x5e\x01\x23\x45\x67\x89\xab";
  bytes.replace(4096 + 24, 16, magic).replace(4096 + 40, 16, 16, 'x').replace(4096 + 56, 16, id);
  bytes.replace(4096 + 72, 32, std::string(32, 'l'));
  folder.write("fs.img", bytes);
  const auto device = block::open_device(image);
  const auto signature = read_signature(*device);
  REQUIRE(signature);
  CHECK(signature->type == "bcachefs");
  CHECK(signature->usage == "filesystem");
  CHECK(signature->uuid == uuid);
  CHECK(signature->label == std::string(32, 'l'));
  folder.write("fs.img", bytes.substr(0, 4096 + 100));
  CHECK_FALSE(read_signature(*block::open_device(image)));
}

TEST_CASE("two signatures that contradict each other are none") {
  const test::TemporaryDirectory folder;
  const auto image = folder / "fs.img";
  test::set_size(image, 16 * mib);
  test::run_program({"mke2fs", "-q", "-F", "-t", "ext4", image});
  test::write_at(image, 4086, "SWAPSPACE2");
  test::write_at(image, 1024, std::string_view("\1\0\0\0\xff\x0f\0\0", 8));
  const auto device = block::open_device(image);
  CHECK_FALSE(read_signature(*device));
}

TEST_CASE("zeros, a byte and nothing bear no signature") {
  for (std::size_t size : {0u, 1u, 512u, 70'000u, 4'000'000u})
    CHECK_FALSE(read_signature(*block::memory_device(std::vector<std::byte>(size), "zeros")));
}

TEST_CASE("a partition table is not a signature") {
  CHECK_FALSE(read_signature(*block::memory_device(test::gpt_image(sample_disk()), "disk")));
}

TEST_CASE("NTFS is named on a view without a place of its own, wherever its file table lies") {
  std::vector<std::byte> image(64 * mib);
  const auto put = [&](std::size_t at, std::string_view text) {
    std::transform(text.begin(), text.end(), image.begin() + std::ptrdiff_t(at), [](char c) { return std::byte(c); });
  };
  put(0, std::string_view("\xeb\x52\x90NTFS    \0\x02\x08", 14));  // 512-byte sectors, 8 to a cluster
  put(21, "\xf8");
  put(40, std::string_view("\xff\xff\x01\0\0\0\0\0", 8));  // sectors
  put(48, std::string_view("\0\x20\0\0\0\0\0\0", 8));      // file table at cluster 8192: 32 MiB
  put(56, std::string_view("\1\0\0\0\0\0\0\0", 8));
  put(64, std::string_view("\xf6\0\0\0\1\0\0\0", 8));
  put(72, "serialno");
  put(510, "\x55\xaa");
  put(32 * mib, "FILE");
  put(32 * mib + 3 * 1024, "FILE");
  const auto device = block::memory_device(std::move(image), "windows");
  const auto signature = read_signature(*device);
  REQUIRE(signature);
  CHECK(signature->type == "ntfs");
}
