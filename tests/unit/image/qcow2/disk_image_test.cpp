#include "hrvm/image/disk_image.hpp"

#include <fstream>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "unit/image/images.hpp"

namespace hrvm::image::test {
namespace {

using base::ErrorKind;
using block::Extent;
using block::ExtentKind;

constexpr std::uint64_t disk_bytes = 12 * base::MiB;

void create_by_qemu(const Path& path, const std::string& options, std::uint64_t bytes, const std::string& backing = "",
                    const std::string& format = "qcow2") {
  std::vector<std::string> argv = {"qemu-img", "create", "-q", "-f", "qcow2", "-o", options};
  if (!backing.empty()) argv.insert(argv.end(), {"-b", backing, "-F", format});
  argv.insert(argv.end(), {path, std::to_string(bytes)});
  output_of(argv);
}

std::vector<Extent> merged(std::vector<Extent> extents) {
  std::vector<Extent> result;
  for (const auto& extent : extents) {
    if (!result.empty() && result.back().kind == extent.kind) {
      result.back().length += extent.length;
    } else {
      result.push_back(extent);
    }
  }
  return result;
}

std::vector<Extent> extents(block::BlockDevice& device) {
  std::vector<Extent> all;
  for (std::uint64_t offset = 0; offset < device.size(); offset += all.back().length)
    all.push_back(device.extent_at(offset));
  return all;
}

std::vector<Extent> extents_by_qemu(const Path& image) {
  auto map = base::parse_json(output_of({"qemu-img", "map", "--output=json", "-f", "qcow2", image}), "qemu-img map");
  std::vector<Extent> all;
  for (const auto& item : map.items()) {
    all.push_back({*item["start"].unsigned_integer(), *item["length"].unsigned_integer(),
                   *item["zero"].boolean() ? ExtentKind::zero : ExtentKind::data});
  }
  return merged(all);
}

std::optional<ErrorKind> failure_to_read(const Path& path) {
  try {
    content(path);
  } catch (const base::Error& error) {
    UNSCOPED_INFO(error.message());
    return error.kind();
  }
  return std::nullopt;
}

// base (raw) <- lower (qcow2) <- upper (qcow2), each written to at random.
void make_random_chain(const Folder& folder, Random& random, const std::string& lower, const std::string& upper) {
  auto size = [&] { return disk_bytes - below(random, 3) * (2 * base::MiB + 512); };
  auto base_bytes = size(), lower_bytes = size();
  make_raw(folder / "base", base_bytes);
  qemu_io(folder / "base", "raw", random_program(random, base_bytes, 30));
  create_by_qemu(folder / "lower", lower, lower_bytes, "base", "raw");
  qemu_io(folder / "lower", "qcow2", random_program(random, lower_bytes, 30));
  create_by_qemu(folder / "upper", upper, disk_bytes, "lower");
  qemu_io(folder / "upper", "qcow2", random_program(random, disk_bytes, 30));
}

const std::vector<std::string> kinds = {"cluster_size=512",
                                        "cluster_size=64k",
                                        "cluster_size=2M",
                                        "cluster_size=4k,compat=0.10",
                                        "cluster_size=64k,extended_l2=on",
                                        "cluster_size=128k,extended_l2=on",
                                        "cluster_size=2M,extended_l2=on",
                                        "cluster_size=64k,lazy_refcounts=on"};

}  // namespace

TEST_CASE("a chain reads as QEMU reads it, whatever its images are made of and whichever is longer") {
  Random random(GENERATE(1, 2));
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    Folder folder;
    const auto& lower = kinds[below(random, kinds.size())];
    CAPTURE(lower, kinds[i]);
    make_random_chain(folder, random, lower, kinds[i]);
    auto image = open_image(folder / "upper", ImageFormat::qcow2);
    CHECK((content(*image) == content_by_qemu(folder / "upper", folder / "scratch")));
    auto known = extents(*image);
    CHECK(merged(known) == extents_by_qemu(folder / "upper"));
  }
}

TEST_CASE("a read at any place and of any length gives that part of the disk") {
  Folder folder;
  Random random(7);
  make_random_chain(folder, random, kinds[5], kinds[4]);
  auto image = open_image(folder / "upper", ImageFormat::qcow2);
  auto whole = content(*image);
  for (int i = 0; i < 500; ++i) {
    auto offset = below(random, disk_bytes);
    auto length = below(random, std::min<std::uint64_t>(disk_bytes - offset, 300000)) + 1;
    auto part = image->read(offset, std::size_t(length));
    REQUIRE(std::equal(part.begin(), part.end(), whole.begin() + std::ptrdiff_t(offset)));
  }
}

TEST_CASE("a read that leaves the disk is an error, and one of nothing at its end is none") {
  Folder folder;
  make(folder / "image", {base::MiB, Geometry{}, std::nullopt});
  auto image = open_image(folder / "image", ImageFormat::qcow2);
  CHECK(image->read(base::MiB, 0).empty());
  CHECK_THROWS_AS(image->read(base::MiB - 1, 2), base::Error);
  CHECK_THROWS_AS(image->read(~0ull, 1), base::Error);
}

TEST_CASE("the extents of a hole of 16 TiB are told in few steps") {
  Folder folder;
  make(folder / "image", {16 * base::TiB, Geometry{}, std::nullopt});
  auto image = open_image(folder / "image", ImageFormat::qcow2);
  auto all = extents(*image);
  CHECK(all.size() <= 16384);
  CHECK(merged(all) == std::vector<Extent>{{0, 16 * base::TiB, ExtentKind::zero}});
}

