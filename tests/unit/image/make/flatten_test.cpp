#include "hrvm/image/flatten.hpp"

#include "hrvm/base/byte_size.hpp"
#include "unit/image/images.hpp"

namespace hrvm::image::test {
namespace {

std::uint64_t flatten_to(const Path& path, block::BlockDevice& source, const FlatForm& form) {
  auto fd = sys::open_file(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
  std::uint64_t last = 0;
  flatten(source, fd.get(), path.string(), form, [&](std::uint64_t done) {
    CHECK(done >= last);
    last = done;
  });
  return last;
}

}  // namespace

TEST_CASE("a flattened chain stands alone and shows the same, in every geometry and as raw") {
  Random random(3);
  Folder folder;
  make_raw(folder / "base", 20 * base::MiB);
  qemu_io(folder / "base", "raw", random_program(random, 20 * base::MiB, 40));
  make(folder / "layer", {24 * base::MiB + 512, Geometry{}, BackingReference{"base", "raw"}});
  qemu_io(folder / "layer", "qcow2", random_program(random, 24 * base::MiB, 40));
  auto source = open_image(folder / "layer", ImageFormat::qcow2);
  auto shown = content(*source);
  for (const auto& geometry : {Geometry{}, Geometry::classic(), plain(9), plain(21), extended(14), extended(21)}) {
    CAPTURE(geometry.cluster_bytes, geometry.extended_l2);
    CHECK(flatten_to(folder / "flat", *source, {ImageFormat::qcow2, geometry}) == source->size());
    CHECK(check(folder / "flat") == 0);
    CHECK((content_by_qemu(folder / "flat", folder / "scratch") == shown));
    CHECK((content(folder / "flat") == shown));
    CHECK_FALSE(read_info(folder / "flat").backing.has_value());
  }
  CHECK(flatten_to(folder / "raw", *source, {ImageFormat::raw}) == source->size());
  CHECK((content(folder / "raw", ImageFormat::raw) == shown));
}

TEST_CASE("compressed, a chain stands alone and shows the same, in every geometry, by zlib and by zstd") {
  const auto compression = GENERATE(Compression::zlib, Compression::zstd);
  Random random(5);
  Folder folder;
  make_raw(folder / "base", 20 * base::MiB);
  qemu_io(folder / "base", "raw", random_program(random, 20 * base::MiB, 40));
  // What cannot be compressed, so that clusters of both kinds lie side by side.
  Bytes noise(3 * base::MiB);
  for (auto& byte : noise) byte = std::byte(random());
  sys::write_fully(sys::open_file(folder / "base", O_WRONLY).get(), noise, 7 * base::MiB + 512, "base");
  make(folder / "layer", {24 * base::MiB + 512, Geometry{}, BackingReference{"base", "raw"}});
  qemu_io(folder / "layer", "qcow2", random_program(random, 24 * base::MiB, 40));
  auto source = open_image(folder / "layer", ImageFormat::qcow2);
  auto shown = content(*source);
  for (const auto& geometry : {Geometry{}, Geometry::classic(), plain(9), plain(21), extended(14)}) {
    CAPTURE(geometry.cluster_bytes, geometry.extended_l2);
    flatten_to(folder / "plain", *source, {ImageFormat::qcow2, geometry});
    flatten_to(folder / "flat", *source, {ImageFormat::qcow2, geometry, compression});
    CHECK(check(folder / "flat") == 0);
    CHECK((content_by_qemu(folder / "flat", folder / "scratch") == shown));
    CHECK((content(folder / "flat") == shown));
    CHECK(read_info(folder / "flat").compression == word(compression));
    CHECK(sys::status(folder / "flat").size_bytes < sys::status(folder / "plain").size_bytes);
  }
  qemu_io(folder / "flat", "qcow2", random_program(random, 24 * base::MiB, 30));
  CHECK(check(folder / "flat") == 0);
}

TEST_CASE("zeros are not allocated by flattening, neither holes nor those that were written") {
  Folder folder;
  make(folder / "layer", {64 * base::MiB, Geometry{}, std::nullopt});
  qemu_io(folder / "layer", "qcow2", {"write -P 0 0 32M", "write -P 5 40M 4k", "write -P 5 41947136 4k"});
  auto source = open_image(folder / "layer", ImageFormat::qcow2);
  flatten_to(folder / "flat", *source, {ImageFormat::qcow2, Geometry{}});
  CHECK(sys::status(folder / "flat").size_bytes < base::MiB);
  flatten_to(folder / "raw", *source, {ImageFormat::raw});
  CHECK(sys::status(folder / "raw").allocated_bytes <= 2 * 4096);
}

TEST_CASE("an image that was flattened can be written to by QEMU") {
  Folder folder;
  Random random(11);
  make(folder / "layer", {100 * base::MiB, plain(9), std::nullopt});
  qemu_io(folder / "layer", "qcow2", {"write -P 3 1M 12M"});
  flatten_to(folder / "flat", *open_image(folder / "layer", ImageFormat::qcow2), {ImageFormat::qcow2, plain(9)});
  CHECK(check(folder / "flat") == 0);
  qemu_io(folder / "flat", "qcow2", random_program(random, 100 * base::MiB, 50));
  CHECK(check(folder / "flat") == 0);
}

TEST_CASE("a file that is no whole number of sectors gets the rest of its last sector as zeros") {
  Folder folder;
  auto source = block::memory_device(Bytes(1000, std::byte{1}), "odd");
  flatten_to(folder / "flat", *source, {ImageFormat::qcow2, Geometry{}});
  auto bytes = content(folder / "flat");
  CHECK(bytes.size() == 1024);
  CHECK(bytes[999] == std::byte{1});
  CHECK(bytes[1000] == std::byte{0});
}

}  // namespace hrvm::image::test
