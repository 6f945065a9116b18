#include "hrvm/block/output_file.hpp"

#include <fcntl.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <memory>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/sys/files.hpp"
#include "support/failing.hpp"
#include "support/temporary_directory.hpp"

using namespace hrvm;
using base::KiB, base::MiB;
using block::Cloning, block::OutputFile;

namespace {

struct FreeAligned {
  void operator()(std::byte* bytes) const { std::free(bytes); }
};

struct Fixture {
  test::TemporaryDirectory folder;
  sys::Path path = folder / "out";
  sys::Fd fd = sys::open_file(path, O_CREAT | O_EXCL | O_RDWR, 0600);
  OutputFile out{fd.get(), path.string()};
  std::unique_ptr<std::byte[], FreeAligned> memory{static_cast<std::byte*>(std::aligned_alloc(4096, MiB))};
  std::span<std::byte> buffer{memory.get(), MiB};

  std::string text() const { return sys::read_file(path, 64 * MiB); }
};

}  // namespace

TEST_CASE("what is written is there, aligned or not, large or small, whichever way it goes") {
  Fixture f;
  std::memset(f.buffer.data(), 'a', MiB);
  f.out.write(0, f.buffer);
  std::memset(f.buffer.data(), 'b', MiB);
  f.out.write(MiB + 1, f.buffer);
  f.out.write(512 * KiB, f.buffer.first(4 * KiB));
  f.out.write(256 * KiB, f.buffer.subspan(3, 128 * KiB));
  f.out.write(3 * MiB, f.buffer.first(200 * KiB + 512));
  auto expected = std::string(MiB, 'a') + '\0' + std::string(MiB, 'b');
  expected.replace(512 * KiB, 4 * KiB, 4 * KiB, 'b');
  expected.replace(256 * KiB, 128 * KiB, 128 * KiB, 'b');
  expected.resize(3 * MiB);
  expected += std::string(200 * KiB + 512, 'b');
  CHECK((f.text() == expected));
}

TEST_CASE("space that is reserved reads as zeros, and goes when the file is cut") {
  Fixture f;
  std::memset(f.buffer.data(), 'a', MiB);
  f.out.reserve(0, 8 * MiB);
  f.out.write(MiB, f.buffer);
  f.out.set_size(2 * MiB);
  CHECK((f.text() == std::string(MiB, '\0') + std::string(MiB, 'a')));
  CHECK(sys::status(f.path).allocated_bytes <= 2 * MiB + 64 * KiB);
}

TEST_CASE("a clone is tried, and shows the same where it can be made; else nothing has changed") {
  Fixture f;
  f.folder.write("source", std::string(MiB, 's'));
  const auto source = sys::open_file(f.folder / "source", O_RDONLY);
  const block::RawLocation from{source.get(), 64 * KiB};
  CHECK(f.out.cloning(from) == Cloning::unknown);
  const bool done = f.out.clone(from, 128 * KiB, 256 * KiB);
  CHECK(f.out.cloning(from) == (done ? Cloning::possible : Cloning::impossible));
  CHECK(f.out.has_cloned() == done);
  const auto expected = std::string(256 * KiB, '\0') + std::string(128 * KiB, 's');
  CHECK((f.text() == (done ? expected : "")));
}

TEST_CASE("a write that fails names the file and the offset") {
  const auto full = sys::open_file("/dev/full", O_RDWR);
  OutputFile out(full.get(), "the file");
  const std::vector<std::byte> bytes(4096);
  CHECK(test::kind_of([&] { out.write(8192, bytes); }) == base::ErrorKind::io);
}
