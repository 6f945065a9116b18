// The map and the content of random images, held against what qemu-img tells of the same.
#include "hrvm/image/map.hpp"

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "unit/image/images.hpp"

namespace hrvm::image::test {
namespace {

using Kind = MapExtent::Kind;
using Extents = std::vector<MapExtent>;

Extents map_of(const Path& file) {
  ImageMap map(file);
  Extents extents;
  for (std::uint64_t from = 0; from < map.virtual_bytes();) {
    const auto end = map.add_step(extents, from);
    REQUIRE(end > from);
    from = end;
  }
  return extents;
}

// QEMU gives a place also for holes of raw files and for zeros, and calls a hole of a raw file present.
MapExtent extent_by_qemu(const base::Json& item, const std::vector<ImageMap::Layer>& layers) {
  MapExtent extent{*item["start"].unsigned_integer(), *item["length"].unsigned_integer(), Kind::hole,
                   unsigned(*item["depth"].unsigned_integer())};
  if (*item["data"].boolean()) {
    extent.kind = Kind::data;
    extent.host_offset = item["offset"].unsigned_integer();
  } else if (*item["present"].boolean() && layers.at(extent.layer).format == ImageFormat::qcow2) {
    extent.kind = Kind::zero;
  }
  return extent;
}

Extents map_by_qemu(const Path& file) {
  const auto layers = ImageMap(file).layers();
  const auto map =
      base::parse_json(output_of({"qemu-img", "map", "--output=json", "-f", "qcow2", file}), "qemu-img map");
  Extents extents;
  for (const auto& item : map.items()) add_extent(extents, extent_by_qemu(item, layers));
  return extents;
}

std::string to_string(const Extents& extents) {
  std::string text;
  for (const auto& e : extents) {
    text += fmt::format("{:#x} {:#x} {} {}", e.offset, e.length, word(e.kind), e.layer);
    if (e.host_offset) text += fmt::format(" {:#x}", *e.host_offset);
    text += "\n";
  }
  return text;
}

void check_against_qemu(const Folder& folder, const std::string& image) {
  CHECK(to_string(map_of(folder / image)) == to_string(map_by_qemu(folder / image)));
  CHECK((content(folder / image) == content_by_qemu(folder / image, folder / "scratch")));
}

struct Kinds {
  std::string options;
  bool packed = false;
};
const std::vector<Kinds> kinds = {{"cluster_size=512"},
                                  {"cluster_size=1k,refcount_bits=1"},
                                  {"cluster_size=2k", true},
                                  {"cluster_size=4k,compat=0.10"},
                                  {"cluster_size=8k,compression_type=zstd", true},
                                  {"cluster_size=16k,extended_l2=on"},
                                  {"cluster_size=32k,extended_l2=on", true},
                                  {"cluster_size=64k,refcount_bits=64"},
                                  {"cluster_size=64k,compat=0.10", true},
                                  {"cluster_size=64k,extended_l2=on,compression_type=zstd", true},
                                  {"cluster_size=128k,extended_l2=on"},
                                  {"cluster_size=256k", true},
                                  {"cluster_size=512k,extended_l2=on"},
                                  {"cluster_size=1M"},
                                  {"cluster_size=2M,compression_type=zstd", true},
                                  {"cluster_size=2M,extended_l2=on"}};

// A program of writes, zeros, discards, snapshots (made, gone back to, deleted) and growth.
void run_program(Random& random, const Path& image, std::uint64_t& bytes, const Kinds& kind) {
  for (int round = 0; round < 4; ++round) {
    qemu_io(image, "qcow2", random_program(random, bytes, 8));
    const auto name = fmt::format("s{}", round);
    const auto earlier = fmt::format("s{}", below(random, unsigned(round) + 1));
    switch (below(random, 4)) {
      case 0:
        // Refcounts of one bit cannot count what a snapshot shares.
        if (kind.options.find("refcount_bits=1") == std::string::npos)
          output_of({"qemu-img", "snapshot", "-c", name, image});
        break;
      case 1:
        run({"qemu-img", "snapshot", "-a", earlier, image});  // which need not be there
        break;
      case 2:
        run({"qemu-img", "snapshot", "-d", earlier, image});
        break;
      case 3:
        // Version 2 cannot grow once it has snapshots.
        if (run({"qemu-img", "resize", "-q", "-f", "qcow2", image, std::to_string(bytes + base::MiB)}).exit_status == 0)
          bytes = *info(image)["virtual-size"].unsigned_integer();
        break;
    }
    bytes = *info(image)["virtual-size"].unsigned_integer();
  }
  if (!kind.packed) return;
  const auto packed = image.string() + ".packed";
  auto argv = std::vector<std::string>{"qemu-img", "convert", "-c", "-f", "qcow2", "-O", "qcow2", "-o", kind.options};
  if (auto backing = info(image)["backing-filename"].text()) argv.insert(argv.end(), {"-B", *backing, "-F", "qcow2"});
  argv.insert(argv.end(), {image.string(), packed});
  output_of(argv);
  sys::rename_durably(packed, image);
  qemu_io(image, "qcow2", random_program(random, bytes, 4));
}

void make_image(const Path& image, const std::string& options, std::uint64_t bytes, const std::string& backing) {
  std::vector<std::string> argv = {"qemu-img", "create", "-q", "-f", "qcow2", "-o", options};
  if (!backing.empty()) argv.insert(argv.end(), {"-b", backing, "-F", backing == "base" ? "raw" : "qcow2"});
  argv.insert(argv.end(), {image, std::to_string(bytes)});
  output_of(argv);
}

}  // namespace

TEST_CASE("what random programs leave in an image, map and content are QEMU's, for every kind of image") {
  Random random(GENERATE(101, 202));
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    const auto& lower = kinds[below(random, kinds.size())];
    CAPTURE(lower.options, kinds[i].options);
    Folder folder;
    auto size = [&] { return 4 * base::MiB - below(random, 4) * (base::MiB + 512); };
    auto base_bytes = size(), lower_bytes = size(), upper_bytes = size();
    make_raw(folder / "base", base_bytes);
    qemu_io(folder / "base", "raw", random_program(random, base_bytes, 8));
    make_image(folder / "lower", lower.options, lower_bytes, "base");
    // Not packed: what is packed loses its base.
    run_program(random, folder / "lower", lower_bytes, {lower.options, false});
    make_image(folder / "upper", kinds[i].options, upper_bytes, "lower");
    run_program(random, folder / "upper", upper_bytes, kinds[i]);
    check_against_qemu(folder, "upper");
    check_against_qemu(folder, "lower");
  }
}

