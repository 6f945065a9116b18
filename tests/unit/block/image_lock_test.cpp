// Against the real QEMU tools: what they lock is what the code must see, and the other way round.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <thread>

#include "hrvm/base/error.hpp"
#include "hrvm/block/image_lock.hpp"
#include "hrvm/sys/files.hpp"
#include "hrvm/sys/runner.hpp"
#include "support/failing.hpp"
#include "support/temporary_directory.hpp"

using namespace hrvm;
using namespace std::chrono_literals;
using block::image_use, block::ImageUse;

namespace {

sys::Result run(std::vector<std::string> argv) {
  return sys::make_process_runner()->run({.argv = std::move(argv)}, 20s);
}

// A base and an overlay on it, made by qemu-img.
struct Images {
  test::TemporaryDirectory folder;
  std::string base = folder / "base.raw", overlay = folder / "overlay.qcow2";

  Images() {
    folder.write("base.raw", std::string(1 << 20, 'x'));
    REQUIRE(run({"qemu-img", "create", "-q", "-f", "qcow2", "-b", base, "-F", "raw", overlay}).exit_status == 0);
  }
  sys::Result info() const { return run({"qemu-img", "info", overlay}); }
};

// qemu-io that holds an image open, until it goes.
class Holder {
 public:
  explicit Holder(std::vector<std::string> options) {
    std::vector<std::string> argv{"qemu-io", "-c", "sleep 60000"};
    argv.insert(argv.end(), options.begin(), options.end());
    child_ = runner_->spawn({.argv = argv}, {}, false);
  }
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;
  ~Holder() {
    child_.signal(SIGKILL);
    child_.wait(20s);
  }

 private:
  std::unique_ptr<sys::Runner> runner_ = sys::make_process_runner();
  sys::Child child_{-1};
};

// What the image is used for once that is as expected, or after a time in which it should have become so.
ImageUse eventual_use(const std::string& image, ImageUse expected) {
  for (int i = 0; i < 500 && image_use(image) != expected; ++i) std::this_thread::sleep_for(10ms);
  return image_use(image);
}

sys::Fd open_writable(const std::string& path) { return sys::open_file(path, O_RDWR); }

}  // namespace

TEST_CASE("an image that nobody has open is not in use") {
  const Images images;
  CHECK(image_use(images.overlay) == ImageUse::none);
  CHECK(image_use(images.base) == ImageUse::none);
}

TEST_CASE("a missing image is not in use") {
  const test::TemporaryDirectory folder;
  CHECK(image_use(folder / "none") == ImageUse::none);
}

TEST_CASE("an image that QEMU writes is in use for writing until QEMU goes, even by a kill") {
  const Images images;
  {
    const Holder holder({images.overlay});
    CHECK(eventual_use(images.overlay, ImageUse::write) == ImageUse::write);
  }
  CHECK(image_use(images.overlay) == ImageUse::none);
}

TEST_CASE("an image that QEMU reads and lets nobody write is in use for reading") {
  const Images images;
  const Holder holder({"-r", images.overlay});
  CHECK(eventual_use(images.overlay, ImageUse::read) == ImageUse::read);
}

TEST_CASE("looking takes nothing: QEMU opens the image meanwhile") {
  const Images images;
  const sys::Fd ours = open_writable(images.overlay);
  CHECK(image_use(images.overlay) == ImageUse::none);
  const Holder holder({images.overlay});
  CHECK(eventual_use(images.overlay, ImageUse::write) == ImageUse::write);
}

TEST_CASE("an image that we lock is closed to QEMU until our descriptor goes") {
  const Images images;
  sys::Fd ours = open_writable(images.overlay);
  REQUIRE(images.info().exit_status == 0);
  block::lock_image_exclusively(ours.get(), images.overlay);
  const sys::Result refused = images.info();
  CHECK(refused.exit_status != 0);
  CHECK_THAT(refused.err, Catch::Contains("Failed to get shared \"write\" lock"));
  CHECK(run({"qemu-io", "-c", "write 0 4096", images.overlay}).exit_status != 0);
  ours.reset();
  CHECK(images.info().exit_status == 0);
}

TEST_CASE("an image that we lock is in use for writing, seen from this process too") {
  const Images images;
  const sys::Fd ours = open_writable(images.overlay);
  block::lock_image_exclusively(ours.get(), images.overlay);
  CHECK(image_use(images.overlay) == ImageUse::write);
}

