#include <fcntl.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "cli/machine_fixture.hpp"
#include "hrvm/base/byte_size.hpp"
#include "hrvm/block/image_lock.hpp"
#include "hrvm/image/disk_image.hpp"
#include "hrvm/sys/files.hpp"

using namespace hrvm;
using base::MiB;
using image::ImageFormat;
using test::MachineStore;

namespace {

constexpr std::uint64_t in_p1 = 2 << 20;

std::string in(const MachineStore& store, const std::string& name) { return store.folder() / name; }

// A layer of a machine, to which the guest wrote, on a base that is full of B.
std::string make_chain(MachineStore& store) {
  store.add("web");
  store.guest_writes("web", in_p1, 'A');
  store.snapshot("web", "fresh");
  store.guest_writes("web", in_p1 + 8192, 'C');
  return store.machine("web").active_layer();
}

std::vector<std::byte> content(const std::string& file, ImageFormat format) {
  const auto device = image::open_image(file, format);
  return device->read(0, std::size_t(device->size()));
}

}  // namespace

TEST_CASE("a conversion shows what the chain showed, alone, in every form") {
  MachineStore store;
  const auto source = make_chain(store);
  const auto shown = content(source, ImageFormat::qcow2);
  const std::vector<std::vector<std::string>> forms = {
      {}, {"--format", "qcow2"}, {"--compress", "zlib"}, {"--compress=zstd"}};
  for (const auto& form : forms) {
    std::vector<std::string> words = {"image", "convert", "--force", source, in(store, "flat")};
    words.insert(words.end(), form.begin(), form.end());
    CHECK(store.json(words)["schema"] == "hrvm.image-convert/1");
    CHECK_FALSE(image::read_info(in(store, "flat")).backing);
    CHECK((content(in(store, "flat"), ImageFormat::qcow2) == shown));
  }
  REQUIRE(store.run({"image", "convert", source, in(store, "flat.raw"), "--format", "raw"}) == 0);
  CHECK((content(in(store, "flat.raw"), ImageFormat::raw) == shown));
  REQUIRE(store.run({"image", "convert", in(store, "flat.raw"), in(store, "again")}) == 0);
  CHECK((content(in(store, "again"), ImageFormat::qcow2) == shown));
  CHECK(sys::status(in(store, "again")).mode == 0600);
}

TEST_CASE("what cannot be converted says why, and leaves nothing behind") {
  MachineStore store;
  const auto source = make_chain(store);
  store.folder().write("there", "precious");
  const auto before = store.folder().names();
  const auto name = sys::Path(source).stem().string();
  auto transcript = store.transcript("image/convert_errors");
  transcript.replace(name, "LAYER");
  CHECK(transcript.run({"image", "convert", source, in(store, "there")}) == 1);
  CHECK(transcript.run({"image", "convert", in(store, "gone"), in(store, "new")}) == 1);
  CHECK(transcript.run({"image", "convert", source, in(store, "new"), "--format=raw", "--compress=zlib"}) == 2);
  CHECK(transcript.run({"image", "convert", in(store, "there"), in(store, "there"), "--force"}) == 2);
  CHECK(transcript.run({"image", "convert", in(store, "there"), store.base(), "--force"}) == 4);
  transcript.check();
  CHECK(store.folder().names() == before);
  CHECK(sys::read_file(in(store, "there")) == "precious");
}

TEST_CASE("an image that is being written to is neither converted nor compared, unless that is allowed") {
  MachineStore store;
  REQUIRE(store.run({"image", "create", in(store, "a"), "1M"}) == 0);
  const auto writer = sys::open_for_update(in(store, "a"));
  block::lock_image_exclusively(writer.get(), in(store, "a"));
  auto transcript = store.transcript("image/in_use");
  CHECK(transcript.run({"image", "convert", in(store, "a"), in(store, "b")}) == 4);
  CHECK(transcript.run({"image", "compare", in(store, "a"), in(store, "a")}) == 4);
  CHECK(transcript.run({"image", "convert", in(store, "a"), in(store, "b"), "--allow-in-use", "--dry-run"}) == 0);
  transcript.check();
}

TEST_CASE("a dry run of a conversion writes nothing and says what it would replace") {
  MachineStore store;
  const auto source = make_chain(store);
  store.folder().write("there", "precious");
  const auto plan = store.json({"image", "convert", "--dry-run", "--force", source, in(store, "there")});
  CHECK(plan["schema"] == "hrvm.image-convert-plan/1");
  CHECK(plan["replaces"] == true);
  CHECK(sys::read_file(in(store, "there")) == "precious");
}

TEST_CASE("images that show the same are the same, whatever they are made of, and others differ at the first byte") {
  MachineStore store;
  const auto source = make_chain(store);
  REQUIRE(store.run({"image", "convert", source, in(store, "same"), "--compress", "zstd"}) == 0);
  auto transcript = store.transcript("image/compare");
  transcript.replace(sys::Path(source).stem(), "LAYER");
  CHECK(transcript.run({"image", "compare", source, in(store, "same")}) == 0);
  CHECK(transcript.run({"image", "compare", source, store.base()}) == 3);
  CHECK(transcript.run({"image", "compare", store.base(), source, "--json"}) == 3);
  CHECK(transcript.run({"image", "compare", store.base(), in(store, "gone")}) == 1);
  transcript.check();
  CHECK(store.json({"image", "compare", source, store.base()})["first_difference_bytes"] == in_p1);
}

TEST_CASE("what one image has behind the end of the other has to be zeros") {
  MachineStore store;
  store.folder().write("short", std::string(5000, 'x'));
  store.folder().write("long", std::string(5000, 'x') + std::string(100'000, '\0'));
  store.folder().write("longer", std::string(5000, 'x') + std::string(100'000, '\0') + "y");
  CHECK(store.run({"image", "compare", in(store, "short"), in(store, "long")}) == 0);
  CHECK(store.host().err.str().find("longer, by zeros alone") != std::string::npos);
  CHECK(store.json({"image", "compare", in(store, "long"), in(store, "short")})["identical"] == true);
  CHECK(store.json({"image", "compare", in(store, "longer"), in(store, "short")})["first_difference_bytes"] == 105'000);
}
