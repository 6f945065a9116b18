#include <catch2/catch.hpp>

#include "hrvm/base/error.hpp"
#include "hrvm/machine/fingerprint.hpp"
#include "support/run_program.hpp"
#include "unit/machine/fixture.hpp"

using namespace hrvm;
using namespace hrvm::machine;
using namespace hrvm::machine::testing;

namespace {

struct ImportedImage {
  TemporaryFolder folder;
  TestHost test_host;
  std::string path = (folder.path() / "base.img").string();
  Definition definition = fresh_definition();

  ImportedImage() {
    write_file(path, std::string(1 << 20, 'B'));
    definition.disks[0].kind = BaseKind::image;
    definition.disks[0].path = definition.disks[0].stable_path = path;
    definition.disks[0].size_bytes = 1 << 20;
    definition.disks[0].wwn = definition.disks[0].serial = definition.disks[0].model = "";
    definition.fingerprints["00000000000000a1"] =
        take_fingerprint(test_host.host, {*find_base(test_host.host, definition.disks[0])});
  }
  BaseState examine() const { return examine_base(test_host.host, definition, definition.active); }
};

// base.img ← mid.qcow2 ← web.qcow2, of which the last one was imported.
struct ImportedChain {
  TemporaryFolder folder;
  TestHost test_host;
  Definition definition = fresh_definition();

  ImportedChain() {
    write_file(file("base.img"), std::string(1 << 20, 'B'));
    test::run_program({"qemu-img", "create", "-q", "-f", "qcow2", "-b", "base.img", "-F", "raw", file("mid.qcow2")});
    test::run_program({"qemu-img", "create", "-q", "-f", "qcow2", "-b", "mid.qcow2", "-F", "qcow2", file("web.qcow2")});
    guest_writes("mid.qcow2", "write -P 77 0 64k");
    guest_writes("web.qcow2", "write -P 87 64k 64k");
    definition.disks[0].kind = BaseKind::image;
    definition.disks[0].format = BaseFormat::qcow2;
    definition.disks[0].path = definition.disks[0].stable_path = file("web.qcow2");
    definition.disks[0].size_bytes = 1 << 20;
    definition.disks[0].wwn = definition.disks[0].serial = definition.disks[0].model = "";
    definition.fingerprints["00000000000000a1"] =
        take_fingerprint(test_host.host, {*find_base(test_host.host, definition.disks[0])});
  }
  std::string file(const std::string& name) const { return (folder.path() / name).string(); }
  void guest_writes(const std::string& name, const std::string& command) const {
    test::run_program({"qemu-io", "-f", "qcow2", "-c", command, file(name)});
  }
  BaseState examine() const { return examine_base(test_host.host, definition, definition.active); }
};

}  // namespace

TEST_CASE_METHOD(ImportedImage, "a base that nobody touched has not drifted") {
  const auto state = examine();
  CHECK(state.drift == Drift::none);
  CHECK(state.disks.at(0).path == path);
  CHECK(state.reasons.empty());
  CHECK_FALSE(state.evidence.empty());
}

TEST_CASE_METHOD(ImportedImage, "a base that was written has changed, with the evidence") {
  write_file(path, "x" + std::string((1 << 20) - 1, 'B'));
  const auto state = examine();
  CHECK(state.drift == Drift::changed);
  CHECK(state.reasons == std::vector<std::string>{"disk was written since"});
}

// Not where a sample is taken.
TEST_CASE_METHOD(ImportedImage, "a base that was written where no sample is taken was touched, and has not drifted") {
  auto text = std::string(1 << 20, 'B');
  text.replace((1 << 20) - 5000, 4, "XXXX");
  write_file(path, text);
  const auto state = examine();
  CHECK(state.drift == Drift::none);
  CHECK(state.reasons.empty());
  REQUIRE(state.touched.size() == 1);
  CHECK_THAT(state.touched[0], Catch::StartsWith(path + " was written at "));
}

TEST_CASE_METHOD(ImportedImage, "a base whose time was set back was touched all the same") {
  const auto time = std::filesystem::last_write_time(path);
  write_file(path, std::string(1 << 20, 'B'));
  std::filesystem::last_write_time(path, time);
  REQUIRE(examine().touched.size() == 1);
  CHECK_THAT(examine().touched[0], Catch::StartsWith(path + " was given another mode, owner, name or time at "));
}

TEST_CASE_METHOD(ImportedImage, "a base that is only read is not touched") {
  CHECK(sys::read_file(path, 2 << 20).size() == 1 << 20);
  CHECK(hash_base(test_host.host, *find_base(test_host.host, definition.disks[0]), [](std::uint64_t) {}).size() == 64);
  CHECK(examine().touched.empty());
  CHECK(examine().looked_at == std::vector<std::string>{"size", "what lies on it", "32 samples", "mtime", "ctime"});
}

TEST_CASE_METHOD(ImportedImage, "a fingerprint of before there were traces says nothing of writes") {
  definition.fingerprints["00000000000000a1"].traces.clear();
  std::filesystem::last_write_time(path, std::filesystem::file_time_type::clock::now());
  CHECK(examine().drift == Drift::none);
  CHECK(examine().touched.empty());
}

