#include <catch2/catch.hpp>

#include <filesystem>
#include <string>

#include "cli/machine_fixture.hpp"
#include "hrvm/block/image_lock.hpp"
#include "hrvm/image/disk_image.hpp"
#include "hrvm/sys/fd.hpp"
#include "hrvm/sys/files.hpp"
#include "support/disk_writer.hpp"
#include "support/run_program.hpp"

using namespace hrvm;
using Catch::Matchers::Contains;
using test::MachineStore;

namespace {

constexpr std::uint64_t in_p1 = 2 << 20;

// base.img ← mid.qcow2 ← web.qcow2: M at the begin of p1, W 64 KiB behind it, B in the rest.
struct ImageChain {
  MachineStore store;

  ImageChain() {
    test::run_program({"qemu-img", "create", "-q", "-f", "qcow2", "-b", "base.img", "-F", "raw", file("mid.qcow2")});
    test::run_program({"qemu-img", "create", "-q", "-f", "qcow2", "-b", "mid.qcow2", "-F", "qcow2", file("web.qcow2")});
    write("mid.qcow2", "write -P 77 2M 64k");
    write("web.qcow2", "write -P 87 2112k 64k");
  }
  std::string file(const std::string& name) const { return store.folder() / name; }
  void write(const std::string& name, const std::string& command) const {
    test::run_program({"qemu-io", "-f", "qcow2", "-c", command, file(name)});
  }
  int import(std::vector<std::string> more = {}) {
    std::vector<std::string> words = {"import", file("web.qcow2"), "web", "--allow-volatile", "--allow-low-space"};
    words.insert(words.end(), more.begin(), more.end());
    return store.run(words);
  }
  std::string err() { return store.host().err.str(); }
  std::string bytes() const {
    std::string all;
    for (const auto* name : {"web.qcow2", "mid.qcow2", "base.img"}) all += sys::read_file(file(name), 16 << 20);
    return all;
  }
  char shown(std::uint64_t offset) {
    return char(image::open_image(store.machine("web").active_layer(), image::ImageFormat::qcow2)->read(offset, 1)[0]);
  }
};

}  // namespace

TEST_CASE_METHOD(ImageChain, "a machine on a qcow2 image shows what all of its chain shows, and writes to none of it") {
  const auto before = bytes();
  REQUIRE(import({"--hash"}) == 0);
  CHECK(store.machine("web").definition.disks[0].format == machine::BaseFormat::qcow2);
  CHECK(image::read_info(store.machine("web").active_layer()).backing->format == "qcow2");
  CHECK(shown(in_p1) == 'M');
  CHECK(shown(in_p1 + (64 << 10)) == 'W');
  CHECK(shown(in_p1 + (128 << 10)) == 'B');
  store.guest_writes("web", in_p1, 'A');
  store.snapshot("web", "fresh");
  store.guest_writes("web", in_p1, 'C');
  CHECK(store.run({"snapshot", "delete", "web@fresh", "--discard", "--yes"}) == 0);
  CHECK(shown(in_p1) == 'C');
  CHECK(store.run({"verify", "web", "--full"}) == 0);
  CHECK(store.run({"reset", "web"}) == 0);
  CHECK(shown(in_p1) == 'M');
  CHECK(store.run({"undo", "web"}) == 0);
  CHECK(shown(in_p1) == 'C');
  CHECK(bytes() == before);
}

TEST_CASE_METHOD(ImageChain, "a disc that is given at import is kept by its whole path") {
  CHECK(import({"--iso", file("rescue.iso")}) == 1);
  std::filesystem::copy_file(store.base(), file("rescue.iso"));
  REQUIRE(import({"--iso", store.folder() / "./rescue.iso,boot"}) == 0);
  CHECK(store.machine("web").definition.active.hardware.iso == machine::Disc{file("rescue.iso"), true});
}

