#include <fcntl.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "cli/machine_fixture.hpp"
#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/endian.hpp"
#include "hrvm/image/create.hpp"
#include "hrvm/image/qcow2_format.hpp"
#include "hrvm/sys/fd.hpp"
#include "hrvm/sys/files.hpp"
#include "support/disk_writer.hpp"

using namespace hrvm;
using base::MiB;
using test::MachineStore;

namespace {

// An image of 20 MiB on "below", which need not be there.
std::filesystem::path make_image(const MachineStore& store, const std::string& below = "base.img",
                                 const std::string& format = "raw") {
  const auto path = store.folder() / "image";
  const auto fd = sys::open_file(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
  image::create_qcow2(fd.get(), path.string(), {20 * MiB, {}, image::BackingReference{below, format}});
  return path;
}

void set_incompatible_feature(const std::filesystem::path& image, std::uint64_t feature) {
  const base::be64 features = feature | image::qcow2::extended_l2;
  test::write_at(image, offsetof(image::qcow2::Header, incompatible_features), std::as_bytes(std::span(&features, 1)));
}

}  // namespace

TEST_CASE("image info tells a person what an image is") {
  MachineStore store;
  store.add("web");
  const auto image = make_image(store);
  auto transcript = store.transcript("image/info");
  transcript.replace("Takes:       " + base::format_bytes(sys::status(image).allocated_bytes), "Takes:       BLOCKS");
  CHECK(transcript.run({"image", "info", image}) == 0);
  transcript.check();
}

TEST_CASE("the JSON of image info has the size, the clusters and the backing file's absolute path") {
  MachineStore store;
  store.add("web");
  const auto image = make_image(store);
  const auto info = store.json({"image", "info", image});
  CHECK(info["schema"] == "hrvm.image-info/1");
  CHECK(info["path"] == image.string());
  CHECK(info["format"] == "qcow2");
  CHECK(info["virtual_bytes"] == 20 * MiB);
  CHECK(info["allocated_bytes"] == sys::status(image).allocated_bytes);
  CHECK(info["cluster_bytes"] == 128 * 1024);
  CHECK(info["subclusters"] == true);
  CHECK(info["backing"]["path"] == store.base().string());
  CHECK(info["backing"]["name"] == "base.img");
  CHECK(info["backing"]["format"] == "raw");
  CHECK(info["chain"] == base::Json::array());
  CHECK(info["snapshots"] == base::Json::array());
  CHECK(info["findings"] == base::Json::array());
}

TEST_CASE("of a raw image what only qcow2 has is null") {
  MachineStore store;
  store.add("web");
  const auto info = store.json({"image", "info", store.base()});
  CHECK(info["format"] == "raw");
  CHECK(info["virtual_bytes"] == 8 * MiB);
  CHECK(info["cluster_bytes"].is_null());
  CHECK(info["subclusters"].is_null());
  CHECK(info["backing"].is_null());
}

TEST_CASE("with --chain all that backs an image is told, itself first") {
  MachineStore store;
  store.add("web");
  store.snapshot("web", "fresh");
  const auto layer = store.machine("web").active_layer().string();
  const auto info = store.json({"image", "info", "--chain", layer});
  const auto& chain = info["chain"].items();
  REQUIRE(chain.size() == 3);
  CHECK(chain[0]["path"] == layer);
  CHECK(chain[0]["backing"]["path"] == *chain[1]["path"].text());
  CHECK(chain[2]["path"] == store.base().string());
  CHECK(chain[2]["format"] == "raw");
  REQUIRE(store.run({"image", "info", "--chain", "--plain", layer}) == 0);
  CHECK(std::ranges::count(store.host().out.str(), '\n') == 3);
}

TEST_CASE("a backing file that is missing, or no file at all, is told, and is an error with --chain alone") {
  MachineStore store;
  const auto below = GENERATE(as<std::string>{}, "gone.qcow2", "nbd://host/export");
  const auto image = make_image(store, below, "qcow2");
  CHECK(store.json({"image", "info", image})["backing"]["name"] == below);
  CHECK(store.run({"image", "info", image}) == 0);
  CHECK(store.run({"image", "info", "--chain", image}) == 1);
  CHECK(store.host().err.str().find(below) != std::string::npos);
}

TEST_CASE("an image that was not closed, or was found broken, is told with a warning") {
  MachineStore store;
  const auto image = make_image(store);
  set_incompatible_feature(image, image::qcow2::dirty | image::qcow2::corrupt);
  auto transcript = store.transcript("image/info_dirty");
  transcript.replace("Takes:       " + base::format_bytes(sys::status(image).allocated_bytes), "Takes:       BLOCKS");
  CHECK(transcript.run({"image", "info", image}) == 0);
  transcript.check();
}

TEST_CASE("what is no image that can be read says why") {
  MachineStore store;
  store.folder().write("short", std::string_view("QFI\xfb\0\0\0\3", 8));
  auto transcript = store.transcript("image/info_errors");
  transcript.run({"image", "info", store.folder() / "short"});
  transcript.run({"image", "info", store.folder() / "nowhere"});
  transcript.run({"image", "info", store.folder().path()});
  transcript.run({"image", "info", "--format", "qed", store.folder() / "short"});
  transcript.check();
}

TEST_CASE("with --format raw the first bytes of a file decide nothing") {
  MachineStore store;
  const auto image = make_image(store);
  CHECK(store.json({"image", "info", "--format", "raw", image})["format"] == "raw");
}