TEST_CASE("the base is opened by whoever asks for it, under the absolute path of its name") {
  Folder folder;
  make(folder / "lower", {base::MiB, Geometry{}, BackingReference{"somewhere", "raw"}});
  make(folder / "upper", {base::MiB, Geometry{}, BackingReference{"lower", "qcow2"}});
  std::vector<std::string> asked;
  auto opener = [&](const BackingReference& backing) {
    asked.push_back(backing.path);
    return block::memory_device(Bytes(base::MiB, std::byte{0x5a}), "found");
  };
  auto image = open_image(folder / "upper", ImageFormat::qcow2, opener);
  CHECK(asked == std::vector<std::string>{(folder / "somewhere").string()});
  CHECK(content(*image) == Bytes(base::MiB, std::byte{0x5a}));
}

TEST_CASE("a disk of 4096-byte sectors still has them when seen through its layers") {
  Folder folder;
  make(folder / "image", {base::MiB, Geometry{}, BackingReference{"disk", "raw"}});
  auto opener = [&](const BackingReference&) { return block::memory_device(Bytes(base::MiB), "disk", {4096, 4096}); };
  CHECK(open_image(folder / "image", ImageFormat::qcow2, opener)->sector_sizes() == block::SectorSizes{4096, 4096});
}

TEST_CASE("a base named as raw is never probed, even when it looks like an image") {
  Folder folder;
  make(folder / "base", {base::MiB, Geometry{}, std::nullopt});
  make(folder / "image", {base::MiB, Geometry{}, BackingReference{"base", "raw"}});
  auto first = open_image(folder / "image", ImageFormat::qcow2)->read(0, 4);
  CHECK(first == Bytes{std::byte{'Q'}, std::byte{'F'}, std::byte{'I'}, std::byte{0xfb}});
}

TEST_CASE("what an image's header says is told without its chain") {
  Folder folder;
  make(folder / "image", {base::GiB, Geometry{}, BackingReference{"/nowhere", "raw"}});
  auto says = read_info(folder / "image");
  CHECK(says.format == ImageFormat::qcow2);
  CHECK(says.virtual_bytes == base::GiB);
  CHECK(says.cluster_bytes == 128 * 1024);
  CHECK(says.subclusters);
  CHECK(says.allocated_bytes == sys::status(folder / "image").allocated_bytes);
  CHECK(says.backing->path == "/nowhere");
  CHECK(says.backing->format == "raw");

  make_raw(folder / "raw", 3);
  CHECK(read_info(folder / "raw").format == ImageFormat::raw);
  CHECK(read_info(folder / "raw").virtual_bytes == 3);
  CHECK(read_info(folder / "image", ImageFormat::raw).cluster_bytes == 0);
}

TEST_CASE("an image that backs itself is corrupt, by whatever name") {
  Folder folder;
  make(folder / "a", {base::MiB, Geometry{}, BackingReference{"b", "qcow2"}});
  make(folder / "b", {base::MiB, Geometry{}, BackingReference{"link", "qcow2"}});
  std::filesystem::create_symlink("a", folder / "link");
  CHECK(failure_to_read(folder / "a") == ErrorKind::corrupt);
}

TEST_CASE("a chain of 64 images is read, and one of 65 is refused") {
  Folder folder;
  for (int i = 0; i <= 64; ++i) {
    std::optional<BackingReference> backing;
    if (i > 0) backing = BackingReference{std::to_string(i - 1), "qcow2"};
    make(folder / std::to_string(i), {base::MiB, Geometry{}, backing});
  }
  CHECK(failure_to_read(folder / "63") == std::nullopt);
  CHECK(failure_to_read(folder / "64") == ErrorKind::unsupported);
}

TEST_CASE("a missing backing file is not found, and a protocol or strange format is unsupported") {
  Folder folder;
  auto with = [&](const std::string& path, const std::string& format) {
    make(folder / "image", {base::MiB, Geometry{}, BackingReference{path, format}});
    return failure_to_read(folder / "image");
  };
  CHECK(with("none", "raw") == ErrorKind::not_found);
  CHECK(with("none", "qcow2") == ErrorKind::not_found);
  CHECK(with("nbd://localhost/x", "raw") == ErrorKind::unsupported);
  CHECK(with("json:{}", "raw") == ErrorKind::unsupported);
  CHECK(with("disk.qed", "qed") == ErrorKind::unsupported);
}

TEST_CASE("what hrvm does not read is refused by name") {
  Folder folder;
  auto reason = [&](const Path& path) -> std::string {
    try {
      content(path);
    } catch (const base::Error& error) {
      CHECK(error.kind() == ErrorKind::unsupported);
      return error.message();
    }
    return "";
  };
  using Catch::Matchers::Contains;
  create_by_qemu(folder / "external", "data_file=" + (folder / "data").string(), base::MiB);
  CHECK_THAT(reason(folder / "external"), Contains("external data file"));
  output_of({"qemu-img", "create", "-q", "-f", "qcow2", "--object", "secret,id=s,data=x", "-o",
             "encrypt.format=aes,encrypt.key-secret=s", folder / "encrypted", "1M"});
  CHECK_THAT(reason(folder / "encrypted"), Contains("encryption"));
}

}  // namespace hrvm::image::test