// It is read no second time: what became of it meanwhile is not seen.
TEST_CASE_METHOD(ImportedImage, "a base that several machines have is read once for all of them") {
  BaseExaminer examiner(test_host.host);
  CHECK(examiner.examine(definition, definition.active).drift == Drift::none);
  auto other = definition;
  other.fingerprints["00000000000000a1"].marks[0].value = "another size";
  write_file(path, "x" + std::string((1 << 20) - 1, 'B'));
  CHECK(examiner.examine(definition, definition.active).drift == Drift::none);
  CHECK(examiner.examine(other, other.active).drift == Drift::changed);
  CHECK(examine().drift == Drift::changed);
  other.disks[0].path = other.disks[0].stable_path = path + ".other";
  CHECK(examiner.examine(other, other.active).drift == Drift::missing);
}

TEST_CASE_METHOD(ImportedImage, "a base that shrank has changed, and its size says so") {
  std::filesystem::resize_file(path, 1 << 19);
  const auto state = examine();
  CHECK(state.drift == Drift::changed);
  REQUIRE_FALSE(state.reasons.empty());
  CHECK_THAT(state.reasons[0], Catch::StartsWith("it is 512 KiB smaller"));
}

TEST_CASE_METHOD(ImportedImage, "a base that is gone, or is something else now, is missing") {
  std::filesystem::remove(path);
  CHECK(examine().drift == Drift::missing);
  std::filesystem::create_directory(path);
  CHECK(examine().drift == Drift::missing);
  CHECK(examine().reasons.size() == 1);
}

TEST_CASE_METHOD(ImportedImage, "a raw base that was made to look like qcow2 is not opened as that") {
  write_file(path, std::string("QFI\xfb", 4) + std::string((1 << 20) - 4, 'B'));
  CHECK(examine().drift == Drift::missing);
  test::run_program({"qemu-img", "create", "-q", "-f", "qcow2", path, "1M"});
  const auto state = examine();
  CHECK(state.drift == Drift::missing);
  REQUIRE(state.reasons.size() == 1);
  CHECK_THAT(state.reasons[0], Catch::Contains("is a qcow2 image now, and was raw when it was imported"));
}

TEST_CASE_METHOD(ImportedChain, "a qcow2 base is what its guest sees of the whole chain") {
  const auto disk = find_base(test_host.host, definition.disks[0]);
  const auto device = open_base(test_host.host, *disk);
  CHECK(device->size() == 1 << 20);
  CHECK(char(device->read(0, 1)[0]) == 77);
  CHECK(char(device->read(64 << 10, 1)[0]) == 87);
  CHECK(char(device->read(128 << 10, 1)[0]) == 'B');
  CHECK(examine().drift == Drift::none);
  test::run_program({"qemu-img", "convert", "-O", "raw", file("web.qcow2"), file("flat.img")});
  const probe::Disk flat = probe::locate_disk(test_host.host, file("flat.img"));
  const auto none = [](std::uint64_t) {};
  CHECK(hash_base(test_host.host, *disk, none) == hash_base(test_host.host, flat, none));
}

TEST_CASE_METHOD(ImportedChain, "every file that a qcow2 base is read from is known") {
  CHECK(base_files(definition.disks[0]) ==
        std::vector<std::string>{file("web.qcow2"), file("mid.qcow2"), file("base.img")});
  std::filesystem::remove(file("mid.qcow2"));
  CHECK(base_files(definition.disks[0]) == std::vector<std::string>{file("web.qcow2")});
}

// Not where a sample is taken, and where the guest sees something else.
TEST_CASE_METHOD(ImportedChain, "a write to any file of the chain is seen, though no sample shows it") {
  for (const auto* name : {"web.qcow2", "mid.qcow2", "base.img"}) {
    const auto before = examine();
    REQUIRE(before.drift == Drift::none);
    const auto text = sys::read_file(file(name), 1 << 20);
    const auto times = std::filesystem::last_write_time(file(name));
    if (file(name).ends_with(".img"))
      write_file(file(name), "X" + text.substr(1));
    else
      guest_writes(name, "write -P 1 68k 512");
    const auto state = examine();
    CHECK(state.drift == Drift::changed);
    CHECK(state.reasons == std::vector<std::string>{file(name) + " was written since"});
    write_file(file(name), text);
    std::filesystem::last_write_time(file(name), times);
  }
}

TEST_CASE_METHOD(ImportedChain, "an internal snapshot in a base has changed it, whatever its times say") {
  const auto times = std::filesystem::last_write_time(file("web.qcow2"));
  test::run_program({"qemu-img", "snapshot", "-c", "one", file("web.qcow2")});
  std::filesystem::last_write_time(file("web.qcow2"), times);
  CHECK(examine().drift == Drift::changed);
}

TEST_CASE_METHOD(ImportedChain, "a base whose backing file is gone is missing, and the file is named") {
  std::filesystem::remove(file("mid.qcow2"));
  const auto state = examine();
  CHECK(state.drift == Drift::missing);
  REQUIRE(state.reasons.size() == 1);
  CHECK_THAT(state.reasons[0], Catch::Contains(file("mid.qcow2")));
  CHECK_THROWS_AS(find_base(test_host.host, definition.disks[0]), base::Error);
}
