#include <catch2/catch.hpp>
#include <filesystem>

#include "cli/machine_fixture.hpp"
#include "hrvm/base/byte_size.hpp"
#include "hrvm/image/disk_image.hpp"
#include "hrvm/sys/files.hpp"

using namespace hrvm;
using base::GiB, base::MiB;
using test::MachineStore;

namespace {

std::string in(const MachineStore& store, const std::string& name) { return store.folder() / name; }

// Where a person stands while the test goes on.
class WorkingFolder {
 public:
  explicit WorkingFolder(const std::filesystem::path& path) : before_(std::filesystem::current_path()) {
    std::filesystem::current_path(path);
  }
  WorkingFolder(const WorkingFolder&) = delete;
  ~WorkingFolder() { std::filesystem::current_path(before_); }

 private:
  std::filesystem::path before_;
};

}  // namespace

TEST_CASE("an image is made of the size that was asked for, with subclusters unless it is to be classic") {
  MachineStore store;
  auto transcript = store.transcript("image/create");
  CHECK(transcript.run({"image", "create", in(store, "new.qcow2"), "20G"}) == 0);
  CHECK(transcript.run({"image", "create", "--classic", in(store, "classic.qcow2"), "512M"}) == 0);
  transcript.check();
  CHECK(image::read_info(in(store, "new.qcow2")).virtual_bytes == 20 * GiB);
  CHECK(image::read_info(in(store, "new.qcow2")).subclusters);
  CHECK_FALSE(image::read_info(in(store, "classic.qcow2")).subclusters);
}

TEST_CASE("an image with a backing file has its size, unless another one is given") {
  MachineStore store;
  store.add("web");
  const auto result = store.json({"image", "create", in(store, "a"), "--backing", store.base()});
  CHECK(result["schema"] == "hrvm.image-create/1");
  CHECK(result["virtual_bytes"] == 8 * MiB);
  CHECK(result["backing"]["path"] == store.base().string());
  CHECK(result["backing"]["format"] == "raw");
  CHECK(store.run({"image", "create", in(store, "b"), "10M", "--backing", in(store, "a")}) == 0);
  CHECK(image::read_info(in(store, "b")).virtual_bytes == 10 * MiB);
  CHECK(image::read_chain(in(store, "b")).size() == 3);
}

TEST_CASE("a backing file that was given relative to where the person is, is recorded relative to the image") {
  MachineStore store;
  store.add("web");
  std::filesystem::create_directories(in(store, "deep/below"));
  const WorkingFolder here(in(store, "deep"));
  CHECK(store.run({"image", "create", "below/new", "--backing", "../base.img"}) == 0);
  CHECK(image::read_info(in(store, "deep/below/new")).backing->path == "../../base.img");
  CHECK(image::read_chain(in(store, "deep/below/new")).size() == 2);
}

TEST_CASE("with --backing-format raw, what looks like qcow2 backs an image as it is") {
  MachineStore store;
  CHECK(store.run({"image", "create", in(store, "guest.raw"), "1M"}) == 0);
  const auto bytes = sys::status(in(store, "guest.raw")).size_bytes;
  CHECK(store.run({"image", "create", in(store, "new"), "--backing", in(store, "guest.raw"), "--backing-format=raw"}) ==
        0);
  CHECK(image::read_info(in(store, "new")).backing->format == "raw");
  CHECK(image::read_info(in(store, "new")).virtual_bytes == base::round_up(bytes, 512));
}

TEST_CASE("what cannot be made says why, and leaves nothing behind") {
  MachineStore store;
  store.add("web");
  store.folder().write("there", "precious");
  const auto before = store.folder().names();
  auto transcript = store.transcript("image/create_errors");
  transcript.run({"image", "create", in(store, "new")});
  transcript.run({"image", "create", in(store, "new"), "big"});
  transcript.run({"image", "create", in(store, "new"), "8388607T"});
  transcript.run({"image", "create", in(store, "there"), "1G"});
  transcript.run({"image", "create", in(store, "new"), "--backing", in(store, "gone")});
  transcript.run({"image", "create", "--force", store.base(), "1G"});
  transcript.run({"image", "create", in(store, "store/x"), "1G"});
  transcript.run({"image", "create", "/dev/null", "1G", "--force"});
  transcript.check();
  CHECK(store.folder().names() == before);
}

TEST_CASE("an image cannot be made to back itself, not even with --force") {
  MachineStore store;
  CHECK(store.run({"image", "create", in(store, "a"), "1M"}) == 0);
  CHECK(store.run({"image", "create", in(store, "b"), "--backing", in(store, "a")}) == 0);
  CHECK(store.run({"image", "create", "--force", in(store, "a"), "--backing", in(store, "b")}) == 2);
  CHECK(image::read_chain(in(store, "b")).size() == 2);
}

TEST_CASE("a dry run makes no image") {
  MachineStore store;
  CHECK(store.json({"image", "create", "--dry-run", in(store, "a"), "1M"})["schema"] == "hrvm.image-create-plan/1");
  CHECK(sys::status(in(store, "a")).type == sys::FileType::missing);
}
