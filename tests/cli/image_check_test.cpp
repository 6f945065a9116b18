#include <fcntl.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "cli/machine_fixture.hpp"
#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/endian.hpp"
#include "hrvm/block/devices.hpp"
#include "hrvm/block/image_lock.hpp"
#include "hrvm/image/create.hpp"
#include "hrvm/image/qcow2_format.hpp"
#include "hrvm/sys/fd.hpp"
#include "hrvm/sys/files.hpp"
#include "support/disk_writer.hpp"
#include "support/run_program.hpp"

using namespace hrvm;
using base::MiB;
using test::MachineStore;

namespace {

constexpr std::uint64_t cluster = 64 * 1024;

std::filesystem::path make_image(const MachineStore& store) {
  const auto path = store.folder() / "image";
  const auto fd = sys::open_file(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
  image::create_qcow2(fd.get(), path.string(), {20 * MiB, image::Geometry::classic(), std::nullopt});
  std::filesystem::resize_file(path, MiB);
  return path;
}

template <typename T>
void poke(const std::filesystem::path& image, std::uint64_t offset, const T& value) {
  test::write_at(image, offset, std::as_bytes(std::span(&value, 1)));
}

std::uint64_t number_at(const std::filesystem::path& image, std::uint64_t offset) {
  return base::load<base::be64>(block::open_device(image)->read(offset, sizeof(base::be64)));
}

std::uint64_t refcount_block(const std::filesystem::path& image) {
  return number_at(image, number_at(image, offsetof(image::qcow2::Header, refcount_table_offset)));
}

// A cluster that nothing uses is counted, and the L1 table is not.
void leak(const std::filesystem::path& image) {
  poke(image, refcount_block(image) + 8 * sizeof(base::be16), base::be16(1));
}
void corrupt(const std::filesystem::path& image) {
  const auto l1 = number_at(image, offsetof(image::qcow2::Header, l1_table_offset));
  poke(image, refcount_block(image) + l1 / cluster * sizeof(base::be16), base::be16(0));
}

}  // namespace

TEST_CASE("a check tells a person, a program and a script the same") {
  MachineStore store;
  store.add("web");
  const auto image = make_image(store);
  leak(image);
  corrupt(image);
  auto transcript = store.transcript("image/check");
  for (const auto* rendering : {"--quiet", "--plain", "--json"})
    CHECK(transcript.run({"image", "check", image, rendering}) == 3);
  CHECK(transcript.run({"image", "check", "--repair", "leaks", "--dry-run", image}) == 3);
  CHECK(transcript.run({"image", "check", "--repair", "all", image}) == 0);
  CHECK(transcript.run({"image", "check", image}) == 0);
  transcript.check();
}

TEST_CASE("leaks alone are no error, and a dry run changes nothing") {
  MachineStore store;
  store.add("web");
  const auto image = make_image(store);
  leak(image);
  CHECK(store.json({"image", "check", image})["leaks"] == 1);
  const auto plan = store.json({"image", "check", "--repair", "all", "--dry-run", image});
  CHECK(plan["schema"] == "hrvm.image-check-plan/1");
  CHECK(plan["repaired"]["leaks"] == 1);
  CHECK(store.json({"image", "check", image})["leaks"] == 1);
  const auto repaired = store.json({"image", "check", "--repair", "leaks", image});
  CHECK(repaired["schema"] == "hrvm.image-check/1");
  CHECK(repaired["repaired"]["leaks"] == 1);
  CHECK(repaired["leaks"] == 0);
}

TEST_CASE("an image in use is refused: to be checked while it is written to, to be repaired while anybody has it") {
  MachineStore store;
  store.add("web");
  const auto image = make_image(store);
  auto transcript = store.transcript("image/check_in_use");
  const auto fd = sys::open_file(image, O_RDWR);
  block::lock_image_exclusively(fd.get(), image);
  CHECK(transcript.run({"image", "check", image}) == 4);
  CHECK(transcript.run({"image", "check", "--repair", "all", image}) == 4);
  transcript.check();
}

TEST_CASE("what is no qcow2 image cannot be checked") {
  MachineStore store;
  store.add("web");
  auto transcript = store.transcript("image/check_raw");
  CHECK(transcript.run({"image", "check", store.base()}) == 1);
  CHECK(transcript.run({"image", "check", "--repair", "some", store.base()}) == 2);
  transcript.check();
}

TEST_CASE("a machine's base is not repaired, nor what backs it") {
  MachineStore store;
  test::run_program({"qemu-img", "create", "-q", "-f", "qcow2", store.folder() / "mid.qcow2", "8M"});
  test::run_program(
      {"qemu-img", "create", "-q", "-f", "qcow2", "-b", "mid.qcow2", "-F", "qcow2", store.folder() / "web.qcow2"});
  REQUIRE(store.run({"import", store.folder() / "web.qcow2", "web", "--allow-volatile", "--allow-low-space"}) == 0);
  for (const auto* name : {"web.qcow2", "mid.qcow2"}) {
    CHECK(store.run({"image", "check", "--repair", "all", store.folder() / name}) == 4);
    CHECK_THAT(store.host().err.str(), Catch::Contains("is the disk that machine web is made of"));
    CHECK(store.run({"image", "check", store.folder() / name}) == 0);
  }
}
