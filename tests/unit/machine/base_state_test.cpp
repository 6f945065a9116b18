#include <catch2/catch.hpp>

#include "fixture.hpp"
#include "hrvm/machine/fingerprint.hpp"

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
    definition.base.kind = "image";
    definition.base.path = definition.base.stable_path = path;
    definition.base.size_bytes = 1 << 20;
    definition.base.wwn = definition.base.serial = definition.base.model = "";
    definition.fingerprints["00000000000000a1"] =
        take_fingerprint(test_host.host, *find_base(test_host.host, definition.base));
  }
  BaseState examine() const { return examine_base(test_host.host, definition, definition.active); }
};

}  // namespace

TEST_CASE_METHOD(ImportedImage, "a base that nobody touched has not drifted") {
  const auto state = examine();
  CHECK(state.drift == Drift::none);
  CHECK(state.disk->path == path);
  CHECK(state.reasons.empty());
  CHECK_FALSE(state.evidence.empty());
}

TEST_CASE_METHOD(ImportedImage, "a base that was written has changed, with the evidence") {
  write_file(path, "x" + std::string((1 << 20) - 1, 'B'));
  const auto state = examine();
  CHECK(state.drift == Drift::changed);
  CHECK(state.reasons == std::vector<std::string>{"disk was written since"});
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
