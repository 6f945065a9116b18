#include "hrvm/block/compare.hpp"

#include <catch2/catch.hpp>
#include <filesystem>
#include <random>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/block/devices.hpp"
#include "hrvm/sys/files.hpp"
#include "support/disk_writer.hpp"
#include "support/failing.hpp"
#include "support/temporary_directory.hpp"

using namespace hrvm;
using base::MiB;
using block::Extent, block::ExtentKind;

namespace {

std::optional<std::uint64_t> compare(block::BlockDevice& one, block::BlockDevice& other) {
  std::uint64_t last = 0;
  const auto result = block::first_difference(one, other, [&](std::uint64_t done) {
    CHECK(done >= last);
    last = done;
  });
  CHECK(last == std::max(one.size(), other.size()));
  return result;
}

// Cannot be read at all, but it is a file of which is known where it lies.
class Unreadable : public block::BlockDevice {
 public:
  using BlockDevice::read;
  void read(std::uint64_t, std::span<std::byte>) override { throw base::Error(base::ErrorKind::io, "was read"); }
  std::uint64_t size() const override { return 64 * MiB; }
  const std::string& name() const override { return name_; }

 private:
  std::string name_ = "unreadable";
};

}  // namespace

TEST_CASE("the first difference is found wherever it is, also when there are others behind it") {
  const test::TemporaryDirectory folder;
  std::mt19937 random(7);
  for (int i = 0; i < 30; ++i) {
    const auto size = 1 + random() % (9 * MiB);
    for (const auto* name : {"one", "other"}) {
      folder.write(name, "");
      std::filesystem::resize_file(folder / name, size);
      std::mt19937 same(i);
      for (int n = 0; n < 20; ++n) {
        const std::string text(1 + same() % 20'000, char('a' + n));
        test::write_at(folder / name, same() % size, std::as_bytes(std::span(text)));
      }
      std::filesystem::resize_file(folder / name, size);
    }
    const auto one = block::open_device(folder / "one");
    CHECK_FALSE(compare(*one, *block::open_device(folder / "other")));
    std::uint64_t first = size;
    for (int n = 0; n < 3; ++n) {
      const std::byte strange[] = {std::byte{0x80}};
      const auto at = random() % size;
      test::write_at(folder / "other", at, strange);
      first = std::min<std::uint64_t>(first, at);
    }
    const auto other = block::open_device(folder / "other");
    CHECK(compare(*one, *other) == first);
    CHECK(compare(*other, *one) == first);
  }
}

TEST_CASE("a difference at either side of where the work is cut is found, and none other") {
  const std::uint64_t size = 20 * MiB + 1;
  const std::vector<std::byte> same(size, std::byte{7});
  const auto one = block::memory_device(same, "one");
  for (const auto at : {std::uint64_t{0}, MiB - 1, MiB, 8 * MiB - 1, 8 * MiB, 9 * MiB - 1, 9 * MiB, size - 1}) {
    auto bytes = same;
    bytes[at] = bytes.back() = std::byte{8};
    CHECK(compare(*one, *block::memory_device(bytes, "other")) == at);
  }
  CHECK_FALSE(compare(*one, *block::memory_device(same, "other")));
}

TEST_CASE("nothing is read of what is zero on both sides or lies in one file") {
  const test::TemporaryDirectory folder;
  folder.write("sparse", "");
  std::filesystem::resize_file(folder / "sparse", 1ull << 40);
  CHECK_FALSE(compare(*block::open_device(folder / "sparse"), *block::open_device(folder / "sparse")));
  folder.write("full", std::string(MiB, 'x'));
  const auto one = block::open_device(folder / "full"), other = block::open_device(folder / "full");
  std::filesystem::resize_file(folder / "full", 0);  // a read would now fail
  CHECK_FALSE(compare(*one, *other));
}

TEST_CASE("a device that cannot be read is an error") {
  Unreadable one;
  const auto other = block::memory_device(std::vector<std::byte>(64 * MiB), "zeros");
  CHECK(test::kind_of([&] { block::first_difference(one, *other, [](std::uint64_t) {}); }) == base::ErrorKind::io);
}