TEST_CASE("a map tells which layer stores a piece and where") {
  Folder folder;
  make_raw(folder / "base", base::MiB);
  qemu_io(folder / "base", "raw", {"write -P 1 0 64k"});
  make_image(folder / "image", "cluster_size=64k", 3 * base::MiB, "base");
  qemu_io(folder / "image", "qcow2", {"write -P 2 128k 128k", "write -z 256k 64k"});
  const auto data = info(folder / "image");
  ImageMap map(folder / "image");
  CHECK(map.layers().size() == 2);
  CHECK(map.layers()[1].path == (folder / "base").string());
  const auto extents = map_of(folder / "image");
  REQUIRE(extents.size() == 6);
  CHECK(extents[0] == MapExtent{0, 64 * base::KiB, Kind::data, 1, 0});
  CHECK(extents[1] == MapExtent{64 * base::KiB, 64 * base::KiB, Kind::hole, 1});
  CHECK(extents[2].length == 128 * base::KiB);
  CHECK(extents[2].layer == 0);
  CHECK(extents[2].host_offset.has_value());
  CHECK(extents[3] == MapExtent{256 * base::KiB, 64 * base::KiB, Kind::zero, 0});
  CHECK(extents[4].layer == 1);
  // Where the base ends, the image is the lowest that reaches so far.
  CHECK(extents[5] == MapExtent{base::MiB, 2 * base::MiB, Kind::hole, 0});
}

TEST_CASE("a raw file has a map, with its holes") {
  Folder folder;
  make_raw(folder / "raw", base::MiB);
  qemu_io(folder / "raw", "raw", {"write -P 1 64k 64k"});
  CHECK(map_of(folder / "raw") == Extents{{0, 64 * base::KiB, Kind::hole, 0},
                                          {64 * base::KiB, 64 * base::KiB, Kind::data, 0, 64 * base::KiB},
                                          {128 * base::KiB, base::MiB - 128 * base::KiB, Kind::hole, 0}});
}

TEST_CASE("a map of 16 TiB is told in steps, and its extents are joined over them") {
  Folder folder;
  make(folder / "image", {16 * base::TiB, Geometry::classic(), std::nullopt});
  ImageMap map(folder / "image");
  Extents extents;
  CHECK(map.add_step(extents, 0) == 16 * base::GiB);
  CHECK(map_of(folder / "image") == Extents{{0, 16 * base::TiB, Kind::hole, 0}});
}

TEST_CASE("infos of a chain are those of its images, whatever folder they lie in") {
  Folder folder;
  std::filesystem::create_directory(folder / "below");
  make_raw(folder / "below/base", base::MiB);
  output_of({"qemu-img", "create", "-q", "-f", "qcow2", "-o", "compat=0.10", "-b", "base", "-F", "raw",
             folder / "below/lower"});
  make_image(folder / "upper", "cluster_size=64k,compression_type=zstd", base::MiB, "below/lower");
  const auto chain = read_chain(folder / "upper");
  REQUIRE(chain.size() == 3);
  CHECK(chain[0].compression == "zstd");
  CHECK(chain[0].backing->path == "below/lower");
  CHECK(chain[1].path == (folder / "below/lower").string());
  CHECK(chain[1].version == 2);
  CHECK(chain[2].path == (folder / "below/base").string());
  CHECK(chain[2].format == ImageFormat::raw);
  CHECK(chain[2].version == 0);
}

TEST_CASE("internal snapshots are listed as QEMU lists them") {
  Folder folder;
  make_image(folder / "image", "cluster_size=64k", base::MiB, "");
  output_of({"qemu-img", "snapshot", "-c", "fresh", folder / "image"});
  output_of({"qemu-img", "snapshot", "-c", "with space", folder / "image"});
  const auto found = read_info(folder / "image").snapshots;
  const auto listed = info(folder / "image");
  const auto& expected = listed["snapshots"].items();
  REQUIRE(found.size() == 2);
  for (std::size_t i = 0; i < found.size(); ++i) {
    CHECK(expected[i]["id"] == found[i].id);
    CHECK(expected[i]["name"] == found[i].name);
    CHECK(expected[i]["date-sec"] == std::int64_t(found[i].taken.time_since_epoch().count()));
    CHECK(expected[i]["vm-state-size"] == found[i].vm_state_bytes);
  }
}

}  // namespace hrvm::image::test