TEST_CASE_METHOD(ImageChain, "an export of a machine on a qcow2 image needs none of its files") {
  REQUIRE(import() == 0);
  store.guest_writes("web", in_p1 + (64 << 10), 'A');
  REQUIRE(store.run({"export", "web", file("flat.raw"), "--format", "raw"}) == 0);
  test::run_program({"qemu-img", "compare", "-f", "raw", "-F", "qcow2", file("flat.raw"),
                     store.machine("web").active_layer().string()});
  REQUIRE(store.run({"export", "web", file("flat.qcow2")}) == 0);
  CHECK_FALSE(image::read_info(file("flat.qcow2")).backing);
  for (const auto* name : {"web.qcow2", "mid.qcow2", "base.img"}) {
    CHECK(store.run({"export", "web", file(name), "--force"}) == 4);
    CHECK_THAT(err(), Contains("is the disk that machine web is made of"));
  }
}

TEST_CASE_METHOD(ImageChain, "a qcow2 image is discovered with the line that imports it") {
  const auto found = store.json({"discover", file("web.qcow2")});
  const auto disk = found["disks"].items().at(0);
  CHECK(disk["importable"] == true);
  CHECK(disk["import_command"] == "hrvm import " + file("web.qcow2"));
  CHECK(disk["table"] == "gpt");
}

TEST_CASE_METHOD(ImageChain, "an image that somebody writes to is not imported, wherever in the chain") {
  for (const auto* name : {"web.qcow2", "mid.qcow2", "base.img"}) {
    auto fd = sys::open_for_update(file(name));
    block::lock_image_exclusively(fd.get(), file(name));
    CHECK(import() == 4);
    CHECK_THAT(err(), Contains("is in use: held by a running machine"));
  }
  CHECK(import() == 0);
  auto fd = sys::open_for_update(file("mid.qcow2"));
  block::lock_image_exclusively(fd.get(), file("mid.qcow2"));
  CHECK(store.run({"boot", "web", "--print"}) == 4);
  CHECK_THAT(err(), Contains("is in use for writing"));
}

TEST_CASE_METHOD(ImageChain, "what moved of a chain is told by verify, and stops a reset to nothing") {
  REQUIRE(import() == 0);
  write("mid.qcow2", "write -P 1 3M 64k");
  CHECK(store.run({"verify", "web"}) == 3);
  CHECK_THAT(store.host().out.str(), Contains(file("mid.qcow2") + " was written since"));
  CHECK(store.run({"reset", "web"}) == 0);
  CHECK(store.run({"verify", "web"}) == 0);
  CHECK(shown(3 << 20) == 1);
  std::filesystem::remove(file("mid.qcow2"));
  CHECK(store.run({"verify", "web"}) == 3);
  CHECK(store.run({"reset", "web"}) == 1);
  CHECK_THAT(err(), Contains(file("mid.qcow2")));
}

TEST_CASE_METHOD(ImageChain, "images that are no base say why") {
  auto transcript = store.transcript("import/qcow2_refused");
  const auto refused = [&](int status) {
    CHECK(transcript.run({"import", file("web.qcow2"), "--allow-volatile", "--allow-low-space"}) == status);
  };
  const auto marked = [&](const std::string& name, char marks) {
    test::write_at(file(name), 79, std::string(1, marks));
  };
  marked("web.qcow2", 1);
  refused(4);
  marked("web.qcow2", 2);
  refused(1);
  marked("web.qcow2", 4);  // an external data file
  refused(1);
  marked("web.qcow2", 0);
  marked("mid.qcow2", 1);
  refused(4);
  marked("mid.qcow2", 0);
  test::write_at(file("web.qcow2"), 35, std::string(1, char(2)));  // crypt_method: LUKS
  refused(1);
  test::write_at(file("web.qcow2"), 35, std::string(1, char(0)));
  std::filesystem::rename(file("mid.qcow2"), file("gone"));
  refused(1);
  transcript.check();
}
