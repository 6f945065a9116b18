#include "hrvm/image/create.hpp"

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "unit/image/images.hpp"

namespace hrvm::image::test {
namespace {

using base::ErrorKind;

std::vector<Geometry> all_geometries() {
  std::vector<Geometry> all;
  for (unsigned bits = 9; bits <= 21; ++bits) all.push_back(plain(bits));
  for (unsigned bits = 14; bits <= 21; ++bits) all.push_back(extended(bits));
  return all;
}

// A path of that length to a file in the folder.
std::string path_of_length(const Folder& folder, std::size_t length) {
  auto last = std::string("base"), start = (folder / "").string();
  return start + std::string(length - start.size() - last.size(), '/') + last;
}

std::optional<ErrorKind> failure(const Path& path, const NewImage& image) {
  try {
    make(path, image);
  } catch (const base::Error& error) {
    return error.kind();
  }
  return std::nullopt;
}

}  // namespace

TEST_CASE("a new image of every geometry is clean for qemu-img, and says what was asked for") {
  Folder folder;
  make_raw(folder / "base", base::GiB);
  for (const auto& geometry : all_geometries()) {
    auto path = folder / "layer.qcow2";
    make(path, {base::GiB, geometry, BackingReference{"base", "raw"}});
    CAPTURE(geometry.cluster_bytes, geometry.extended_l2);
    CHECK(check(path) == 0);
    auto says = info(path);
    CHECK(says["virtual-size"].unsigned_integer() == base::GiB);
    CHECK(says["cluster-size"].unsigned_integer() == geometry.cluster_bytes);
    CHECK(says["backing-filename"].text() == "base");
    CHECK(says["backing-filename-format"].text() == "raw");
    CHECK(says.at_path("format-specific.data.compat").text() == "1.1");
    CHECK(says.at_path("format-specific.data.extended-l2").boolean() == geometry.extended_l2);
    CHECK(says.at_path("format-specific.data.corrupt").boolean() == false);
  }
}

TEST_CASE("a new image of every geometry stays clean when QEMU writes to it") {
  Folder folder;
  for (const auto& geometry : all_geometries()) {
    auto path = folder / "layer.qcow2";
    make(path, {64 * base::MiB, geometry, std::nullopt});
    CAPTURE(geometry.cluster_bytes, geometry.extended_l2);
    qemu_io(path, "qcow2", {"write -P 7 0 9M", "write -P 9 40001024 512", "read -P 7 0 9M", "read -P 0 9M 1M"});
    CHECK(check(path) == 0);
  }
}

TEST_CASE("a disk of 16 TiB gets an image that is clean") {
  Folder folder;
  make_raw(folder / "base", base::GiB);
  for (const auto& geometry : {Geometry{}, Geometry::classic()}) {
    auto path = folder / "layer.qcow2";
    make(path, {16 * base::TiB, geometry, BackingReference{"base", "raw"}});
    CHECK(check(path) == 0);
    qemu_io(path, "qcow2", {"write -P 5 17592186040320 4k", "read -P 5 17592186040320 4k"});
    CHECK(check(path) == 0);
  }
}

TEST_CASE("an L1 table that needs several refcount blocks and more than one cluster for their table is counted right") {
  Folder folder;
  auto path = folder / "layer.qcow2";
  make(path, {100 * base::GiB, plain(9), std::nullopt});
  CHECK(check(path) == 0);
  qemu_io(path, "qcow2", {"write -P 5 0 64k", "write -P 6 107374116864 64k"});
  CHECK(check(path) == 0);
}

TEST_CASE("an empty disk and a disk of one sector get clean images") {
  Folder folder;
  for (std::uint64_t bytes : {0, 512}) {
    make(folder / "layer.qcow2", {bytes, Geometry{}, std::nullopt});
    CHECK(check(folder / "layer.qcow2") == 0);
    CHECK(info(folder / "layer.qcow2")["virtual-size"].unsigned_integer() == bytes);
  }
}

TEST_CASE("a new image takes three blocks of disk, whatever the size of its clusters") {
  Folder folder;
  for (const auto& geometry : {Geometry{}, Geometry::classic(), extended(21)}) {
    make(folder / "layer.qcow2", {238 * base::GiB, geometry, BackingReference{"/dev/sda", "raw"}});
    CHECK(sys::status(folder / "layer.qcow2").allocated_bytes <= 3 * 4096);
  }
}

TEST_CASE("the longest backing path that qcow2 knows is recorded whole") {
  Folder folder;
  make_raw(folder / "base", base::MiB);
  auto longest = path_of_length(folder, 1023);
  make(folder / "layer.qcow2", {base::MiB, Geometry{}, BackingReference{longest, "raw"}});
  CHECK(check(folder / "layer.qcow2") == 0);
  CHECK(info(folder / "layer.qcow2")["backing-filename"].text() == longest);
  CHECK(failure(folder / "b", {base::MiB, Geometry{}, BackingReference{longest + "x", "raw"}}) == ErrorKind::usage);
}

TEST_CASE("the names of features give way to a backing path in small clusters") {
  Folder folder;
  make_raw(folder / "base", base::MiB);
  auto path = path_of_length(folder, 384);
  make(folder / "layer.qcow2", {base::MiB, plain(9), BackingReference{path, "raw"}});
  CHECK(check(folder / "layer.qcow2") == 0);
  CHECK(info(folder / "layer.qcow2")["backing-filename"].text() == path);
  CHECK(failure(folder / "b", {base::MiB, plain(9), BackingReference{path + "x", "raw"}}) == ErrorKind::unsupported);
}

TEST_CASE("a geometry that qcow2 does not know is wrong usage") {
  Folder folder;
  auto path = folder / "layer.qcow2";
  for (const auto& geometry : {Geometry{0, false}, Geometry{256, false}, Geometry{65537, false}, Geometry{98304, true},
                               Geometry{4u << 20, false}, Geometry{8192, true}}) {
    CAPTURE(geometry.cluster_bytes);
    CHECK(failure(path, {base::GiB, geometry, std::nullopt}) == ErrorKind::usage);
  }
  CHECK(failure(path, {1000, Geometry{}, std::nullopt}) == ErrorKind::usage);
  CHECK(failure(path, {base::GiB, Geometry{}, BackingReference{"base", ""}}) == ErrorKind::usage);
}

TEST_CASE("a disk beyond the largest L1 table is refused, and one at that limit is not") {
  Folder folder;
  auto path = folder / "layer.qcow2";
  CHECK(failure(path, {128 * base::GiB, plain(9), std::nullopt}) == std::nullopt);
  CHECK(failure(path, {128 * base::GiB + 512, plain(9), std::nullopt}) == ErrorKind::unsupported);
  CHECK(failure(path, {~0ull - 511, Geometry{}, std::nullopt}) == ErrorKind::unsupported);
}

}  // namespace hrvm::image::test
