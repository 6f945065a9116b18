#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/block/devices.hpp"
#include "support/failing.hpp"
#include "support/temporary_directory.hpp"

using namespace hrvm;
using base::ErrorKind, base::KiB, base::MiB;
using block::Extent, block::ExtentKind;
using test::error_of, test::kind_of, test::TemporaryDirectory;

namespace {

std::vector<std::byte> bytes(std::string_view text) {
  const auto all = std::as_bytes(std::span(text));
  return {all.begin(), all.end()};
}

std::string text(const std::vector<std::byte>& all) {
  std::string result;
  for (const std::byte one : all) result += char(one);
  return result;
}

// A sparse file with data where it is told.
std::filesystem::path sparse(const TemporaryDirectory& folder, std::uint64_t size, const std::vector<Extent>& data) {
  const auto path = folder.write("sparse", "");
  std::filesystem::resize_file(path, size);
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  for (const Extent& extent : data) {
    file.seekp(std::streamoff(extent.offset));
    file << std::string(extent.length, 'x');
  }
  return path;
}

std::vector<Extent> extents_of(block::BlockDevice& device) {
  std::vector<Extent> all;
  for (std::uint64_t offset = 0; offset < device.size(); offset += all.back().length)
    all.push_back(device.extent_at(offset));
  return all;
}

}  // namespace

TEST_CASE("an image file is read at any offset, and has sectors of 512 bytes") {
  const TemporaryDirectory folder;
  const auto device = block::open_device(folder.write("image", "0123456789"));
  CHECK(device->size() == 10);
  CHECK(text(device->read(3, std::size_t{4})) == "3456");
  CHECK(text(device->read(10, std::size_t{0})).empty());
  CHECK(device->sector_sizes() == block::SectorSizes{512, 512});
  CHECK(device->name() == (folder / "image").string());
}

TEST_CASE("a read that leaves the device is corrupt, names device and offset, and takes no memory") {
  const TemporaryDirectory folder;
  const auto device = block::open_device(folder.write("image", "0123456789"));
  const std::pair<std::uint64_t, std::size_t> outside[] = {{0, 11},         {10, 1},
                                                           {11, 0},         {5, 6},
                                                           {UINT64_MAX, 1}, {UINT64_MAX, SIZE_MAX},
                                                           {1, SIZE_MAX},   {0, std::size_t{1} << 60}};
  for (const auto& [offset, length] : outside) {
    const base::Error error = error_of([&] { device->read(offset, length); });
    CHECK(error.kind() == ErrorKind::corrupt);
    CHECK(error.path() == device->name());
    CHECK(error.offset() == offset);
    CHECK_THAT(error.message(), Catch::Contains(device->name()));
  }
}

TEST_CASE("a span that leaves the device is refused as well, and is not touched") {
  const auto device = block::memory_device(bytes("0123"), "m");
  auto buffer = bytes("abcde");
  CHECK(kind_of([&] { device->read(0, std::span(buffer)); }) == ErrorKind::corrupt);
  CHECK(text(buffer) == "abcde");
}

TEST_CASE("a file that became shorter is an I/O error at the place where it ends") {
  const TemporaryDirectory folder;
  const auto path = folder.write("image", std::string(8192, 'x'));
  const auto device = block::open_device(path);
  std::filesystem::resize_file(path, 5000);
  const base::Error error = error_of([&] { device->read(4096, std::size_t{4096}); });
  CHECK(error.kind() == ErrorKind::io);
  CHECK(error.offset() == 5000u);
}

TEST_CASE("folders, character devices, FIFOs and sockets are not opened, and nothing waits") {
  const TemporaryDirectory folder;
  REQUIRE(::mkfifo((folder / "fifo").c_str(), 0600) == 0);
  REQUIRE(::mknod((folder / "socket").c_str(), S_IFSOCK | 0600, 0) == 0);
  for (const auto& path : {folder.path(), folder / "fifo", folder / "socket", std::filesystem::path("/dev/zero")})
    CHECK(kind_of([&] { block::open_device(path); }) == ErrorKind::unsupported);
  CHECK_THAT(error_of([&] { block::open_device(folder.path()); }).message(), Catch::Contains("is a folder"));
}

TEST_CASE("what is not there is not found") {
  const TemporaryDirectory folder;
  CHECK(kind_of([&] { block::open_device(folder / "none"); }) == ErrorKind::not_found);
  CHECK(kind_of([&] { block::open_device(folder.link("dangling", "none")); }) == ErrorKind::not_found);
}

TEST_CASE("a file is opened for reading only") {
  const TemporaryDirectory folder;
  const auto device = block::open_device(folder.write("image", "x"));
  const auto location = device->raw_location();
  REQUIRE(location);
  CHECK(location->offset == 0);
  CHECK(::write(location->fd, "y", 1) == -1);
}

TEST_CASE("an empty file is a device without bytes") {
  const TemporaryDirectory folder;
  const auto device = block::open_device(folder.write("empty", ""));
  CHECK(device->size() == 0);
  CHECK(kind_of([&] { device->extent_at(0); }) == ErrorKind::corrupt);
}

