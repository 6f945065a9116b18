#include <fcntl.h>

#include <catch2/catch.hpp>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/block/copy.hpp"
#include "hrvm/block/devices.hpp"
#include "hrvm/sys/files.hpp"
#include "support/failing.hpp"
#include "support/temporary_directory.hpp"

using namespace hrvm;
using base::KiB, base::MiB;
using block::Extent, block::ExtentKind;

namespace {

struct Copy {
  std::string bytes;
  std::uint64_t allocated_bytes;
  std::vector<std::uint64_t> progress;
};

Copy copy(block::BlockDevice& source) {
  const test::TemporaryDirectory folder;
  const auto path = folder / "copy";
  const sys::Fd fd = sys::open_file(path, O_CREAT | O_EXCL | O_RDWR, 0600);
  Copy result;
  block::copy_to_file(source, fd.get(), path, [&](std::uint64_t done) { result.progress.push_back(done); });
  sys::sync_file(fd.get(), path);
  result.bytes = sys::read_file(path, 256 * MiB);
  result.allocated_bytes = sys::status(path).allocated_bytes;
  return result;
}

std::unique_ptr<block::BlockDevice> device_of(const std::string& text) {
  const auto all = std::as_bytes(std::span(text));
  return block::memory_device({all.begin(), all.end()}, "source");
}

// Says of its first half that it is zero, and fails when that half is read nevertheless.
class HalfZero : public block::BlockDevice {
 public:
  using BlockDevice::read;
  void read(std::uint64_t offset, std::span<std::byte> out) override {
    if (offset < size() / 2) throw base::Error(base::ErrorKind::io, "read what is known to be zero");
    std::ranges::fill(out, std::byte{'x'});
  }
  Extent extent_at(std::uint64_t offset) override {
    const std::uint64_t half = size() / 2;
    if (offset < half) return {offset, half - offset, ExtentKind::zero};
    return {offset, size() - offset, ExtentKind::data};
  }
  std::uint64_t size() const override { return 64 * MiB; }
  const std::string& name() const override { return name_; }

 private:
  std::string name_ = "half";
};

}  // namespace

TEST_CASE("a copy reads the same as its source, whatever its size") {
  for (const std::size_t size : {0, 1, 4095, 4096, 4097, 1048576, 3 * 1048576 + 5}) {
    std::string text(size, '\0');
    for (std::size_t i = 0; i < size; i += 7) text[i] = char(i % 251);
    CHECK((copy(*device_of(text)).bytes == text));
  }
}

TEST_CASE("zeros of 4 KiB and more become holes, and the bytes around them stay") {
  std::string text(4 * MiB, '\0');
  text[0] = text[8191] = text[2 * MiB] = text.back() = 'x';
  const Copy result = copy(*device_of(text));
  CHECK((result.bytes == text));
  CHECK(result.allocated_bytes <= 4 * 4 * KiB);
}

TEST_CASE("zeros at the end keep the size and take no space") {
  const Copy result = copy(*device_of(std::string(3 * MiB + 17, '\0')));
  CHECK(result.bytes.size() == 3 * MiB + 17);
  CHECK(result.allocated_bytes == 0);
}

TEST_CASE("what is known to be zero is not even read") {
  HalfZero source;
  const Copy result = copy(source);
  CHECK((result.bytes == std::string(32 * MiB, '\0') + std::string(32 * MiB, 'x')));
  CHECK(result.allocated_bytes <= 33 * MiB);
}

TEST_CASE("progress only grows, is told at least every 8 MiB of data, and ends with the size") {
  HalfZero source;
  const Copy result = copy(source);
  REQUIRE_FALSE(result.progress.empty());
  CHECK(std::ranges::is_sorted(result.progress));
  CHECK(result.progress.back() == source.size());
  std::uint64_t before = source.size() / 2;
  for (const std::uint64_t done : result.progress) {
    if (done > before) CHECK(done - before <= 8 * MiB);
    before = std::max(before, done);
  }
}

TEST_CASE("a slice that starts off the grid is copied as it is") {
  std::string text(2 * MiB, '\0');
  for (std::size_t i = 0; i < text.size(); i += 5000) text[i] = 'x';
  const auto disk = device_of(text);
  const auto part = block::slice(*disk, 1000, 1 * MiB + 333, "part");
  CHECK((copy(*part).bytes == text.substr(1000, 1 * MiB + 333)));
}

TEST_CASE("an error of the source ends the copy") {
  class Broken : public HalfZero {
    Extent extent_at(std::uint64_t offset) override { return {offset, size() - offset, ExtentKind::data}; }
  };
  Broken source;
  CHECK(test::kind_of([&] { copy(source); }) == base::ErrorKind::io);
}

TEST_CASE("only bytes that are all zero are zero") {
  std::vector<std::byte> bytes(5000);
  CHECK(block::is_zero(bytes));
  CHECK(block::is_zero({}));
  CHECK(block::is_zero(std::span(bytes).first(1)));
  for (const std::size_t place : {std::size_t{0}, std::size_t{1}, std::size_t{2500}, bytes.size() - 1}) {
    bytes[place] = std::byte{1};
    CHECK_FALSE(block::is_zero(bytes));
    bytes[place] = std::byte{0};
  }
}

TEST_CASE("trying direct I/O leaves nothing in the folder, and a missing folder has none") {
  const test::TemporaryDirectory folder;
  block::supports_direct_io(folder.path());
  CHECK(folder.names().empty());
  CHECK_FALSE(block::supports_direct_io((folder / "none").string()));
  CHECK_FALSE(block::supports_direct_io("/proc"));
}
