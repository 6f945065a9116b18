#include "hrvm/image/merge.hpp"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/block/image_lock.hpp"
#include "image/merge/merge_images.hpp"
#include "image/qcow2/header.hpp"
#include "unit/image/images.hpp"
#include "unit/image/power_cut.hpp"

namespace hrvm::image::test {
namespace {

using base::ErrorKind;

constexpr int leaks_only = 3;
const sys::ProgressCallback quiet = [](std::uint64_t) {};

struct Layer {
  Geometry geometry;
  std::uint64_t bytes;
};

// base (raw) <- 0 <- 1 <- 2 …, each written to at random. The first has no backing when `base_bytes` is 0.
void make_chain(const Folder& folder, Random& random, std::uint64_t base_bytes, const std::vector<Layer>& layers,
                int steps = 25) {
  std::optional<BackingReference> backing;
  if (base_bytes != 0) {
    make_raw(folder / "base", base_bytes);
    qemu_io(folder / "base", "raw", random_program(random, base_bytes, steps));
    backing = BackingReference{"base", "raw"};
  }
  for (std::size_t i = 0; i < layers.size(); ++i) {
    auto path = folder / std::to_string(i);
    make(path, {layers[i].bytes, layers[i].geometry, backing});
    qemu_io(path, "qcow2", random_program(random, layers[i].bytes, steps));
    backing = BackingReference{std::to_string(i), "qcow2"};
  }
}

std::optional<ErrorKind> failure_to_merge(const Path& parent, const Path& child) {
  try {
    merge_parent_into_child(parent, child, quiet);
  } catch (const base::Error& error) {
    UNSCOPED_INFO(error.message());
    return error.kind();
  }
  return std::nullopt;
}

ImageHeader header_of(const Path& path) {
  auto file = block::open_device(path);
  return read_header(*file);
}

}  // namespace

TEST_CASE("what a child shows is the same after a merge, and its parent is needed no more") {
  auto seed = GENERATE(range(0, 12));
  Random random(std::uint64_t(seed) + 100);
  static const std::vector<Geometry> kinds = {Geometry{}, Geometry::classic(), extended(14), plain(9),
                                              plain(16),  extended(16),        plain(12),    extended(21)};
  auto kind = [&] { return kinds[below(random, kinds.size())]; };
  auto size = [&] { return 8 * base::MiB + below(random, 5) * (base::MiB + 512); };
  Folder folder;
  auto base_bytes = below(random, 4) == 0 ? 0 : size();
  std::vector<Layer> layers = {{kind(), size()}, {kind(), size()}, {kind(), size()}};
  make_chain(folder, random, base_bytes, layers);
  for (const auto& layer : layers)
    UNSCOPED_INFO(layer.geometry.cluster_bytes << " " << layer.geometry.extended_l2 << " " << layer.bytes);
  CAPTURE(seed, base_bytes);
  auto before = content_by_qemu(folder / "2", folder / "scratch");
  auto grandparent = content(folder / "0");

  merge_parent_into_child(folder / "1", folder / "2", quiet);
  std::filesystem::remove(folder / "1");
  CHECK(check(folder / "2") == 0);
  CHECK(header_of(folder / "2").backing->path == "0");
  REQUIRE((content_by_qemu(folder / "2", folder / "scratch") == before));
  REQUIRE((content(folder / "0") == grandparent));

  merge_parent_into_child(folder / "0", folder / "2", quiet);
  std::filesystem::remove(folder / "0");
  CHECK(check(folder / "2") == 0);
  CHECK(header_of(folder / "2").backing.has_value() == (base_bytes != 0));
  REQUIRE((content_by_qemu(folder / "2", folder / "scratch") == before));
  REQUIRE((content(folder / "2") == before));

  qemu_io(folder / "2", "qcow2", random_program(random, layers[2].bytes, 25));
  CHECK(check(folder / "2") == 0);
}

TEST_CASE("a child takes over only what its parent itself holds, subcluster by subcluster") {
  Folder folder;
  make_raw(folder / "base", 4 * base::MiB);
  qemu_io(folder / "base", "raw", {"write -P 1 0 4M"});
  make(folder / "0", {4 * base::MiB, Geometry{}, BackingReference{"base", "raw"}});
  qemu_io(folder / "0", "qcow2", {"write -P 2 4k 4k", "write -P 3 1M 4k", "write -z 2M 4k"});
  make(folder / "1", {4 * base::MiB, Geometry{}, BackingReference{"0", "qcow2"}});
  qemu_io(folder / "1", "qcow2", {"write -P 4 0 4k", "write -P 5 8k 4k"});
  merge_parent_into_child(folder / "0", folder / "1", quiet);
  auto map = base::parse_json(output_of({"qemu-img", "map", "--output=json", "-f", "qcow2", folder / "1"}), "map");
  std::uint64_t own = 0;
  for (const auto& item : map.items()) {
    if (item["depth"].integer() == 0) own += *item["length"].unsigned_integer();
  }
  CHECK(own == 5 * 4096);
  CHECK(check(folder / "1") == 0);
}

TEST_CASE("a child that reaches behind its parent's end still shows zeros there, not what backs the parent") {
  Folder folder;
  make_raw(folder / "base", base::MiB);
  qemu_io(folder / "base", "raw", {"write -P 1 0 1M"});
  for (const auto& geometry : {Geometry{}, Geometry::classic()}) {
    make(folder / "0", {512 * base::KiB + 512, geometry, BackingReference{"base", "raw"}});
    make(folder / "1", {base::MiB, geometry, BackingReference{"0", "qcow2"}});
    auto before = content(folder / "1");
    REQUIRE(before.back() == std::byte{0});
    merge_parent_into_child(folder / "0", folder / "1", quiet);
    CHECK((content(folder / "1") == before));
    CHECK(check(folder / "1") == 0);
  }
}

TEST_CASE("what a parent has in compressed clusters its child takes over as plain ones") {
  Random random(31);
  for (const auto& geometry : {Geometry{}, Geometry::classic(), plain(12)}) {
    Folder folder;
    make_chain(folder, random, 0, {{Geometry::classic(), 9 * base::MiB}});
    output_of({"qemu-img", "convert", "-c", "-O", "qcow2", folder / "0", folder / "packed"});
    qemu_io(folder / "packed", "qcow2", random_program(random, 9 * base::MiB, 8));
    make(folder / "1", {9 * base::MiB, geometry, BackingReference{"packed", "qcow2"}});
    qemu_io(folder / "1", "qcow2", random_program(random, 9 * base::MiB, 8));
    auto before = content_by_qemu(folder / "1", folder / "scratch");
    merge_parent_into_child(folder / "packed", folder / "1", quiet);
    std::filesystem::remove(folder / "packed");
    CHECK(check(folder / "1") == 0);
    REQUIRE((content_by_qemu(folder / "1", folder / "scratch") == before));
  }
}

TEST_CASE("refcount blocks and the refcount table grow with what is merged") {
  Folder folder;
  for (unsigned refcount_bits : {1, 4, 16, 64}) {
    CAPTURE(refcount_bits);
    make(folder / "0", {20 * base::MiB, plain(9), std::nullopt});
    qemu_io(folder / "0", "qcow2", {"write -P 7 1M 14M"});
    auto bits = "cluster_size=512,refcount_bits=" + std::to_string(refcount_bits);
    output_of({"qemu-img", "create", "-q", "-f", "qcow2", "-o", bits, "-b", "0", "-F", "qcow2", folder / "1"});
    qemu_io(folder / "1", "qcow2", {"write -P 8 0 2M"});
    auto before = content(folder / "1");
    auto table = header_of(folder / "1").refcount_table_clusters;
    merge_parent_into_child(folder / "0", folder / "1", quiet);
    if (refcount_bits == 16) CHECK(header_of(folder / "1").refcount_table_clusters > table);
    CHECK(check(folder / "1") == 0);
    CHECK((content(folder / "1") == before));
  }
}

TEST_CASE("a child in another folder names the grandparent by an absolute path") {
  Folder folder;
  std::filesystem::create_directory(folder / "other");
  make_raw(folder / "base", base::MiB);
  make(folder / "0", {base::MiB, Geometry{}, BackingReference{"base", "raw"}});
  make(folder / "other/1", {base::MiB, Geometry{}, BackingReference{"../0", "qcow2"}});
  merge_parent_into_child(folder / "0", folder / "other/1", quiet);
  CHECK(header_of(folder / "other/1").backing->path == (folder / "base").string());
  CHECK(header_of(folder / "other/1").backing->format == "raw");
}

TEST_CASE("a merge that was done before is done again without harm") {
  Folder folder;
  Random random(5);
  make_chain(folder, random, base::MiB, {{Geometry{}, base::MiB}, {Geometry{}, base::MiB}});
  merge_parent_into_child(folder / "0", folder / "1", quiet);
  auto bytes = content(folder / "1", ImageFormat::raw);
  merge_parent_into_child(folder / "0", folder / "1", quiet);
  CHECK((content(folder / "1", ImageFormat::raw) == bytes));
}

TEST_CASE("what is no parent, is in use or cannot be written to safely is refused, and stays as it is") {
  Folder folder;
  make(folder / "0", {base::MiB, Geometry{}, BackingReference{"/nowhere", "raw"}});
  make(folder / "1", {base::MiB, Geometry{}, BackingReference{"0", "qcow2"}});
  make(folder / "stranger", {base::MiB, Geometry{}, std::nullopt});
  auto bytes = content(folder / "1", ImageFormat::raw);
  CHECK(failure_to_merge(folder / "stranger", folder / "1") == ErrorKind::usage);
  CHECK(failure_to_merge(folder / "none", folder / "1") == ErrorKind::not_found);
  for (const auto* name : {"0", "1"}) {
    auto fd = sys::open_file(folder / name, O_RDWR);
    block::lock_image_exclusively(fd.get(), folder / name);
    CHECK(failure_to_merge(folder / "0", folder / "1") == ErrorKind::busy);
  }
  CHECK((content(folder / "1", ImageFormat::raw) == bytes));

  output_of(
      {"qemu-img", "create", "-q", "-f", "qcow2", "-o", "compat=0.10", "-b", "stranger", "-F", "qcow2", folder / "v2"});
  CHECK(failure_to_merge(folder / "stranger", folder / "v2") == ErrorKind::unsupported);
  output_of({"qemu-img", "create", "-q", "-f", "qcow2", "-b", "stranger", "-F", "qcow2", folder / "snapped"});
  output_of({"qemu-img", "snapshot", "-c", "now", folder / "snapped"});
  CHECK(failure_to_merge(folder / "stranger", folder / "snapped") == ErrorKind::unsupported);
}

TEST_CASE("a merge whose power is cut anywhere leaves the child as it was seen, and can be run again") {
  auto seed = GENERATE(range(0, 4));
  Random random(std::uint64_t(seed) + 900);
  static const std::vector<Geometry> kinds = {extended(14), plain(9), plain(12), extended(16)};
  constexpr std::uint64_t bytes = 6 * base::MiB;
  Folder folder;
  make_chain(folder, random, bytes, {{kinds[(unsigned(seed) + 1) % 4], bytes}, {kinds[unsigned(seed)], bytes}}, 40);
  auto child = folder / "1", cut = folder / "cut";
  auto shown = content(child);
  auto before = content(child, ImageFormat::raw);

  auto fd = sys::open_file(child, O_RDWR);
  DescriptorFile file(fd.get(), child.string());
  RecordedFile recorded(file);
  ParentView parent(folder / "0");
  merge_images(parent, *block::open_device(child), header_of(child), recorded, parent.backing(), quiet);
  CHECK(check(child) == 0);

  for (int i = 0; i < 25; ++i) {
    auto steps =
        i < 8 ? recorded.steps() - std::min(recorded.steps(), std::size_t(i)) : below(random, recorded.steps() + 1);
    CAPTURE(seed, i, steps, recorded.steps());
    write_file(cut, recorded.after_power_cut(before, steps, random));
    auto found = check(cut);
    CHECK((found == 0 || found == leaks_only));
    REQUIRE((content(cut) == shown));
    merge_parent_into_child(folder / "0", cut, quiet);
    found = check(cut);
    CHECK((found == 0 || found == leaks_only));
    CHECK(header_of(cut).backing->path == "base");
    REQUIRE((content(cut) == shown));
  }
}

TEST_CASE("a merge that is killed at any moment leaves the child as it was seen, and can be run again") {
  Random random(77);
  constexpr std::uint64_t bytes = 12 * base::MiB;
  Folder folder;
  make_chain(folder, random, bytes, {{plain(12), bytes}, {extended(14), bytes}}, 60);
  auto child = folder / "1", copy = folder / "copy";
  auto shown = content(child);
  int killed = 0;
  for (int i = 0; i < 50; ++i) {
    std::filesystem::copy_file(child, copy, std::filesystem::copy_options::overwrite_existing);
    auto pid = ::fork();
    if (pid == 0) {
      try {
        merge_parent_into_child(folder / "0", copy, quiet);
      } catch (...) {
        ::_exit(1);
      }
      ::_exit(0);
    }
    std::this_thread::sleep_for(std::chrono::microseconds(below(random, 40000)));
    ::kill(pid, SIGKILL);
    int status = 0;
    ::waitpid(pid, &status, 0);
    killed += WIFSIGNALED(status);
    auto found = check(copy);
    CHECK((found == 0 || found == leaks_only));
    REQUIRE((content(copy) == shown));
    merge_parent_into_child(folder / "0", copy, quiet);
    REQUIRE((content(copy) == shown));
  }
  CHECK(killed >= 10);
}

}  // namespace hrvm::image::test