TEST_CASE("of two who want an image for themselves the second is told that it is busy, and the first keeps it") {
  const Images images;
  const sys::Fd first = open_writable(images.overlay);
  sys::Fd second = open_writable(images.overlay);
  block::lock_image_exclusively(first.get(), images.overlay);
  const base::Error error = test::error_of([&] { block::lock_image_exclusively(second.get(), images.overlay); });
  CHECK(error.kind() == base::ErrorKind::busy);
  CHECK(error.path() == images.overlay);
  second.reset();
  CHECK(image_use(images.overlay) == ImageUse::write);
}

TEST_CASE("readers that forbid writing go together, and never with a writer, whichever came first") {
  const test::TemporaryDirectory folder;  // which is locked as an image is
  const auto open = [&] { return sys::open_folder(folder.path()); };
  const auto refused = [&](auto lock) {
    const sys::Fd other = open();
    return test::kind_of([&] { lock(other.get(), folder.path()); }) == base::ErrorKind::busy;
  };
  sys::Fd one = open(), two = open();
  block::lock_image_for_reading(one.get(), folder.path());
  block::lock_image_for_reading(two.get(), folder.path());
  CHECK(refused(block::lock_image_exclusively));
  one.reset();
  CHECK(refused(block::lock_image_exclusively));
  two.reset();
  const sys::Fd writer = open();
  block::lock_image_exclusively(writer.get(), folder.path());
  CHECK(refused(block::lock_image_for_reading));
  CHECK(refused(block::lock_image_exclusively));
  CHECK(image_use(folder.path()) == ImageUse::write);
}

TEST_CASE("an image that QEMU has open is busy, for reading as for writing, and failing leaves no lock") {
  for (const bool reading : {true, false}) {
    const Images images;
    const sys::Fd ours = open_writable(images.overlay);
    {
      const ImageUse expected = reading ? ImageUse::read : ImageUse::write;
      const Holder holder(reading ? std::vector<std::string>{"-r", images.overlay} : std::vector{images.overlay});
      REQUIRE(eventual_use(images.overlay, expected) == expected);
      CHECK(test::kind_of([&] { block::lock_image_exclusively(ours.get(), images.overlay); }) == base::ErrorKind::busy);
    }
    CHECK(image_use(images.overlay) == ImageUse::none);
    CHECK(images.info().exit_status == 0);
  }
}

TEST_CASE("the base of an image that is written is not itself in use for writing") {
  const Images images;
  const Holder holder({images.overlay});
  REQUIRE(eventual_use(images.overlay, ImageUse::write) == ImageUse::write);
  CHECK(image_use(images.base) != ImageUse::write);
}

TEST_CASE("a machine holds its layer for writing and its base for reading") {
  if (run({"qemu-system-x86_64", "--version"}).exit_status != 0) {
    WARN("no QEMU on this host");
    return;
  }
  const Images images;
  const auto runner = sys::make_process_runner();
  sys::Child machine = runner->spawn(
      {.argv = {"qemu-system-x86_64", "-nodefaults", "-display", "none", "-S", "-accel", "tcg", "-m", "64", "-blockdev",
                "driver=file,node-name=bf,read-only=on,auto-read-only=off,filename=" + images.base, "-blockdev",
                "driver=raw,node-name=b,file=bf,read-only=on", "-blockdev",
                "driver=file,node-name=of,filename=" + images.overlay, "-blockdev",
                "driver=qcow2,node-name=o,file=of,backing=b", "-device", "virtio-blk-pci,drive=o"}},
      {}, false);
  CHECK(eventual_use(images.overlay, ImageUse::write) == ImageUse::write);
  CHECK(eventual_use(images.base, ImageUse::read) == ImageUse::read);
  machine.signal(SIGKILL);
  REQUIRE(machine.wait(20s));
  CHECK(image_use(images.overlay) == ImageUse::none);
  CHECK(image_use(images.base) == ImageUse::none);
}

TEST_CASE("a lock that a killed program's child has for a moment longer is waited for") {
  const Images images;
  auto taken = sys::open_file(images.overlay, O_RDWR);
  block::lock_image_exclusively(taken.get(), images.overlay);
  const pid_t heir = ::fork();
  if (heir == 0) {
    std::this_thread::sleep_for(60ms);
    ::_exit(0);
  }
  taken.reset();
  auto next = sys::open_file(images.overlay, O_RDWR);
  CHECK_NOTHROW(block::lock_image_exclusively(next.get(), images.overlay));
  CHECK(sys::Child(heir).wait(20s) == 0);
}