TEST_CASE("holes of a file are known to be zero, and data and holes alternate") {
  const TemporaryDirectory folder;
  const auto path = sparse(folder, 16 * MiB, {{0, 64 * KiB}, {4 * MiB, 64 * KiB}, {4 * MiB + 64 * KiB, 64 * KiB}});
  const auto device = block::open_device(path);
  CHECK(extents_of(*device) == std::vector<Extent>{{0, 64 * KiB, ExtentKind::data},
                                                   {64 * KiB, 4 * MiB - 64 * KiB, ExtentKind::zero},
                                                   {4 * MiB, 128 * KiB, ExtentKind::data},
                                                   {4 * MiB + 128 * KiB, 12 * MiB - 128 * KiB, ExtentKind::zero}});
}

TEST_CASE("an extent starts where it was asked for") {
  const TemporaryDirectory folder;
  const auto device = block::open_device(sparse(folder, 16 * MiB, {{4 * MiB, 64 * KiB}}));
  CHECK(device->extent_at(5000) == Extent{5000, 4 * MiB - 5000, ExtentKind::zero});
  CHECK(device->extent_at(4 * MiB + 1) == Extent{4 * MiB + 1, 64 * KiB - 1, ExtentKind::data});
  CHECK(device->extent_at(16 * MiB - 1) == Extent{16 * MiB - 1, 1, ExtentKind::zero});
}

TEST_CASE("what a file grew by after it was opened is no part of the device") {
  const TemporaryDirectory folder;
  const auto path = sparse(folder, 1 * MiB, {});
  const auto device = block::open_device(path);
  std::filesystem::resize_file(path, 64 * MiB);
  CHECK(device->size() == 1 * MiB);
  CHECK(extents_of(*device) == std::vector<Extent>{{0, 1 * MiB, ExtentKind::zero}});
}

TEST_CASE("asking for an extent moves no reader") {
  const TemporaryDirectory folder;
  const auto device = block::open_device(folder.write("image", "0123456789"));
  device->extent_at(5);
  CHECK(text(device->read(0, std::size_t{2})) == "01");
}

TEST_CASE("memory is a device with the sectors and the name it was given") {
  const auto device = block::memory_device(bytes("0123456789"), "a page", {4096, 4096});
  CHECK(text(device->read(8, std::size_t{2})) == "89");
  CHECK(device->sector_sizes() == block::SectorSizes{4096, 4096});
  CHECK(device->name() == "a page");
  CHECK_FALSE(device->raw_location());
  CHECK(device->extent_at(4) == Extent{4, 6, ExtentKind::data});
}

TEST_CASE("a slice shows its part of the parent and nothing beside it") {
  const auto parent = block::memory_device(bytes("0123456789"), "disk", {4096, 4096});
  const auto part = block::slice(*parent, 2, 5, "disk (partition 1)");
  CHECK(part->size() == 5);
  CHECK(text(part->read(0, std::size_t{5})) == "23456");
  CHECK(part->sector_sizes() == block::SectorSizes{4096, 4096});
  const base::Error error = error_of([&] { part->read(4, std::size_t{2}); });
  CHECK(error.kind() == ErrorKind::corrupt);
  CHECK(error.path() == "disk (partition 1)");
  CHECK(kind_of([&] { part->read(UINT64_MAX, std::size_t{2}); }) == ErrorKind::corrupt);
}

TEST_CASE("a slice of a slice lies where both offsets lead") {
  const auto parent = block::memory_device(bytes("0123456789"), "disk");
  const auto part = block::slice(*parent, 2, 6, "part");
  CHECK(text(block::slice(*part, 3, 2, "volume")->read(0, std::size_t{2})) == "56");
}

TEST_CASE("a slice beyond its parent's end is corrupt at once") {
  const auto parent = block::memory_device(bytes("0123456789"), "disk");
  const std::pair<std::uint64_t, std::uint64_t> outside[] = {
      {0, 11}, {10, 1}, {11, 0}, {5, UINT64_MAX}, {UINT64_MAX, 2}};
  for (const auto& [offset, length] : outside)
    CHECK(kind_of([&] { block::slice(*parent, offset, length, "part"); }) == ErrorKind::corrupt);
  CHECK(block::slice(*parent, 10, 0, "part")->size() == 0);
}

TEST_CASE("extents and the raw place of a slice count from its own beginning and stop at its end") {
  const TemporaryDirectory folder;
  const auto parent = block::open_device(sparse(folder, 16 * MiB, {{4 * MiB, 64 * KiB}}));
  const auto part = block::slice(*parent, 3 * MiB, 2 * MiB, "part");
  CHECK(extents_of(*part) == std::vector<Extent>{{0, 1 * MiB, ExtentKind::zero},
                                                 {1 * MiB, 64 * KiB, ExtentKind::data},
                                                 {1 * MiB + 64 * KiB, 960 * KiB, ExtentKind::zero}});
  CHECK(part->raw_location().value().offset == 3 * MiB);
  CHECK(part->raw_location()->fd == parent->raw_location()->fd);
}

TEST_CASE("another view has other sectors and the same bytes and name") {
  const auto parent = block::memory_device(bytes("0123456789"), "disk");
  const auto view = block::with_sectors(*parent, {4096, 4096});
  CHECK(view->sector_sizes() == block::SectorSizes{4096, 4096});
  CHECK(view->name() == "disk");
  CHECK(text(view->read(0, std::size_t{10})) == "0123456789");
}
