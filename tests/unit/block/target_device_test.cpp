#include "hrvm/block/target_device.hpp"

#include <fcntl.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/block/devices.hpp"
#include "hrvm/sys/fd.hpp"
#include "hrvm/sys/files.hpp"
#include "hrvm/sys/runner.hpp"
#include "support/failing.hpp"
#include "support/temporary_directory.hpp"

using namespace hrvm;
using namespace std::chrono_literals;
using base::ErrorKind, base::MiB;

namespace {

// A loop device over a file of 8 MiB that is full of an 'x'. Without a path where this host allows none.
class LoopDevice {
 public:
  explicit LoopDevice(const std::vector<std::string>& options = {}) {
    folder_.write("image", std::string(8 * MiB, 'x'));
    std::vector<std::string> words{"losetup", "--find", "--show"};
    words.insert(words.end(), options.begin(), options.end());
    words.push_back(folder_ / "image");
    const auto result = runner_->run({.argv = words}, 20s);
    if (result.exit_status == 0) path_ = base::trim(result.out);
  }
  LoopDevice(const LoopDevice&) = delete;
  LoopDevice& operator=(const LoopDevice&) = delete;
  ~LoopDevice() {
    if (!path_.empty()) runner_->run({.argv = {"losetup", "--detach", path_}}, 20s);
  }
  const std::string& path() const { return path_; }
  block::DeviceIdentity identity() const {
    const auto sysfs = std::filesystem::path("/sys/block") / std::filesystem::path(path_).filename();
    return {sys::status(path_).rdev, 8 * MiB, sys::try_read_number(sysfs / "diskseq")};
  }

 private:
  test::TemporaryDirectory folder_;
  std::unique_ptr<sys::Runner> runner_ = sys::make_process_runner();
  std::string path_;
};

bool is_there(const LoopDevice& loop) {
  if (loop.path().empty()) WARN("no loop devices on this host");
  return !loop.path().empty();
}

ErrorKind refusal(const std::filesystem::path& path, const block::DeviceIdentity& identity) {
  return test::kind_of([&] { block::open_target(path, identity); });
}

}  // namespace

TEST_CASE("a device is written and zeroed where it is told, and what it reads is what it holds") {
  const LoopDevice loop;
  if (!is_there(loop)) return;
  alignas(4096) static std::byte bytes[8192];
  {
    const auto device = block::open_target(loop.path(), loop.identity());
    CHECK(device->size() == 8 * MiB);
    CHECK(device->sector_sizes().logical_bytes == 512);
    std::ranges::fill(bytes, std::byte{'y'});
    device->write(MiB, bytes);
    device->clear(2 * MiB, MiB);
    device->sync();
    device->read(MiB - 4096, bytes);
    CHECK(bytes[4095] == std::byte{'x'});
    CHECK(bytes[4096] == std::byte{'y'});
    CHECK(test::kind_of([&] { device->write(8 * MiB - 4096, bytes); }) == ErrorKind::corrupt);
    CHECK(test::kind_of([&] { device->clear(8 * MiB, 4096); }) == ErrorKind::corrupt);
  }
  const auto seen = block::open_device(loop.path(), block::Access::fresh);
  CHECK(seen->read(MiB, std::size_t{1})[0] == std::byte{'y'});
  CHECK(seen->read(2 * MiB, std::size_t{1})[0] == std::byte{0});
  CHECK(seen->read(3 * MiB - 1, std::size_t{1})[0] == std::byte{0});
  CHECK(seen->read(3 * MiB, std::size_t{1})[0] == std::byte{'x'});
}

TEST_CASE("another device than the one that was examined is not opened") {
  const LoopDevice loop;
  if (!is_there(loop)) return;
  auto identity = loop.identity();
  identity.numbers += 1;
  CHECK(refusal(loop.path(), identity) == ErrorKind::refused);
  identity = loop.identity();
  identity.size_bytes += 512;
  CHECK(refusal(loop.path(), identity) == ErrorKind::refused);
  identity = loop.identity();
  if (identity.sequence) {
    *identity.sequence += 1;
    CHECK(refusal(loop.path(), identity) == ErrorKind::refused);
  }
  const test::TemporaryDirectory folder;
  CHECK(refusal(folder.write("file", "text"), loop.identity()) == ErrorKind::refused);
  CHECK(refusal("/dev/null", loop.identity()) == ErrorKind::refused);
  CHECK(refusal(folder / "none", loop.identity()) == ErrorKind::not_found);
}

TEST_CASE("a device that somebody has for himself is not opened, and while it is written nobody else gets it") {
  const LoopDevice loop;
  if (!is_there(loop)) return;
  {
    const auto other = sys::open_file(loop.path(), O_RDONLY | O_EXCL);
    CHECK(refusal(loop.path(), loop.identity()) == ErrorKind::refused);
  }
  const auto device = block::open_target(loop.path(), loop.identity());
  CHECK(block::is_claimed(loop.path()));
  CHECK(refusal(loop.path(), loop.identity()) == ErrorKind::refused);
}

TEST_CASE("a device that is read-only is not opened to write") {
  const LoopDevice loop({"--read-only"});
  if (is_there(loop)) CHECK(refusal(loop.path(), loop.identity()) == ErrorKind::permission);
}
