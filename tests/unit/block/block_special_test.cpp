#include <fcntl.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/block/copy.hpp"
#include "hrvm/block/devices.hpp"
#include "hrvm/sys/fd.hpp"
#include "hrvm/sys/files.hpp"
#include "hrvm/sys/runner.hpp"
#include "support/temporary_directory.hpp"

using namespace hrvm;
using namespace std::chrono_literals;
using base::MiB;

namespace {

// A loop device over a file, read-only so that nobody can write through it. Empty where this host allows none.
class LoopDevice {
 public:
  LoopDevice(const std::filesystem::path& file, const std::string& sector_bytes) {
    const auto result = runner_->run(
        {.argv = {"losetup", "--find", "--show", "--read-only", "--sector-size", sector_bytes, file.string()}}, 20s);
    if (result.exit_status == 0) path_ = base::trim(result.out);
  }
  LoopDevice(const LoopDevice&) = delete;
  LoopDevice& operator=(const LoopDevice&) = delete;
  ~LoopDevice() {
    if (!path_.empty()) runner_->run({.argv = {"losetup", "--detach", path_}}, 20s);
  }
  const std::string& path() const { return path_; }

 private:
  std::unique_ptr<sys::Runner> runner_ = sys::make_process_runner();
  std::string path_;
};

std::string first_bytes(block::BlockDevice& device, std::size_t count) {
  std::string result;
  for (const std::byte one : device.read(0, count)) result += char(one);
  return result;
}

}  // namespace

TEST_CASE("a block special file has the kernel's size and sectors") {
  const test::TemporaryDirectory folder;
  std::filesystem::resize_file(folder.write("image", "data"), 8 * MiB);
  const LoopDevice loop(folder / "image", "4096");
  if (loop.path().empty()) {
    WARN("no loop devices on this host");
    return;
  }
  const auto device = block::open_device(loop.path());
  CHECK(device->size() == 8 * MiB);
  CHECK(device->sector_sizes().logical_bytes == 4096);
  CHECK(device->sector_sizes().physical_bytes == 4096);
  CHECK(device->name() == loop.path());
  CHECK(first_bytes(*device, 4) == "data");
  CHECK(device->extent_at(0) == block::Extent{0, 8 * MiB, block::ExtentKind::data});
}

TEST_CASE("fresh access sees what changed below the page cache, at every offset") {
  const test::TemporaryDirectory folder;
  const auto path = folder.write("image", std::string(MiB, 'a'));
  const LoopDevice loop(path, "512");
  if (loop.path().empty()) {
    WARN("no loop devices on this host");
    return;
  }
  const auto buffered = block::open_device(loop.path(), block::Access::buffered);
  const auto fresh = block::open_device(loop.path(), block::Access::fresh);
  // So that all of it is in the page cache.
  REQUIRE(buffered->read(0, std::size_t{MiB}) == std::vector<std::byte>(MiB, std::byte{'a'}));
  {
    std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
    file << std::string(MiB, 'b');
  }
  CHECK(first_bytes(*buffered, 4) == "aaaa");
  CHECK(first_bytes(*fresh, 4) == "bbbb");
  CHECK(fresh->read(5000, std::size_t{3}) == std::vector<std::byte>(3, std::byte{'b'}));
  CHECK(fresh->read(MiB - 1, std::size_t{1})[0] == std::byte{'b'});
}

TEST_CASE("a disk that is copied afresh is read around the page cache, as its medium is") {
  const test::TemporaryDirectory folder;
  constexpr std::uint64_t size = 5 * MiB + 512;
  const auto path = folder.write("image", std::string(size, 'a'));
  const LoopDevice loop(path, "512");
  if (loop.path().empty()) {
    WARN("no loop devices on this host");
    return;
  }
  const auto buffered = block::open_device(loop.path(), block::Access::buffered);
  REQUIRE(first_bytes(*buffered, size) == std::string(size, 'a'));
  std::ofstream(path, std::ios::binary) << std::string(size, 'b');
  const auto fresh = block::open_device(loop.path(), block::Access::fresh);
  const auto stored = fresh->stored_at(MiB, 2 * MiB);
  REQUIRE(stored.raw);
  CHECK((::fcntl(stored.raw->fd, F_GETFL) & (O_DIRECT | O_ACCMODE)) == (O_DIRECT | O_RDONLY));
  CHECK(stored.raw->offset == MiB);
  const auto copy = folder.write("copy", "");
  const auto fd = sys::open_for_update(copy);
  block::copy_to_file(*fresh, fd.get(), copy, [](std::uint64_t) {});
  CHECK(sys::read_file(copy, 8 << 20) == std::string(size, 'b'));
  CHECK(first_bytes(*buffered, 4) == "aaaa");
}

TEST_CASE("a device is claimed while somebody holds it for himself alone, and looking does not claim it") {
  const test::TemporaryDirectory folder;
  const LoopDevice loop(folder.write("image", std::string(MiB, 'a')), "512");
  if (loop.path().empty()) {
    WARN("no loop devices on this host");
    return;
  }
  CHECK_FALSE(block::is_claimed(loop.path()));
  const sys::Fd reader = sys::open_file(loop.path(), O_RDONLY);
  CHECK_FALSE(block::is_claimed(loop.path()));
  sys::Fd owner = sys::open_file(loop.path(), O_RDONLY | O_EXCL);
  CHECK(block::is_claimed(loop.path()));
  owner.reset();
  CHECK_FALSE(block::is_claimed(loop.path()));
}

TEST_CASE("files and what is not there are claimed by nobody") {
  const test::TemporaryDirectory folder;
  CHECK_FALSE(block::is_claimed(folder.write("image", "x")));
  CHECK_FALSE(block::is_claimed(folder.path()));
  CHECK_FALSE(block::is_claimed(folder / "none"));
}
